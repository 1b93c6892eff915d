"""Walks through pickles: what is found, what is refused, and that nothing is ever run."""

from __future__ import annotations

import contextlib
import os
import pickle
import tracemalloc
from collections import OrderedDict
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pickle_fuzz import mutated
from pyskl_files import annotation, write

from posemill.errors import UnreadablePoses
from posemill.storage.pickles.array_reading import read_arrays
from posemill.storage.pickles.machine import MAX_STACK, Item
from posemill.storage.pickles.values import ArrayPlace
from posemill.storage.pickles.walk import walk

PROTOCOLS = (2, 3, 4, 5)
ARRAYS = {
    "half": np.arange(600, dtype=np.float16).reshape(2, 3, 100),
    "fortran": np.asfortranarray(np.arange(600.0).reshape(3, 200)),
    "big-endian": np.arange(200, dtype=">i4"),
    "short": np.arange(3, dtype=np.int16),
    "empty": np.zeros((0, 4, 17, 2), np.float16),
    "bytes of all values": np.arange(1024).astype(np.uint8),
    "booleans": np.array([True, False]),
    "one number": np.array(3.5),
}


def arrays_of(path: Path) -> dict[str, Any]:
    return {
        str(item.key): read_arrays(path, item.value)[0]
        for item in walk(path)
        if isinstance(item.value, ArrayPlace)
    }


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_arrays_are_what_was_written(tmp_path: Path, protocol: int) -> None:
    found = arrays_of(write(tmp_path / "p", ARRAYS, protocol))
    assert list(found) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_arrays_of_an_older_numpy_are_read(tmp_path: Path, protocol: int) -> None:
    path = write(tmp_path / "p", {"a": ARRAYS["half"]}, protocol)
    data = path.read_bytes()
    for module in (b"multiarray", b"numeric"):
        ours, theirs = b"numpy._core." + module, b"numpy.core." + module
        data = data.replace(bytes([len(ours)]) + ours, bytes([len(theirs)]) + theirs)
        data = data.replace(ours, theirs)
    assert b"numpy.core" in data
    path.write_bytes(data)
    np.testing.assert_array_equal(arrays_of(path)["a"], ARRAYS["half"])


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_items_come_in_order_and_lists_of_annotations_one_by_one(
    tmp_path: Path, protocol: int
) -> None:
    notes = [annotation(f"clip {number}") for number in range(2_500)]
    content = {"split": {"train": ["clip 0"], "val": []}, "annotations": notes, "more": (1, None)}
    found = list(walk(write(tmp_path / "p", content, protocol)))
    in_list = [item for item in found if item.in_list]
    assert {item.key for item in in_list} == {"annotations"}
    assert [item.value["frame_dir"] for item in in_list] == [each["frame_dir"] for each in notes]
    assert [item for item in found if not item.in_list] == [
        Item("split", content["split"], in_list=False),
        Item("annotations", [], in_list=False),
        Item("more", (1, None), in_list=False),
    ]
    (alone,) = walk(write(tmp_path / "q", [{"a": 1.5}], protocol))
    assert alone == Item(None, {"a": 1.5}, in_list=True)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_values_are_what_was_written(tmp_path: Path, protocol: int) -> None:
    values = [
        *(0, 1, 255, 256, 65_535, 65_536, -1, 2**31 - 1, -(2**31), 2**40, -(2**70)),
        *(0.5, -1e300, True, False, None, "", "é漢", (), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)),
        *([], [[1]], {}, {"a": {"b": [1, 2]}}, {0.5: 1}, b"", b"\xff\x00"),
    ]
    assert [item.value for item in walk(write(tmp_path / "p", values, protocol))] == values
    numbers = [np.int64(-3), np.float32(0.5), np.bool_(True), np.uint8(200)]
    assert [item.value for item in walk(write(tmp_path / "p", numbers, protocol))] == [
        *(-3, 0.5, True, 200)
    ]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_annotations_share_is_found(tmp_path: Path, protocol: int) -> None:
    name, shape, array = "a name", (240, 320), np.arange(300.0)
    notes = [{"frame_dir": name, "img_shape": shape, "keypoint": array} for _ in range(2_100)]
    found = list(walk(write(tmp_path / "p", notes, protocol)))
    assert {item.value["frame_dir"] for item in found} == {name}
    assert {item.value["img_shape"] for item in found} == {shape}
    assert len({id(item.value["keypoint"]) for item in found}) == 1
    twice = [{"a": 1}] * 1_500
    with pytest.raises(UnreadablePoses, match="annotations that share arrays"):
        list(walk(write(tmp_path / "p", twice, protocol)))


class Runs:
    """Writes a file when it is unpickled."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self._made = (function, arguments)

    def __reduce__(self) -> Any:
        return self._made


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "function",
    [os.system, eval, exec, getattr, open, __import__, np.load, np.memmap, np.fromfile, print],
)
def test_what_would_run_code_is_refused_by_name_and_place(
    tmp_path: Path, protocol: int, function: Any
) -> None:
    proof = tmp_path / "proof"
    wanted = Runs(function, f"touch {proof}")
    content = {"split": {}, "annotations": [annotation("a", label=wanted)]}
    path = write(tmp_path / "p", content, protocol)
    with pytest.raises(UnreadablePoses, match=r"p, byte [\d,]+: names the global .*\.\w+, which"):
        list(walk(path))
    assert not proof.exists()


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (b"\x80\x02cnumpy.core.multiarray\nscalar2\n.", "byte 2: names the global numpy.core"),
        (b"\x80\x02cnumpy\nload\n.", "byte 2: names the global numpy.load"),
        (b"\x80\x02c_codecs\ndecode\n.", "_codecs.decode"),
        (b"\x80\x02c__builtin__\neval\n.", "__builtin__.eval"),
        (b"\x80\x04\x8c\x05numpy\x8c\x09core.load\x93.", "numpy.core.load"),
        (b"\x80\x02c_codecs\nencode\nX\x01\x00\x00\x00aX\x03\x00\x00\x00rot\x86R.", "rot"),
        (
            b"\x80\x02c_codecs\nencode\nX\x03\x00\x00\x00\xe6\xbc\xa2X\x06\x00\x00\x00latin1\x86R.",
            "255",
        ),
        (b"\x80\x02(ios\nsystem\n.", "opcode INST"),
        (b"\x80\x02(cnumpy\ndtype\no.", "opcode OBJ"),
        (b"\x80\x02cnumpy\ndtype\n)\x81.", "opcode NEWOBJ"),
        (b"\x80\x02X\x01\x00\x00\x00aQ.", "opcode BINPERSID"),
        (b"\x80\x02Pa\n.", "opcode PERSID"),
        (b"\x80\x02\x82\x01.", "opcode EXT1"),
        (b"\x80\x05\x97.", "opcode NEXT_BUFFER"),
        (b"\x80\x02\xff.", r"opcode b'\\xff'"),
        (b"(lp0\n.", "expected a pickle of protocol 2 to 5"),
        (b"\x80\x06].", "expected a pickle of protocol 2 to 5"),
        (b"", r"byte 0: the file is empty \(0 bytes\)"),
        (b"\x80\x02]", "byte 3: 1 bytes are announced"),
        (b"\x80\x02X\xff\xff\xff\xffabc", "4,294,967,295 bytes are announced and 3 are left"),
        (b"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\xffabc", "bytes are announced and 3"),
        (b"\x80\x02X\x02\x00\x00\x00\xff\xff.", "not UTF-8"),
        (b"\x80\x02c" + b"a" * 300 + b"\n.", "a line of more than 256 bytes"),
        (b"\x80\x02a.", "values that are not there"),
        (b"\x80\x02(e.", "values that are not there"),
        (b"\x80\x02e.", "values that are not there"),
        (b"\x80\x02}N(NNNs.", "cannot|keys|midst"),
        (b"\x80\x02}(NNNu.", "3 keys and values"),
        (b"\x80\x02}]Ns.", r"the key \[\]"),
        (b"\x80\x02}()Ns.", r"the key \(\)"),
        (b"\x80\x02NNa.", "an item for None"),
        (b"\x80\x02h\x07.", "refers to value 7, which is not there"),
        (b"\x80\x02]]].", "ends in the midst"),
        (b"\x80\x02\x8a\xff" + b"\x01" * 255 + b".", "a whole number of 255 bytes"),
        (b"\x80\x02NNb.", "the state None for NoneType"),
        (b"\x80\x02NNR.", "a call for None with None"),
    ],
)
def test_what_cannot_be_followed_is_told(tmp_path: Path, code: bytes, message: str) -> None:
    path = tmp_path / "p"
    path.write_bytes(code)
    with pytest.raises(UnreadablePoses, match=message):
        list(walk(path))


ONE = np.arange(400, dtype=np.int16)


def _patched(old: bytes, new: bytes) -> bytes:
    data = pickle.dumps({"a": ONE}, protocol=3)
    assert data.count(old) == 1
    return data.replace(old, new)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (_patched(b"M\x90\x01\x85", b"J\xff\xff\xff\x7f\x85"), "2147483647.* and 800 bytes of"),
        (_patched(b"M\x90\x01\x85", b"M\x8f\x01\x85"), "798 bytes, and 800 bytes"),
        (_patched(b"M\x90\x01\x85", b"J\xff\xff\xff\xff\x85"), r"shape \(-1,\)"),
        (_patched(b"X\x02\x00\x00\x00i2", b"X\x02\x00\x00\x00O8"), "an array of 'O8'"),
        (_patched(b"X\x02\x00\x00\x00i2", b"X\x02\x00\x00\x00V2"), "an array of 'V2'"),
        (_patched(b"X\x01\x00\x00\x00<", b"X\x01\x00\x00\x00!"), "the state"),
    ],
)
def test_an_array_has_the_bytes_that_are_there_for_it(
    tmp_path: Path, code: bytes, message: str
) -> None:
    path = tmp_path / "p"
    path.write_bytes(code)
    with pytest.raises(UnreadablePoses, match=message):
        list(walk(path))


def test_objects_are_no_arrays(tmp_path: Path) -> None:
    for content in (np.array([{}, None], object), np.array(["a"]), np.zeros(2, [("x", "f4")])):
        with pytest.raises(UnreadablePoses, match=r"expected one of numbers|names the global"):
            list(walk(write(tmp_path / "p", {"a": content})))
    with pytest.raises(UnreadablePoses, match=r"global collections\.OrderedDict"):
        list(walk(write(tmp_path / "p", OrderedDict(a=1))))


def _traced(path: Path) -> int:
    tracemalloc.start()
    with pytest.raises(UnreadablePoses):
        list(walk(path))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def test_what_would_fill_the_memory_is_refused_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("posemill.storage.pickles.machine.MAX_STACK", 10_000)
    monkeypatch.setattr("posemill.storage.pickles.machine.MAX_OPCODES", 50_000)
    path = tmp_path / "p"
    for bomb in (
        b"]" * 1_000_000,
        b")" + b"\x85" * 1_000_000,
        b"](" + b"(" * 1_000_000,
        b"}(X\x01\x00\x00\x00a]" + b"]a" * 500_000,
        b"](" + b"}q\x01" * 300_000,
        b"]" + b"X\x00\x00\x00\x00" * 200_000,
        b"](" + b"X\x00\x00\x00\x00r\x01\x02\x03\x04" * 100_000,
    ):
        path.write_bytes(b"\x80\x02" + bomb + b".")
        assert _traced(path) < 20e6
    assert MAX_STACK == 1_000_000


def test_large_arrays_are_passed_over(tmp_path: Path) -> None:
    """30 MB of arrays leave names and places."""
    content = {f"clip {number}": np.zeros(500_000, np.int8) for number in range(60)}
    for protocol in (2, 4):
        path = write(tmp_path / "p", content, protocol)
        tracemalloc.start()
        assert len(list(walk(path))) == 60
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 500_000


def test_an_array_that_is_cut_off_later_is_told(tmp_path: Path) -> None:
    for protocol in (2, 4):
        path = write(tmp_path / "p", {"a": np.arange(4000.0)}, protocol)
        (item,) = walk(path)
        path.write_bytes(path.read_bytes()[:3000])
        with pytest.raises(UnreadablePoses, match="bytes for an array of the shape"):
            read_arrays(path, item.value)
        with pytest.raises(UnreadablePoses, match="the file is cut short"):
            list(walk(path))


SEEDS = [
    pickle.dumps({"split": {"t": ["a"]}, "annotations": [annotation("a"), annotation("b")]}, p)
    for p in PROTOCOLS
]


@hypothesis.settings(max_examples=150, deadline=None)
@given(data=st.builds(mutated, st.sampled_from(SEEDS), st.integers(0, 2**32)) | st.binary())
def test_changed_bytes_are_read_or_refused(
    data: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "p"
    path.write_bytes(data)
    with contextlib.suppress(UnreadablePoses):
        for item in walk(path):
            values = item.value.values() if isinstance(item.value, dict) else [item.value]
            places = [each for each in values if isinstance(each, ArrayPlace)]
            assert all(each.num_bytes <= len(data) for each in places)
            read_arrays(path, *places)
