from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from posemill.storage.identity import describe_change, file_identity, without_time

MIB = 1 << 20


@pytest.mark.parametrize("num_bytes", [0, 10, MIB, MIB + 1, 2 * MIB, 3 * MIB])
def test_is_size_time_and_hash_of_both_ends(tmp_path: Path, num_bytes: int) -> None:
    data = os.urandom(num_bytes)
    path = tmp_path / "a.mp4"
    path.write_bytes(data)
    os.utime(path, ns=(1_000, 2_000))
    ends = data if num_bytes <= 2 * MIB else data[:MIB] + data[-MIB:]
    assert file_identity(path) == f"{num_bytes}-2000-{hashlib.sha256(ends).hexdigest()}"


def test_changes_with_a_byte_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(bytes(2 * MIB + 5))
    os.utime(path, ns=(0, 0))
    before = file_identity(path)
    with path.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"x")
    os.utime(path, ns=(0, 0))
    assert file_identity(path) != before


def test_what_is_left_without_the_time_is_size_and_content(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"one")
    os.utime(path, ns=(0, 1))
    before = file_identity(path)
    os.utime(path, ns=(0, 2_000_000_000))
    now = file_identity(path)
    assert before != now
    assert without_time(before) == without_time(now) == f"3-{hashlib.sha256(b'one').hexdigest()}"
    assert without_time("etag") == "etag"
    path.write_bytes(b"two")
    assert without_time(file_identity(path)) != without_time(before)


def test_a_change_is_told_to_people(tmp_path: Path) -> None:
    one, two, other = f"3-0-{'0' * 64}", f"3-2000000000-{'0' * 64}", f"1234-0-{'1' * 64}"
    assert describe_change(one, two) == (
        "3 bytes of 1970-01-01T00:00:00, now 3 bytes of 1970-01-01T00:00:02, "
        "the same but for the time"
    )
    assert describe_change(one, other) == (
        "3 bytes of 1970-01-01T00:00:00, now 1,234 bytes of 1970-01-01T00:00:00"
    )
    assert describe_change("x", one) == f"x, now {one}"
