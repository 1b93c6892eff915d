"""JSON files of any length: the elements of their arrays one at a time, faults named by place."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from json import JSONDecodeError, JSONDecoder
from pathlib import Path
from typing import Any, BinaryIO

from posemill.errors import UnreadablePoses
from posemill.storage.formats.json_text import (
    MAX_VALUE_BYTES,
    brief,
    json_faults,
    too_long,
)
from posemill.storage.strict_json import STRICT

_DECODER = JSONDecoder(**STRICT)
_CHUNK_BYTES = 1 << 20
_BLANKS = " \t\r\n"
_GOES_ON = "e+"  # the most of a number that is left over where the window cuts it


@dataclass(frozen=True, slots=True)
class Member:
    """A key of the object that a file holds, or all of a file that holds an array."""

    key: str | None
    """None of a file that is an array."""
    is_array: bool
    values: Iterator[tuple[str, Any]]
    """The elements of an array, else the one value; each with its place, `FILE, images[3]`,
    counted from 0. What is not taken is passed over when the next member is asked for."""


def read_members(path: Path) -> Iterator[Member]:
    """The members of the one object, or of the one array, that a file holds.

    Raises:
        UnreadablePoses: it holds something else, a key twice, a value (of an array an element)
            that is longer than `MAX_VALUE_BYTES`, or no JSON.
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        text = _Text(path, file)
        if text.peek() == "[":
            yield from _to_its_end(Member(None, True, _elements(text, f"{path}, ")))
        elif text.peek() == "{":
            for key in _keys(text):
                yield from _to_its_end(_member(text, key))
        else:
            raise text.fault("expected an object or an array of JSON")
        if text.peek():
            raise text.fault("expected the end of the file")


def _to_its_end(member: Member) -> Iterator[Member]:
    yield member
    for _ in member.values:
        pass


def _keys(text: _Text) -> Iterator[str]:
    """Those of the object that begins here; each one's value must be read before the next."""
    seen = set[str]()
    text.take("{")
    while text.peek() != "}":
        if seen:
            text.take(",")
        if text.peek() != '"':
            raise text.fault("expected the name of a value in double quotes")
        key = text.value(str(text.path))
        if key in seen:
            raise text.fault(f"the key {brief(key)} is there twice")
        seen.add(key)
        text.take(":")
        yield key
    text.take("}")


def _member(text: _Text, key: str) -> Member:
    place = f"{text.path}, {brief(key)[1:-1]}"
    if text.peek() == "[":
        return Member(key, True, _elements(text, place))
    return Member(key, False, iter([(place, text.value(place))]))


def _elements(text: _Text, place: str) -> Iterator[tuple[str, Any]]:
    number = 0
    text.take("[")
    while text.peek() != "]":
        if number:
            text.take(",")
        where = f"{place}[{number}]"
        yield where, text.value(where)
        number += 1
    text.take("]")


class _Text:
    """A window on the text of a file, from what is to be read next on."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path, self._file = path, file
        self._decode = codecs.getincrementaldecoder("utf-8-sig")().decode
        self._text, self._at, self._before = "", 0, 0
        self._ended = False

    def fault(self, text: str) -> UnreadablePoses:
        """The error for what is to be read next."""
        place = f"{self.path}, character {self._before + self._at + 1}"
        what = brief(self._text[self._at : self._at + 20]) if self.peek() else "the end of the file"
        return UnreadablePoses(f"{place}: {text}, got {what}; it is cut short or of another kind")

    def peek(self) -> str:
        """The next character that is no blank; none at the end."""
        while True:
            while self._at < len(self._text):
                if self._text[self._at] not in _BLANKS:
                    return self._text[self._at]
                self._at += 1
            if self._ended:
                return ""
            self._read_on()

    def take(self, mark: str) -> None:
        if self.peek() != mark:
            raise self.fault(f"expected {mark!r}")
        self._at += 1

    def value(self, place: str) -> Any:
        """The value that comes next, read as a whole."""
        self.peek()
        while True:
            with json_faults(place):
                try:
                    value, end = _DECODER.raw_decode(self._text, self._at)
                except JSONDecodeError as error:
                    if self._ended:
                        raise self._syntax(error) from error
                    end = len(self._text)
            if self._ended or len(self._text) - end > len(_GOES_ON):
                self._at = end
                return value
            if end - self._at > MAX_VALUE_BYTES:
                raise too_long(place)
            self._read_on()

    def _syntax(self, error: JSONDecodeError) -> UnreadablePoses:
        return UnreadablePoses(
            f"{self.path}, character {self._before + error.pos + 1}: {error.msg}; expected JSON, "
            "so the file is cut short or of another kind"
        )

    def _read_on(self) -> None:
        """Forget what was read and read at least as much as is kept, so that a long value is not
        decoded more often than its length doubles."""
        kept = self._text[self._at :]
        data = self._file.read(max(_CHUNK_BYTES, len(kept)))
        self._ended = not data
        self._before += self._at
        with json_faults(str(self.path)):
            self._text, self._at = kept + self._decode(data, final=self._ended), 0
