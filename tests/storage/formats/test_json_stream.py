"""Streams of JSON: the same values as json reads, in any pieces, and faults by their place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posemill.errors import UnreadablePoses
from posemill.storage.formats import json_stream
from posemill.storage.formats.json_stream import read_members
from posemill.storage.formats.json_text import MAX_VALUE_BYTES


def whole(path: Path) -> dict[str | None, Any]:
    found = {}
    for member in read_members(path):
        values = [value for _, value in member.values]
        found[member.key] = values if member.is_array else values[0]
    return found


def put(tmp_path: Path, data: str | bytes) -> Path:
    path = tmp_path / "x.json"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def test_members_and_their_places(tmp_path: Path) -> None:
    path = put(tmp_path, '\ufeff {"a" : [1, {"b": 2}] ,\n"c": {"d": []}, "e": "x", "f": []} ')
    found = [(m.key, m.is_array, list(m.values)) for m in read_members(path)]
    assert found == [
        ("a", True, [(f"{path}, a[0]", 1), (f"{path}, a[1]", {"b": 2})]),
        ("c", False, [(f"{path}, c", {"d": []})]),
        ("e", False, [(f"{path}, e", "x")]),
        ("f", True, []),
    ]
    path.write_text("[[], 3]")
    (member,) = ((m.key, m.is_array, list(m.values)) for m in read_members(path))
    assert member == (None, True, [(f"{path}, [0]", []), (f"{path}, [1]", 3)])


def test_what_is_not_taken_is_passed_over(tmp_path: Path) -> None:
    path = put(tmp_path, '{"a": [1, 2, 3], "b": 5}')
    assert [member.key for member in read_members(path)] == ["a", "b"]
    with pytest.raises(UnreadablePoses, match="character 11: Expecting"):
        list(read_members(put(tmp_path, '{"a": [1, nothing], "b": 5}')))


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
).filter(lambda value: "inf" not in repr(value))


@settings(max_examples=60)
@given(value=st.dictionaries(st.text(), values, max_size=5), chunk=st.integers(1, 40))
def test_what_json_reads_in_any_pieces(
    value: dict[str, Any], chunk: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("stream") / "x.json"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_stream, "_CHUNK_BYTES", chunk)
        for indent in (None, 2):
            path.write_text(json.dumps(value, indent=indent, ensure_ascii=indent is None), "utf-8")
            assert whole(path) == value
            path.write_text(json.dumps([value], indent=indent))
            assert whole(path) == {None: [value]}


BAD = {
    "nothing": ("", "character 1: expected an object or an array of JSON, got the end"),
    "a number": ("17", "character 1: expected an object or an array of JSON, got '17'"),
    "cut in an element": ('{"a": [1, {"b": ', r"character 17: Expecting value.*cut short"),
    "cut after an element": ('{"a": [1', "character 9: expected ',', got the end of the file"),
    "cut after a key": ('{"a"', "character 5: expected ':', got the end of the file"),
    "something behind": ("[1] x", "character 5: expected the end of the file, got 'x'"),
    "no comma": ('{"a": 1 "b": 2}', "character 9: expected ',', got "),
    "a comma too many": ("[1,]", "character 4: Expecting value"),
    "no key": ("{1: 2}", "character 2: expected the name of a value"),
    "a key twice": ('{"a": 1, "a": 2}', "the key 'a' is there twice"),
    "a key twice within": ('{"a": [{"b": 1, "b": 2}]}', r"a\[0\]: an object has the key 'b' twice"),
    "NaN": ('{"a": [1, NaN]}', r"a\[1\]: NaN is no number"),
    "not UTF-8": (b'["\xff"]', "can't decode byte 0xff.*expected JSON"),
    "cut within a character": ('["é'.encode()[:-1], "expected JSON"),
    "digits without end": ("[" + "1" * 5000 + "]", r"\[0\]: .*expected JSON"),
    "deep": ('{"a": [' + "[" * 200_000, r"a\[0\]: .*recursion"),
    "long": ('{"a": ["' + " " * (MAX_VALUE_BYTES + 1), r"a\[0\]: a JSON value of more than 16,777"),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_bad_place_is_named(tmp_path: Path, fault: str) -> None:
    data, message = BAD[fault]
    path = put(tmp_path, data)
    with pytest.raises(UnreadablePoses, match=message) as caught:
        whole(path)
    assert str(caught.value).startswith(str(path))
    assert len(str(caught.value)) < len(str(path)) + 300


@given(data=st.binary(max_size=30) | st.text('[]{}",: 1e.-tnN\\u', max_size=30).map(str.encode))
def test_any_bytes_are_read_or_refused(
    data: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = put(tmp_path_factory.mktemp("bytes"), data)
    try:
        whole(path)
    except UnreadablePoses as error:
        assert str(path) in str(error)  # noqa: PT017 - one of two fair ends
