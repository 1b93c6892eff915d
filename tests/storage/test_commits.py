from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posemill.errors import StoreCorrupted
from posemill.storage.commits import (
    RecordName,
    check_files,
    file_problems,
    latest_of,
    list_records,
    record_files,
    seal,
    unseal,
)
from posemill.storage.objects import Objects, open_objects

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=8,
)
bodies = st.dictionaries(st.text(), json_values, min_size=1)


@given(bodies)
def test_a_sealed_record_comes_back(body: dict[str, object]) -> None:
    assert unseal(seal(body), "x.json")[0] == body


@given(bodies, st.data())
def test_any_changed_or_missing_byte_is_noticed(
    body: dict[str, object], data: st.DataObject
) -> None:
    sealed = bytearray(seal(body))
    at = data.draw(st.integers(0, len(sealed) - 1))
    sealed[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(StoreCorrupted, match=r"x\.json"):
        unseal(bytes(sealed), "x.json")
    with pytest.raises(StoreCorrupted, match=r"x\.json"):
        unseal(seal(body)[:at], "x.json")


def test_the_seal_is_the_last_member() -> None:
    body, digest = unseal(seal({"zebra": 1}), "x.json")
    assert seal(body) == f'{{"zebra":1,"sha256":"{digest}"}}\n'.encode()


def test_the_highest_generation_counts(place: str) -> None:
    names = [RecordName(7, 0), RecordName(7, 2), RecordName(7, 1), RecordName(1234567, 0)]
    others = ("zarr.json", ".s000001.g000.json.abc", "s1.g0.json", "s000001.g000.json.tmp")
    commits = open_objects(place)
    commits.write_all(dict.fromkeys([*map(str, names), *others], b""))
    assert str(names[0]) == "s000007.g000.json"
    assert list_records(commits) == sorted(names)
    assert latest_of(names) == {7: RecordName(7, 2), 1234567: RecordName(1234567, 0)}
    commits.delete("zarr.json")
    with pytest.raises(StoreCorrupted, match="this folder of the store is not there or not whole"):
        list_records(commits)


@pytest.mark.parametrize(
    ("damage", "seen_by_size", "message"),
    [
        (lambda objects: objects.delete("a/b"), True, "is missing"),
        (lambda objects: objects.write("a/b", b"12345678"), True, "has 8 bytes, expected 9"),
        (
            lambda objects: objects.write("a/b", b"12345678X"),
            False,
            "other CRC-32C than e3069283",
        ),
    ],
)
def test_damage_is_found(
    place: str, damage: Callable[[Objects], object], seen_by_size: bool, message: str
) -> None:
    objects = open_objects(place)
    content = {"a/b": b"123456789", "c": b""}
    objects.write_all(content)
    files = record_files(content)
    # The check value of CRC-32C for these nine digits is E3069283.
    assert (files["a/b"].num_bytes, files["a/b"].crc32c) == (9, "e3069283")
    check_files(objects, files, content=True)
    damage(objects)
    with pytest.raises(StoreCorrupted, match=message):
        check_files(objects, files, content=True)
    assert list(file_problems(objects, files, content=True)) == ["a/b"]
    if seen_by_size:
        with pytest.raises(StoreCorrupted, match=message):
            check_files(objects, files, content=False)
    else:
        check_files(objects, files, content=False)
