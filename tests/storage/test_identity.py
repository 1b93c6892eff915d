from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from posemill.storage.identity import file_identity

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
