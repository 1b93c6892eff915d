"""Reads the numbers of an array that a walk through a pickle has found."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from posemill.errors import UnreadablePoses
from posemill.storage.pickles.values import ArrayPlace, Span


def read_arrays(path: Path, *places: ArrayPlace) -> list[npt.NDArray[Any]]:
    """The arrays that lie at these places of a file.

    Raises:
        UnreadablePoses: not as many bytes are there as the file told.
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        return [_array(path, place, _bytes(path, file.fileno(), place)) for place in places]


def _bytes(path: Path, file: int, place: ArrayPlace) -> bytes:
    if isinstance(place.data, bytes):
        return place.data
    span = place.data
    data = _read(file, span)
    if not span.is_text:
        return data
    try:
        return data.decode().encode("latin-1")
    except UnicodeError as error:
        raise UnreadablePoses(
            f"{path}, byte {span.offset:,}: expected the bytes of an array as text: {error}"
        ) from error


def _read(file: int, span: Span) -> bytes:
    """All of a span; a read may give less than it was asked for."""
    pieces, offset, left = list[bytes](), span.offset, span.num_bytes
    while left and (piece := os.pread(file, left, offset)):
        pieces.append(piece)
        offset, left = offset + len(piece), left - len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _array(path: Path, place: ArrayPlace, data: bytes) -> npt.NDArray[Any]:
    if len(data) != place.num_bytes:
        raise UnreadablePoses(
            f"{path}: {len(data):,} bytes for an array of the shape {place.shape}, expected "
            f"{place.num_bytes:,}; the file is cut short, or of another kind"
        )
    flat: npt.NDArray[Any] = np.frombuffer(data, place.numbers.numpy())
    if place.is_fortran:
        return flat.reshape(place.shape[::-1]).T
    return flat.reshape(place.shape)
