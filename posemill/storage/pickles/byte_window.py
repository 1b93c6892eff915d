"""A file as the bytes around one place in it, which moves forward only."""

from __future__ import annotations

import os
from typing import BinaryIO

from posemill.storage.pickles.values import Fault

_CHUNK_BYTES = 16 << 10  # what lies between the arrays of a clip is a few hundred bytes
_MAX_LINE_BYTES = 256


class ByteWindow:
    """Reads small pieces, passes over large ones; holds 16 KiB."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file.fileno()
        self._num_bytes = os.fstat(self._file).st_size
        self._data = b""
        self._start = 0
        self._at = 0
        self.opcode_at = 0

    @property
    def offset(self) -> int:
        """In the file, of the byte that comes next."""
        return self._start + self._at

    def opcode(self) -> int:
        """The next byte; `opcode_at` is where it is."""
        self.opcode_at = self._start + self._at
        return self.byte()

    def byte(self) -> int:
        """The next one; most of what is read are single bytes."""
        at = self._at
        if at >= len(self._data):
            self._fill(1)
            at = 0
        self._at = at + 1
        return self._data[at]

    def take(self, num_bytes: int) -> bytes:
        """The next bytes.

        Raises:
            Fault: the file ends before.
        """
        start, stop = self._at, self._at + num_bytes
        if stop > len(self._data):
            self._fill(num_bytes)
            start, stop = 0, num_bytes
        self._at = stop
        return self._data[start:stop]

    def number(self, num_bytes: int) -> int:
        """An unsigned number, its lowest byte first."""
        return self.byte() if num_bytes == 1 else int.from_bytes(self.take(num_bytes), "little")

    def line(self) -> str:
        """Text up to an end of line, which is passed over.

        Raises:
            Fault: it is too long for a name, or no text.
        """
        text = bytearray()
        while (byte := self.take(1)) != b"\n":
            text += byte
            if len(text) > _MAX_LINE_BYTES:
                raise Fault(f"a line of more than {_MAX_LINE_BYTES} bytes; expected a name")
        return self.decoded(bytes(text))

    def decoded(self, data: bytes) -> str:
        """Raises:
        Fault: it is not UTF-8.
        """
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            raise Fault(f"text that is not UTF-8: {error}") from error

    def skip(self, num_bytes: int) -> None:
        """Pass over the next bytes without reading them.

        Raises:
            Fault: the file ends before.
        """
        self._require(num_bytes)
        self._at += num_bytes
        if self._at > len(self._data):
            self._start, self._data, self._at = self.offset, b"", 0

    def _fill(self, num_bytes: int) -> None:
        self._require(num_bytes)
        self._start, self._at = self.offset, 0
        self._data = os.pread(self._file, max(num_bytes, _CHUNK_BYTES), self._start)
        if len(self._data) < num_bytes:
            raise Fault("the file was cut short while it was read")

    def _require(self, num_bytes: int) -> None:
        left = self._num_bytes - self.offset
        if not self._num_bytes:
            raise Fault("the file is empty (0 bytes); expected a pickle")
        if num_bytes > left:
            raise Fault(
                f"{num_bytes:,} bytes are announced and {left:,} are left; the file is cut short"
            )
