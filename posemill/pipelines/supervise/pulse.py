"""Signs of life in a page of memory that a child shares with its parent.

A page instead of messages: a beat costs a copy of some bytes, and what the
child did last is there to read after it has crashed.
"""

from __future__ import annotations

import mmap
import struct
import tempfile
from typing import BinaryIO

_HEAD = struct.Struct("<QH")  # number of beats, length of the text
_SIZE = 256


class PulseReader:
    """The parent's side; owns the page, which has no name and goes with its processes."""

    def __init__(self) -> None:
        self._file: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        self._file.truncate(_SIZE)
        self._page = mmap.mmap(self._file.fileno(), _SIZE)

    @property
    def fd(self) -> int:
        """For the child to inherit."""
        return self._file.fileno()

    @property
    def beats(self) -> int:
        return int(_HEAD.unpack_from(self._page)[0])

    @property
    def activity(self) -> str:
        """What the child did at its last beat; empty before the first one."""
        length = _HEAD.unpack_from(self._page)[1]
        return self._page[_HEAD.size : _HEAD.size + length].decode("utf-8", "replace")

    def close(self) -> None:
        self._page.close()
        self._file.close()


class PulseWriter:
    """The child's side."""

    def __init__(self, fd: int) -> None:
        self._page = mmap.mmap(fd, _SIZE)
        self._beats = 0

    def beat(self, activity: str) -> None:
        self._beats += 1
        text = activity.encode()[: _SIZE - _HEAD.size]
        _HEAD.pack_into(self._page, 0, self._beats, len(text))
        self._page[_HEAD.size : _HEAD.size + len(text)] = text
