"""What may be made in a pickle of arrays: an exact list of names, and what each gives.

numpy's own pickles name these and no more: `ndarray.__reduce__` and `__reduce_ex__`,
`dtype.__reduce__` and `generic.__reduce__`; `numpy.core` is called `numpy._core` since
numpy 2.0. Python's protocol 2, in which mmcv and mmengine write, has no opcode for
bytes: `pickle.py` writes them as `_codecs.encode(text, "latin1")`, none as `bytes()`.
"""

from __future__ import annotations

import re
import reprlib
from typing import Any

import numpy as np

from posemill.storage.pickles.values import (
    ArrayPlace,
    Builder,
    Fault,
    NumberType,
    Span,
    UnbuiltArray,
)

_ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"): Builder.RECONSTRUCT,
    ("numpy._core.multiarray", "_reconstruct"): Builder.RECONSTRUCT,
    ("numpy.core.multiarray", "scalar"): Builder.SCALAR,
    ("numpy._core.multiarray", "scalar"): Builder.SCALAR,
    ("numpy.core.numeric", "_frombuffer"): Builder.FROM_BUFFER,
    ("numpy._core.numeric", "_frombuffer"): Builder.FROM_BUFFER,
    ("numpy", "ndarray"): Builder.NDARRAY,
    ("numpy", "dtype"): Builder.DTYPE,
    ("_codecs", "encode"): Builder.ENCODE,
    ("__builtin__", "bytes"): Builder.BYTES,
    ("builtins", "bytes"): Builder.BYTES,
}
_NUMBERS = re.compile("b1|[iu][1248]|f[248]")
_MAX_AXES = 8


def builder(module: str, name: str) -> Builder:
    """What a global stands for.

    Raises:
        Fault: it is not on the list, so that loading the pickle could run code.
    """
    found = _ALLOWED.get((module, name))
    if found is None:
        raise Fault(
            f"names the global {module}.{name}, which a file of arrays does not need and which "
            "could run code when it is loaded; expected arrays of numbers, text and numbers in "
            "lists and dicts. Nothing of it was run"
        )
    return found


def call(what: object, arguments: object) -> object:
    """What calling a builder gives.

    Raises:
        Fault: it is none, or its arguments are not those that numpy and Python write.
    """
    match what, arguments:
        case Builder.RECONSTRUCT, (Builder.NDARRAY, (0,), b"b" | "b"):
            return UnbuiltArray()
        case Builder.FROM_BUFFER, (Span() | bytes() as data, NumberType() as numbers, shape, order):
            return _array(shape, numbers, data, is_fortran=order == "F")
        case Builder.DTYPE, (str() as code, _, _):
            if _NUMBERS.fullmatch(code) is None:
                raise Fault(f"an array of {reprlib.repr(code)}; expected one of numbers")
            return NumberType(code)
        case Builder.SCALAR, (NumberType() as numbers, bytes() as data):
            return _scalar(numbers, data)
        case Builder.ENCODE, (str() as text, "latin1"):
            return _encoded(text)
        case Builder.ENCODE, (Span(is_text=True) as span, "latin1"):
            return span
        case Builder.BYTES, ():
            return b""
    made = what.value if isinstance(what, Builder) else reprlib.repr(what)
    raise Fault(f"a call for {made} with {reprlib.repr(arguments)}, as numpy writes none")


def build(what: object, state: object) -> None:
    """Give an array or a type of numbers the state that was written for it.

    Raises:
        Fault: it is neither, or its state is not one that numpy writes.
    """
    match what, state:
        case NumberType(), (3 | 4, "<" | ">" | "|" | "=" as order, None, None, None, *_):
            what.order = order
        case UnbuiltArray(array=None), (
            1,
            shape,
            NumberType() as numbers,
            bool() | 0 | 1 as is_fortran,
            Span() | bytes() as data,
        ):
            what.array = _array(shape, numbers, data, is_fortran=bool(is_fortran))
        case _:
            raise Fault(
                f"the state {reprlib.repr(state)} for {type(what).__name__}; expected that of an "
                "array of numbers"
            )


def _array(shape: Any, numbers: NumberType, data: Span | bytes, *, is_fortran: bool) -> ArrayPlace:
    """Raises:
    Fault: such an array has not as many bytes as are there for it.
    """
    axes_are_numbers = isinstance(shape, tuple) and all(type(axis) is int for axis in shape)
    if not axes_are_numbers or len(shape) > _MAX_AXES or min(shape, default=0) < 0:
        raise Fault(f"an array of the shape {reprlib.repr(shape)}")
    array = ArrayPlace(shape, numbers, data, is_fortran)
    is_text = isinstance(data, Span) and data.is_text
    # As UTF-8 a byte takes one or two.
    most = array.num_bytes * (2 if is_text else 1)
    if not array.num_bytes <= array.file_bytes <= most:
        raise Fault(
            f"an array of the shape {shape} of {numbers.code}, {array.num_bytes:,} bytes, and "
            f"{array.file_bytes:,} bytes of the file for it"
        )
    return array


def _scalar(numbers: NumberType, data: bytes) -> object:
    if len(data) != numbers.num_bytes:
        raise Fault(f"a number of {numbers.code} of {len(data)} bytes")
    return np.frombuffer(data, numbers.numpy())[0].item()


def _encoded(text: str) -> bytes:
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError as error:
        raise Fault(f"text for bytes with a character above 255: {error}") from error
