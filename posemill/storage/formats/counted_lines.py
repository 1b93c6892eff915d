"""Text whose lines tell how many lines follow: read one line at a time, faults named by line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

from posemill.errors import UnreadablePoses

MAX_LINE_BYTES = 4096
MAX_WHOLE = 2**64 - 1


class CountedLines:
    """Every method raises UnreadablePoses where a line is not what it asks for."""

    def __init__(self, path: str, file: BinaryIO) -> None:
        self._path, self._file = path, file
        self._number = 0

    def fault(self, text: str) -> UnreadablePoses:
        """The error for the line that was read last."""
        return UnreadablePoses(f"{self._path}, line {self._number}: {text}")

    def fields(self, number: int, what: str) -> list[bytes]:
        """The next line's parts, of which there are so many."""
        line = self._next()
        if not line:
            raise self.fault(f"the file ends here; expected {what}. It is cut short")
        fields = line.split()
        if len(fields) != number:
            raise self.fault(f"expected {what}, got {_brief(line)}")
        return fields

    def whole(self, what: str, most: int = MAX_WHOLE) -> int:
        """The next line, which is a whole number from 0 to `most`."""
        return self.natural(self.fields(1, what)[0], what, most)

    def natural(self, field: bytes, what: str, most: int = MAX_WHOLE) -> int:
        """A whole number from 0 to `most`, exactly."""
        usable = field.isdigit() and len(field) <= len(str(MAX_WHOLE))
        if not usable or int(field) > most:
            raise self.fault(
                f"expected a whole number from 0 to {most:,} as {what}, got {_brief(field)}"
            )
        return int(field)

    def numbers(self, fields: Sequence[bytes]) -> list[float]:
        """Numbers; also those that are not finite."""
        line = b" ".join(fields)
        try:
            if b"_" in line:  # which Python takes for a comma
                raise ValueError("an underscore")
            return [float(field) for field in fields]
        except ValueError as error:
            raise self.fault(f"expected {len(fields)} numbers, got {_brief(line)}") from error

    def require_end(self, what: str) -> None:
        """Nothing but blanks comes after all that was read."""
        while line := self._next():
            if not line.isspace():
                raise self.fault(f"expected the end of the file after {what}, got {_brief(line)}")

    def _next(self) -> bytes:
        self._number += 1
        line = self._file.readline(MAX_LINE_BYTES + 1)
        if len(line) > MAX_LINE_BYTES:
            raise self.fault(f"has more than {MAX_LINE_BYTES:,} bytes; expected lines of numbers")
        return line


def _brief(line: bytes) -> str:
    text = line.strip().decode("utf-8", "backslashreplace")
    return repr(text if len(text) <= 60 else f"{text[:60]}...")
