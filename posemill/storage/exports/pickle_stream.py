"""Plain data as a pickle that is written piece by piece, in the memory of one piece.

`pickle.Pickler` wants the whole object, and remembers all that it has written. Here a
dictionary is opened, its list is written element by element, and nothing is remembered:
the opcodes are those of protocol 3, each as the standard library's `pickletools` describes
it. Arrays are rebuilt by the names that numpy 1 gave its functions, which numpy 2 still
knows, so that both read them; numpy 2's own names are unknown to numpy before 1.26.
"""

from __future__ import annotations

import pickle
import struct
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

_PROTOCOL = pickle.PROTO + b"\x03"
_RECONSTRUCT = pickle.GLOBAL + b"numpy.core.multiarray\n_reconstruct\n"
_NDARRAY = pickle.GLOBAL + b"numpy\nndarray\n"
_DTYPE = pickle.GLOBAL + b"numpy\ndtype\n"


class PickleStream:
    """A dictionary with string keys that is written to a file as it grows."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        file.write(_PROTOCOL + pickle.EMPTY_DICT)

    def item(self, key: str, value: Any) -> None:
        """A value of str, int, tuple, list, dict and numpy arrays, whole.

        Raises:
            TypeError: a value of another type.
            OverflowError: a number or an array of more than 2^31 - 1.
        """
        self._write(key)
        self._write(value)
        self._file.write(pickle.SETITEM)

    def begin_list(self, key: str) -> None:
        """A value that is a list, whose elements `append` gives until `end_list`."""
        self._write(key)
        self._file.write(pickle.EMPTY_LIST)

    def append(self, value: Any) -> None:
        """As `item`, for an element of the list that is open."""
        self._write(value)
        self._file.write(pickle.APPEND)

    def end_list(self) -> None:
        self._file.write(pickle.SETITEM)

    def finish(self) -> None:
        self._file.write(pickle.STOP)

    def _write(self, value: Any) -> None:
        for part in _opcodes(value):
            self._file.write(part)


def _opcodes(value: Any) -> Iterator[bytes]:
    match value:
        case int() if not isinstance(value, bool):
            yield pickle.BININT + _packed("<i", value)
        case str():
            data = value.encode()
            yield pickle.BINUNICODE + _packed("<I", len(data)) + data
        case tuple():
            yield from (pickle.MARK, *_all_opcodes(value), pickle.TUPLE)
        case list():
            yield from (pickle.EMPTY_LIST, pickle.MARK, *_all_opcodes(value), pickle.APPENDS)
        case dict():
            pairs = chain.from_iterable(value.items())
            yield from (pickle.EMPTY_DICT, pickle.MARK, *_all_opcodes(pairs), pickle.SETITEMS)
        case np.ndarray():
            yield from _array(value)
        case _:
            raise TypeError(f"{type(value).__name__} has no place in this pickle")


def _all_opcodes(values: Iterable[Any]) -> Iterator[bytes]:
    return chain.from_iterable(map(_opcodes, values))


def _array(array: npt.NDArray[Any]) -> Iterator[bytes]:
    """As numpy pickles one: a function that makes an empty array, then its state."""
    little = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).reshape(array.shape)
    yield _RECONSTRUCT + _NDARRAY
    yield from _opcodes((0,))
    yield pickle.SHORT_BINBYTES + b"\x01b" + pickle.TUPLE3 + pickle.REDUCE
    yield pickle.MARK
    yield from _opcodes(1)
    yield from _opcodes(little.shape)
    yield from _dtype(little.dtype)
    yield pickle.NEWFALSE
    yield pickle.BINBYTES + _packed("<I", little.nbytes)
    yield little.tobytes()
    yield pickle.TUPLE + pickle.BUILD


def _dtype(dtype: np.dtype[Any]) -> Iterator[bytes]:
    yield _DTYPE
    yield from _opcodes(f"{dtype.kind}{dtype.itemsize}")
    yield pickle.NEWFALSE + pickle.NEWTRUE + pickle.TUPLE3 + pickle.REDUCE
    yield pickle.MARK
    yield from _opcodes(3)
    yield from _opcodes("<")
    yield 3 * pickle.NONE
    yield from _opcodes(-1)
    yield from _opcodes(-1)
    yield from _opcodes(0)
    yield pickle.TUPLE + pickle.BUILD


def _packed(layout: str, number: int) -> bytes:
    try:
        return struct.pack(layout, number)
    except struct.error as error:
        raise OverflowError(f"{number} is too large for this pickle") from error
