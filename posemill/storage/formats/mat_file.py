"""Arrays of numbers in MATLAB's files of version 5, which its `save` writes with -v6 and -v7.

Layout: MathWorks, "MAT-File Format", chapter 1. scipy.io.loadmat reads all kinds of arrays, but a
file that was tampered with crashes it (1.17: a type of numbers that there is not), and the whole
process with it. Here only dense arrays of real numbers are read, and never more than the bytes
that are there.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterator
from math import prod
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from posemill.errors import UnreadablePoses

Float64 = npt.NDArray[np.float64]

MAX_BYTES = 16 << 20
"""Of a file as it is, and unpacked. The joints of a minute have a tenth of one MiB."""
_HEADER_BYTES, _TAG_BYTES, _ALIGNED_TO = 128, 8, 8
_INT8, _INT32, _UINT32, _ARRAY, _PACKED = 1, 5, 6, 14, 15
_TYPES = dict(
    zip(
        (1, 2, 3, 4, 5, 6, 7, 9, 12, 13),
        ["i1", "u1", "i2", "u2", "i4", "u4", "f4", "f8", "i8", "u8"],
        strict=True,
    )
)
_NUMBERS = range(6, 16)  # the classes of arrays from double to uint64
_OTHERS = {1: "cells", 2: "structs", 3: "objects", 4: "text", 5: "sparse", 16: "a function"}
_CODECS = {1: "latin-1", 2: "latin-1", 4: "utf-16", 16: "utf-8", 17: "utf-16"}
_OPAQUE = 17
_COMPLEX = 0x800
_MAX_DIMS = 8


class _Element(NamedTuple):
    """A part of the file with its tag."""

    place: str
    kind: int
    data: bytes
    stop: int
    """Where it ends in what holds it."""


class _Head(NamedTuple):
    """Of an array; nothing but the flags of one whose content is opaque."""

    name: str
    flags: int
    shape: list[int]
    parts: Iterator[_Element]
    """What follows."""


def read_mat(path: Path, names: Collection[str]) -> dict[str, Float64]:
    """The arrays of these names, of any shape; whatever else is in the file is not looked at.

    Raises:
        UnreadablePoses: it is of another version, cut short, or longer than `MAX_BYTES`, or one
            of the arrays is not there once or not of real numbers.
        OSError: the file cannot be read.
    """
    order, data = _read(path)
    found = dict[str, Float64]()
    for element in _unpacked(path, data, order):
        head = _head(element, order)
        if head.name in found:
            raise UnreadablePoses(f"{element.place}: {head.name} is there twice; expected it once")
        if head.name in names:
            found[head.name] = _numbers(element, order, head)
    if missing := [name for name in names if name not in found]:
        raise UnreadablePoses(
            f"{path}: has no {', '.join(missing)}; is it a file of another format?"
        )
    return found


def read_mat_text(path: Path, name: str) -> str:
    """The first text of this name, one line.

    Raises:
        As `read_mat`.
    """
    order, data = _read(path)
    for element in _unpacked(path, data, order):
        head = _head(element, order)
        if head.name == name:
            return _text(element, order, head)
    raise UnreadablePoses(f"{path}: has no {name}; is it a file of another format?")


_TOO_MUCH = "the joints of no video have as many"


def _read(path: Path) -> tuple[str, bytes]:
    """Byte order and content."""
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise UnreadablePoses(f"{path}: has more than {MAX_BYTES:,} bytes; {_TOO_MUCH}")
    return _byte_order(path, data), data


def _byte_order(path: Path, data: bytes) -> str:
    version, mark = data[124:126], data[126:128]
    if data.startswith(b"\x89HDF\r\n\x1a\n") or b"\x02" in version:
        raise UnreadablePoses(
            f"{path}: is a file of MATLAB 7.3, which is HDF5; expected version 5. Load it in "
            "MATLAB and save it with -v7"
        )
    order = {b"IM": "<", b"MI": ">"}.get(mark)
    if order is None or b"\x01" not in version:
        raise UnreadablePoses(
            f"{path}: begins with {data[:16]!r}; expected a file of MATLAB's version 5"
        )
    return order


def _unpacked(path: Path, data: bytes, order: str) -> Iterator[_Element]:
    """Each element of the file, what was compressed in it instead of it."""
    start, num_left = _HEADER_BYTES, MAX_BYTES
    while start < len(data):
        element = _element(f"{path}, byte {start}", data, start, order)
        start = element.stop
        if element.kind == _PACKED:
            inner = _inflate(element, num_left)
            num_left -= len(inner)
            element = _element(element.place, inner, 0, order)
        yield element


def _inflate(element: _Element, num_left: int) -> bytes:
    inflater = zlib.decompressobj()
    try:
        data = inflater.decompress(element.data, num_left + 1)
    except zlib.error as error:
        raise UnreadablePoses(f"{element.place}: {error}; the file is damaged") from error
    if len(data) > num_left:
        raise UnreadablePoses(
            f"{element.place}: the file has more than {MAX_BYTES:,} bytes unpacked; {_TOO_MUCH}"
        )
    return data


def _element(place: str, data: bytes, start: int, order: str) -> _Element:
    tag = data[start : start + _TAG_BYTES]
    kind, num_bytes = np.frombuffer(tag.ljust(_TAG_BYTES, b"\0"), f"{order}u4").tolist()
    first = start + _TAG_BYTES
    if kind >> 16:  # four bytes at most, which are in the tag itself
        kind, num_bytes, first = kind & 0xFFFF, kind >> 16, start + _TAG_BYTES // 2
    stop = first + num_bytes
    if len(tag) < _TAG_BYTES or stop > len(data):
        raise UnreadablePoses(
            f"{place}: the file ends within an element of {num_bytes:,} bytes; it is cut short"
        )
    return _Element(place, kind, data[first:stop], stop)


def _head(element: _Element, order: str) -> _Head:
    """What an array is, before its content."""
    if element.kind != _ARRAY:
        raise _fault(element, f"an element of kind {element.kind}; expected an array")
    parts = _parts(element, order)
    flags = int(_values(next(parts), order, _UINT32)[0])
    if flags & 0xFF == _OPAQUE:
        return _Head("", flags, [], parts)
    shape = _values(next(parts), order, _INT32).tolist()
    name = next(parts).data.rstrip(b"\0").decode("latin-1")
    return _Head(name, flags, shape, parts)


def _numbers(element: _Element, order: str, head: _Head) -> Float64:
    name, flags, shape, parts = head
    if flags & 0xFF not in _NUMBERS or flags & _COMPLEX:
        kind = "complex" if flags & _COMPLEX else _OTHERS.get(flags & 0xFF, "of no known class")
        raise _fault(element, f"{name} is {kind}; expected real numbers")
    numbers = _values(next(parts), order)
    if not 2 <= len(shape) <= _MAX_DIMS or min(shape) < 0 or prod(shape) != numbers.size:
        raise _fault(element, f"{name} is {shape[:_MAX_DIMS]}, and has {numbers.size:,} numbers")
    return numbers.reshape(shape, order="F").astype(np.float64)


def _text(element: _Element, order: str, head: _Head) -> str:
    if _OTHERS.get(head.flags & 0xFF) != "text" or len(head.shape) != 2 or head.shape[0] > 1:
        kind = _OTHERS.get(head.flags & 0xFF, "of another class")
        raise _fault(element, f"{head.name} is {kind} of shape {head.shape}; expected one text")
    part = next(head.parts)
    codec = _CODECS.get(part.kind, "")
    if codec == "utf-16":
        codec += {"<": "-le", ">": "-be"}[order]
    try:
        return part.data.decode(codec or "ascii")
    except UnicodeError as error:
        raise _fault(part, f"{head.name}: {error}") from error


def _parts(element: _Element, order: str) -> Iterator[_Element]:
    """The elements of an array: flags, dimensions, name, real numbers, and others after them."""
    start = 0
    while True:
        part = _element(element.place, element.data, start, order)
        start = part.stop + -part.stop % _ALIGNED_TO
        yield part


def _values(part: _Element, order: str, kind: int | None = None) -> npt.NDArray[np.generic]:
    """(N,) at least one number; of any type, or of the one given."""
    if part.kind not in _TYPES or kind not in (None, part.kind):
        raise _fault(part, f"numbers of type {part.kind}; expected {kind or sorted(_TYPES)}")
    dtype = np.dtype(f"{order}{_TYPES[part.kind]}")
    if len(part.data) % dtype.itemsize or (kind and not part.data):
        raise _fault(part, f"{len(part.data)} bytes; expected numbers of {dtype.itemsize}")
    return np.frombuffer(part.data, dtype)


def _fault(element: _Element, text: str) -> UnreadablePoses:
    return UnreadablePoses(f"{element.place}: {text}; the file is damaged or of another format")
