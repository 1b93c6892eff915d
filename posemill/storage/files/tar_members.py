"""Where the files in an uncompressed tar file lie; they are read in place, nothing is unpacked."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from posemill.errors import UnreadableVideo
from posemill.storage.identity import bytes_identity

_BLOCK_BYTES = 8 << 20
_HEADER_BYTES = 512
_TARS_KEPT = 8


@dataclass(frozen=True, slots=True)
class TarMember:
    """A regular file in a tar file."""

    name: str
    offset: int
    """Of its first byte in the tar file."""
    num_bytes: int
    mtime_seconds: int


def tar_members(path: Path) -> Mapping[str, TarMember]:
    """Every regular file by its name, in order; of two of one name the later one.

    Raises:
        UnreadableVideo: not a whole, uncompressed tar file.
        OSError: it is missing or cannot be read.
    """
    info = path.stat()
    return _members(path, info.st_size, info.st_mtime_ns)


def read_member(path: Path, member: TarMember) -> Iterator[bytes]:
    """All bytes of a member, in pieces."""
    with path.open("rb") as file:
        file.seek(member.offset)
        left = member.num_bytes
        while left and (piece := file.read(min(left, _BLOCK_BYTES))):
            left -= len(piece)
            yield piece


def member_identity(path: Path, member: TarMember) -> str:
    """As `file_identity` of a file with the member's bytes and its time.

    Raises:
        OSError: the tar file is missing or cannot be read.
    """
    with path.open("rb") as file:
        return bytes_identity(
            file, member.offset, member.num_bytes, member.mtime_seconds * 1_000_000_000
        )


@lru_cache(maxsize=_TARS_KEPT)
def _members(path: Path, _size: int, _mtime_ns: int) -> Mapping[str, TarMember]:
    try:
        with tarfile.open(path, "r:") as tar:
            found = {
                each.name.removeprefix("./"): TarMember(
                    each.name.removeprefix("./"), each.offset_data, each.size, int(each.mtime)
                )
                for each in tar
                if each.isreg() and not each.issparse()
            }
            end = tar.offset
    except tarfile.TarError as error:
        raise _no_tar(path, str(error)) from error
    _require_end(path, end)
    return found


def _require_end(path: Path, offset: int) -> None:
    """Refuse a tar file whose list breaks off: `tarfile` takes any such place for the end."""
    with path.open("rb") as file:
        file.seek(offset)
        if any(file.read(_HEADER_BYTES)):
            raise _no_tar(path, f"no header at byte {offset:,}")


def _no_tar(path: Path, reason: str) -> UnreadableVideo:
    return UnreadableVideo(
        f"{path}: not a whole, uncompressed tar file ({reason}). A compressed one has to be "
        "decompressed first, e.g. by gunzip: its members can only be reached from its start."
    )
