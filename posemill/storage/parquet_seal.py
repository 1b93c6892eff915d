"""A seal in a Parquet file: a hash of all its bytes, where every reader passes it over.

Parquet finds its footer from the file's end and its data by offsets from the
file's start, so what stands between the two is nobody's. The checksums that
Parquet knows are of pages only: a bit flipped in the footer passes unseen.
"""

from __future__ import annotations

import hashlib

_NAME = b"sha256 of rest: "
_SEAL_BYTES = len(_NAME) + hashlib.sha256().digest_size
_TRAILER_BYTES = 8  # the footer's length and Parquet's magic


def seal_parquet(data: bytes) -> bytes:
    """A Parquet file with a seal before its footer."""
    footer = _footer_start(data)
    return data[:footer] + _NAME + hashlib.sha256(data).digest() + data[footer:]


def is_sealed(data: bytes) -> bool:
    """Whether a file is to the last bit what `seal_parquet` made."""
    footer = _footer_start(data)
    start = max(0, footer - _SEAL_BYTES)
    rest = data[:start] + data[footer:]
    return data[start:footer] == _NAME + hashlib.sha256(rest).digest()


def _footer_start(data: bytes) -> int:
    num_bytes = int.from_bytes(data[-_TRAILER_BYTES : -_TRAILER_BYTES + 4], "little")
    return max(0, len(data) - _TRAILER_BYTES - num_bytes)
