"""The mutator: the same from the same numbers, and on target."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from container_chunks import chunks_of
from fuzz_video import break_one, shoot_films
from mutate_video import KINDS


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return shoot_films(tmp_path_factory.mktemp("films") / "whole")


def test_films_are_the_same_bytes_whenever_they_are_made(
    films: dict[str, bytes], tmp_path: Path
) -> None:
    assert shoot_films(tmp_path / "again") == films


def test_the_same_numbers_break_a_file_in_the_same_way(films: dict[str, bytes]) -> None:
    first = [break_one(7, number, films) for number in range(50)]
    assert first == [break_one(7, number, films) for number in range(50)]
    assert first != [break_one(8, number, films) for number in range(50)]


def test_all_films_are_broken_in_all_ways_and_nearly_always_changed(
    films: dict[str, bytes],
) -> None:
    broken = [break_one(0, number, films) for number in range(600)]
    unchanged = sum(data == films[recipe.film] for data, recipe in broken)
    assert unchanged < len(broken) / 20
    assert {recipe.kind for _, recipe in broken} == set(KINDS)
    assert {recipe.film for _, recipe in broken} == set(films)


def test_chunks_are_found_in_every_container_that_has_them(films: dict[str, bytes]) -> None:
    expected = {
        ".mp4": {"moov", "stsd", "mdat"},
        ".mov": {"moov", "stsd", "mdat"},
        ".mkv": {"1654ae6b", "86", "1f43b675", "a3"},
        ".webm": {"1654ae6b", "86", "1f43b675", "a3"},
        ".avi": {"avih", "strf", "00dc", "idx1"},
        ".ts": {"pid 0", "pid 256"},
    }
    for film, data in films.items():
        names = {chunk.name for chunk in chunks_of(data)}
        assert names >= expected.get(Path(film).suffix, set()), film


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_takes_whatever_it_is_given(kind: str, films: dict[str, bytes]) -> None:
    changed = Counter[str]()
    for name, data in [*films.items(), ("nothing", b""), ("a byte", b"\0"), ("few", b"RIFF\1")]:
        for number in range(12):
            rng = np.random.default_rng(number)
            for given in (data, data[: len(data) // 2]):
                changed[name] += KINDS[kind](given, films["avi_mjpeg.avi"], rng) != given
    assert sum(changed.values()) > 100, changed
