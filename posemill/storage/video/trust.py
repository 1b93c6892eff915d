"""What is looked at before a file is given to a decoder.

FFmpeg opens far more than videos: a text file named `.mp4` may be a playlist
that names other files or addresses, `img_%03d.png` a sequence of pictures.
Both decoders get a list of demuxers that open one file of frames and nothing
else; PyAV reads the bytes through `FileBytes` and has no protocol at all.
"""

from __future__ import annotations

import errno
import stat
from pathlib import Path
from typing import BinaryIO

from posemill.errors import EnvironmentFault, UnreadableVideo
from posemill.storage.video.limits import VideoLimits

ALLOWED_FORMATS = ("mov", "matroska", "avi", "mpegts", "mpeg", "flv", "asf", "ogg")
"""FFmpeg's demuxers that may open a video; `mov` is MP4's too, `matroska` WebM's."""

_HEAD_BYTES = 512
_PLAYLISTS = {
    b"ffconcat": "an ffconcat playlist, which names other files",
    b"#EXTM3U": "an HLS playlist, which names other files",
}
_WHITESPACE = dict.fromkeys(map(ord, "\t\n\r"), " ")


class FileBytes:
    """A regular file, open for a decoder; remembers the error that reading it raised.

    FFmpeg tells of a failed read as of damage, so the error is kept here for
    `raise_fault`: a failing disk must not condemn a video.
    """

    def __init__(self, path: Path, limits: VideoLimits) -> None:
        """Raises:
        FileNotFoundError: there is no such file.
        EnvironmentFault: it is there and cannot be read.
        UnreadableVideo: it is no regular file, or larger than the limit.
        """
        self.name = str(path)
        self._fault: OSError | None = None
        self._file = _open_regular(path)
        try:
            self._file.seek(0, 2)
            limits.require_bytes(self.name, self._file.tell())
            self._file.seek(0)
        except BaseException:
            self._file.close()
            raise

    def read(self, size: int) -> bytes:
        try:
            return self._file.read(size)
        except OSError as error:
            self._fault = error
            return b""

    def seek(self, offset: int, whence: int = 0) -> int:
        try:
            return self._file.seek(offset, whence)
        except OSError:  # FFmpeg aims before the start of a damaged file; -1 tells it no
            return -1

    def tell(self) -> int:
        return self._file.tell()

    def head(self) -> bytes:
        self._file.seek(0)
        return self.read(_HEAD_BYTES)

    def close(self) -> None:
        self._file.close()

    def raise_fault(self) -> None:
        """Raises:
        EnvironmentFault: a read failed.
        """
        if self._fault is not None:
            raise _fault(Path(self.name), self._fault) from self._fault


def unreadable(name: str, got: str) -> UnreadableVideo:
    """The error for a file of which not one frame can be decoded."""
    return UnreadableVideo(
        f"{name}: not one frame can be decoded. Got {got}; expected an MP4, MOV, MKV, WebM, AVI, "
        "MPEG, FLV, ASF or OGG file with a video stream. "
        "Replace the file, or leave it out of the catalog."
    )


def describe_head(head: bytes) -> str | None:
    """What a file is by its first bytes; None where they tell nothing."""
    if not head:
        return "an empty file (0 bytes)"
    for start, description in _PLAYLISTS.items():
        if head.startswith(start):
            return description
    if head.decode("utf-8", "replace").translate(_WHITESPACE).isprintable():
        return "a text file"
    return None


def require_regular(path: Path) -> None:
    """Refuse what is no file of bytes, before it is opened: a pipe would wait for its writer.

    Raises:
        FileNotFoundError: there is no such file.
        UnreadableVideo: a folder, a pipe, a device, or a link that leads to itself.
        OSError: the system does not tell.
    """
    try:
        mode = path.stat().st_mode
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise unreadable(str(path), "a link that leads to itself") from error
        raise
    if not stat.S_ISREG(mode):
        raise unreadable(str(path), _describe_mode(mode))


def _open_regular(path: Path) -> BinaryIO:
    try:
        require_regular(path)
        return path.open("rb")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _fault(path, error) from error


def _describe_mode(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "a folder"
    return "a pipe" if stat.S_ISFIFO(mode) else "no regular file"


def _fault(path: Path, error: OSError) -> EnvironmentFault:
    return EnvironmentFault(
        f"{path}: cannot be read ({error.strerror or error}); expected a readable file. "
        "Check its permissions and the disk, then run again."
    )
