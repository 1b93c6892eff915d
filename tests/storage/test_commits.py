from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posemill.errors import InputError, StoreCorrupted
from posemill.storage import commits
from posemill.storage.commits import (
    RecordName,
    check_files,
    create_if_absent,
    list_latest,
    record_tree,
    require_create_if_absent,
    seal,
    unseal,
)

RACER = """
import sys, time
from pathlib import Path
from posemill.storage.commits import create_if_absent
folder, me = Path(sys.argv[1]), sys.argv[2]
(folder / f"ready-{me}").touch()
while not (folder / "go").exists():
    time.sleep(0.001)
print(sum(create_if_absent(folder / f"key{i}", f"{me} {i}".encode()) for i in range(100)))
"""


def test_only_the_first_creates(tmp_path: Path) -> None:
    path = tmp_path / "key"
    assert create_if_absent(path, b"first")
    assert not create_if_absent(path, b"second")
    assert path.read_bytes() == b"first"
    assert [entry.name for entry in tmp_path.iterdir()] == ["key"]


def test_racing_processes_have_one_winner_per_key(tmp_path: Path) -> None:
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, str(tmp_path), name], stdout=subprocess.PIPE, text=True
        )
        for name in ("a", "b", "c")
    ]
    while len(list(tmp_path.glob("ready-*"))) < len(racers):
        assert all(racer.poll() is None for racer in racers)
    (tmp_path / "go").touch()
    wins = [int(racer.communicate(timeout=60)[0]) for racer in racers]
    assert sum(wins) == 100
    contents = [(tmp_path / f"key{i}").read_text().split() for i in range(100)]
    assert [int(number) for _, number in contents] == list(range(100))


def test_a_lost_reply_is_no_lost_race(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.link

    def link_then_retry(source: Path, target: Path) -> None:
        real(source, target)
        real(source, target)  # what a network file system does after a lost reply

    monkeypatch.setattr(os, "link", link_then_retry)
    assert create_if_absent(tmp_path / "key", b"mine")


def test_a_file_system_without_links_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    require_create_if_absent(tmp_path)
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(os, "link", refuse)
    with pytest.raises(InputError, match=r"refuses to link a file \(Operation not permitted\)"):
        require_create_if_absent(tmp_path)


def test_a_file_system_that_overwrites_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overwrite(path: Path, data: bytes) -> bool:
        path.write_bytes(data)
        return True

    monkeypatch.setattr(commits, "create_if_absent", overwrite)
    with pytest.raises(InputError, match="lets two writers create the same file"):
        require_create_if_absent(tmp_path)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=8,
)
bodies = st.dictionaries(st.text(), json_values, min_size=1)


@given(bodies)
def test_a_sealed_record_comes_back(body: dict[str, object]) -> None:
    assert unseal(seal(body), Path("x.json"))[0] == body


@given(bodies, st.data())
def test_any_changed_or_missing_byte_is_noticed(
    body: dict[str, object], data: st.DataObject
) -> None:
    sealed = bytearray(seal(body))
    at = data.draw(st.integers(0, len(sealed) - 1))
    sealed[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(StoreCorrupted, match=r"x\.json"):
        unseal(bytes(sealed), Path("x.json"))
    with pytest.raises(StoreCorrupted, match=r"x\.json"):
        unseal(seal(body)[:at], Path("x.json"))


def test_the_seal_is_the_last_member() -> None:
    body, digest = unseal(seal({"zebra": 1}), Path("x.json"))
    assert seal(body) == f'{{"zebra":1,"sha256":"{digest}"}}\n'.encode()


def test_the_highest_generation_counts(tmp_path: Path) -> None:
    names = [RecordName(7, 0), RecordName(7, 2), RecordName(7, 1), RecordName(1234567, 0)]
    for name in names:
        (tmp_path / str(name)).touch()
    for other in ("zarr.json", ".s000001.g000.json.abc", "s1.g0.json", "s000001.g000.json.tmp"):
        (tmp_path / other).touch()
    assert str(names[0]) == "s000007.g000.json"
    assert list_latest(tmp_path) == {7: RecordName(7, 2), 1234567: RecordName(1234567, 0)}


@pytest.mark.parametrize(
    ("damage", "seen_by_size", "message"),
    [
        (lambda path: path.unlink(), True, "is missing"),
        (lambda path: path.write_bytes(b"12345678"), True, "has 8 bytes, expected 9"),
        (lambda path: path.write_bytes(b"12345678X"), False, "another CRC-32C than e3069283"),
    ],
)
def test_damage_is_found(
    tmp_path: Path, damage: Callable[[Path], object], seen_by_size: bool, message: str
) -> None:
    path = tmp_path / "a" / "b"
    path.parent.mkdir()
    path.write_bytes(b"123456789")
    files = record_tree(tmp_path)
    # The check value of CRC-32C for these nine digits is E3069283.
    assert {name: (f.num_bytes, f.crc32c) for name, f in files.items()} == {"a/b": (9, "e3069283")}
    check_files(tmp_path, files, content=True)
    damage(path)
    with pytest.raises(StoreCorrupted, match=message):
        check_files(tmp_path, files, content=True)
    if seen_by_size:
        with pytest.raises(StoreCorrupted, match=message):
            check_files(tmp_path, files, content=False)
    else:
        check_files(tmp_path, files, content=False)
