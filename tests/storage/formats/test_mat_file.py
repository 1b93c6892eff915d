"""MATLAB's files: arrays as scipy writes them, within a budget; whatever is wrong is named."""

from __future__ import annotations

import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.io import savemat
from scipy.sparse import csc_array

from posemill.errors import UnreadablePoses
from posemill.storage.formats.mat_file import MAX_BYTES, read_mat, read_mat_text

X = np.arange(6.0).reshape(2, 3)


def saved(packed: bool = False, **fields: Any) -> bytes:
    file = BytesIO()
    savemat(file, fields, do_compression=packed)
    return file.getvalue()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.mat"


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("dtype", ["f8", "f4", "u1", "i2", "?", "u8"])
def test_arrays_of_any_numbers(path: Path, packed: bool, dtype: str) -> None:
    """The others, of whatever kind, are not looked at."""
    others = {"s": {"a": [1, 2]}, "c": np.array([1, "b"], object), "t": "text", "z": 1j * X}
    path.write_bytes(saved(packed, **others, x=X.astype(dtype), y=X[None].repeat(4, 0)))
    found = read_mat(path, ["x", "y"])
    assert {array.dtype for array in found.values()} == {np.dtype(np.float64)}
    np.testing.assert_array_equal(found["x"], X.astype(dtype).astype(float))
    np.testing.assert_array_equal(found["y"], X[None].repeat(4, 0))


def test_big_endian(path: Path) -> None:
    """Of a machine of the other order: flags, dimensions, name and numbers, each with its tag."""
    numbers = X.T.astype(">f8").tobytes()
    parts = [
        np.array([6, 8, 6, 0, 5, 8, 2, 3, 1, 1], ">u4").tobytes() + b"x" + b"\0" * 7,
        np.array([9, len(numbers)], ">u4").tobytes() + numbers,
    ]
    body = b"".join(parts)
    tag = np.array([14, len(body)], ">u4").tobytes()
    path.write_bytes(b"MATLAB 5.0".ljust(124) + b"\x01\x00MI" + tag + body)
    np.testing.assert_array_equal(read_mat(path, ["x"])["x"], X)


def repacked(element: bytes) -> bytes:
    """A file of one compressed element."""
    packed = zlib.compress(element)
    return saved(a=X)[:128] + np.array([15, len(packed)], "<u4").tobytes() + packed


PLAIN = saved(x=X)
ELEMENT = PLAIN[128:]
SHAPE = np.array([2, 3], "<i4").tobytes()
BAD = {
    "empty": (b"", "begins with b''; expected a file of MATLAB's version 5"),
    "short": (PLAIN[:100], "expected a file of MATLAB's version 5"),
    "a picture": (b"\x89PNG" * 99, "begins with .*PNG"),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + b"\0" * 600, "MATLAB 7.3, which is HDF5; .*save it with -v7"),
    "7.3": (b"MATLAB 7.3 MAT-file".ljust(124) + b"\0\x02IM" + b"\0" * 400, "MATLAB 7.3"),
    "version 4": (np.array([0, 2, 3, 0, 2], "<u4").tobytes() + b"x\0" + X.tobytes(), "version 5"),
    "no arrays": (PLAIN[:128], "has no x; is it a file of another format"),
    "other arrays": (saved(y=X, z=X), "has no x"),
    "twice": (PLAIN + ELEMENT, "byte 232: x is there twice"),
    "cut short": (PLAIN[:-9], "byte 128: the file ends within an element of 96 bytes"),
    "a tag cut short": (PLAIN + b"\x0e\0\0", "byte 232: the file ends within"),
    "packed, cut short": (saved(True, x=X)[:-9], "byte 128: the file ends within"),
    "packed with an early end": (repacked(ELEMENT[:60]), "byte 128: the file ends within"),
    "packed with a shorter array": (
        repacked(ELEMENT[:4] + b"\x30" + ELEMENT[5:]),
        "byte 128: the file ends within",
    ),
    "a bad sum": (saved(True, x=X)[:-4] + b"abcd", "byte 128: Error -3 .*the file is damaged"),
    "packed twice": (repacked(repacked(ELEMENT)[128:]), "an element of kind 15; expected an array"),
    "an unknown element": (PLAIN[:128] + b"\x07" + PLAIN[129:], "an element of kind 7"),
    "text": (saved(x="abc"), "x is text; expected real numbers"),
    "cells": (saved(x=np.array([1, "b"], object)), "x is cells"),
    "a struct": (saved(x={"a": X}), "x is structs"),
    "sparse": (saved(x=csc_array(X)), "x is sparse"),
    "complex": (saved(x=1j * X), "x is complex; expected real numbers"),
    "a huge shape": (
        PLAIN.replace(SHAPE, np.array([2**30] * 2, "<i4").tobytes()),
        r"x is \[1073741824, 1073741824\], and has 6 numbers",
    ),
    "a negative shape": (
        PLAIN.replace(SHAPE, np.array([-2, -3], "<i4").tobytes()),
        r"x is \[-2, -3\], and has 6 numbers",
    ),
    "half a number": (PLAIN.replace(b"\x09\0\0\0\x30", b"\x09\0\0\0\x2c"), "44 bytes; expected"),
    "an unknown type": (PLAIN.replace(b"\x09\0\0\0\x30", b"\x08\0\0\0\x30"), "numbers of type 8"),
    "long": (PLAIN + b"\0" * MAX_BYTES, "has more than 16,777,216 bytes"),
    "long unpacked": (repacked(ELEMENT + b"\0" * MAX_BYTES), "more than 16,777,216 bytes unpacked"),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_bad_file_is_named(path: Path, fault: str) -> None:
    data, message = BAD[fault]
    path.write_bytes(data)
    with pytest.raises(UnreadablePoses, match=message) as caught:
        read_mat(path, ["x"])
    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize("packed", [False, True])
def test_texts(path: Path, packed: bool) -> None:
    path.write_bytes(saved(packed, x=X, t="tennis_sérve", none="", n=X))
    assert read_mat_text(path, "t") == "tennis_sérve"
    assert read_mat_text(path, "none") == ""


@pytest.mark.parametrize("order", ["<", ">"])
def test_texts_as_matlab_writes_them(path: Path, order: str) -> None:
    """As numbers of 16 bits, six of them."""
    letters = "squats".encode("utf-16-le" if order == "<" else "utf-16-be").ljust(16, b"\0")
    body = np.array([6, 8, 4, 0, 5, 8, 1, 6, 1, 1], f"{order}u4").tobytes() + b"t".ljust(8, b"\0")
    body += np.array([4, 12], f"{order}u4").tobytes() + letters
    tag = np.array([14, len(body)], f"{order}u4").tobytes()
    version = b"\x00\x01IM" if order == "<" else b"\x01\x00MI"
    path.write_bytes(b"MATLAB 5.0".ljust(124) + version + tag + body)
    assert read_mat_text(path, "t") == "squats"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (X, "t is of another class of shape .2, 3.; expected one text"),
        (np.array(["ab", "cd"]), "t is text of shape .2, 2.; expected one text"),
        (np.array([1, "b"], object), "t is cells"),
        (None, "has no t; is it a file of another format"),
    ],
)
def test_what_is_no_text_is_named(path: Path, value: Any, message: str) -> None:
    path.write_bytes(saved(x=X, **({} if value is None else {"t": value})))
    with pytest.raises(UnreadablePoses, match=message):
        read_mat_text(path, "t")


def test_many_packed_elements_have_one_budget(path: Path) -> None:
    """Each is small enough, all of them are not."""
    one, other = (repacked(saved(**{name: X})[128:] + b"\0" * (MAX_BYTES // 2)) for name in "ab")
    path.write_bytes(one + other[128:])
    with pytest.raises(UnreadablePoses, match="bytes unpacked"):
        read_mat(path, ["x"])


def test_a_file_that_is_not_there(path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_mat(path, ["x"])


@settings(max_examples=150)
@given(
    packed=st.booleans(),
    changes=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=4),
    cut=st.none() | st.integers(0, 1000),
)
def test_any_bytes_are_numbers_or_a_named_fault(
    packed: bool,
    changes: list[tuple[int, int]],
    cut: int | None,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Changes of packed files are in what is packed, behind its sum."""
    element = bytearray(ELEMENT)
    for at, value in changes:
        element[at % len(element)] = value
    data = repacked(bytes(element)) if packed else PLAIN[:128] + element
    path = tmp_path_factory.getbasetemp() / "any.mat"
    path.write_bytes(data[:cut])
    try:
        assert read_mat(path, ["x"])["x"].dtype == np.float64
    except UnreadablePoses as error:
        assert str(error).startswith(str(path))  # noqa: PT017
