"""What a walk through a pickle makes of it: small values, and where the bytes of arrays lie."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass

import numpy as np

from posemill.errors import UnreadablePoses


class Builder(enum.Enum):
    """The callables that a pickle may name: signs here, none of which is imported or called."""

    RECONSTRUCT = "an array that is yet to get its content"
    NDARRAY = "the type of arrays"
    FROM_BUFFER = "an array of protocol 5"
    DTYPE = "the type of an array's numbers"
    SCALAR = "a number of numpy's"
    ENCODE = "bytes, which protocol 2 writes as text"
    BYTES = "no bytes, in protocol 2"


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes of the file that were passed over."""

    offset: int
    num_bytes: int
    is_text: bool = False
    """UTF-8, of characters below 256 each of which stands for a byte."""


@dataclass(slots=True, eq=False)
class NumberType:
    """Of the numbers in an array: kind and bytes, as `f2`, and their order, `<` or `>`."""

    code: str
    order: str = "="

    @property
    def num_bytes(self) -> int:
        return int(self.code[1:])

    def numpy(self) -> np.dtype[np.generic]:
        return np.dtype(self.order + self.code)


@dataclass(frozen=True, slots=True, eq=False)
class ArrayPlace:
    """An array that was not read: its shape, and where its numbers are."""

    shape: tuple[int, ...]
    numbers: NumberType
    data: Span | bytes
    is_fortran: bool
    """Whether the first index runs fastest."""

    @property
    def num_bytes(self) -> int:
        """Of the array, in memory; never more than what the file has of it."""
        return math.prod(self.shape) * self.numbers.num_bytes

    @property
    def file_bytes(self) -> int:
        return len(self.data) if isinstance(self.data, bytes) else self.data.num_bytes


@dataclass(slots=True, eq=False)
class UnbuiltArray:
    """What `_reconstruct` makes, until its state comes."""

    array: ArrayPlace | None = None


class Fault(UnreadablePoses):
    """What is wrong at one place of a pickle; the walk adds the place."""
