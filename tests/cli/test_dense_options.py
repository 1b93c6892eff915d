"""`extract --keep` and `--scales`, as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from posemill.cli.dense import dense_kinds, input_scales
from posemill.errors import InputError

Run = Callable[..., tuple[int, str, str]]


def test_kinds_and_scales_are_read_from_text() -> None:
    assert dense_kinds("") == frozenset()
    assert dense_kinds(" joints, features") == {"joints", "features"}
    assert input_scales("1", frozenset()) == (1.0,)
    assert input_scales("0.5,1,1.5,2", frozenset({"parts"})) == (0.5, 1.0, 1.5, 2.0)


@pytest.mark.parametrize("text", ["", "a", "0.5,2", "0,1", "-1,1", "nan,1", "inf,1", "1,,2"])
def test_scales_that_cannot_be_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="numbers above 0 with 1 among them"):
        input_scales(text, frozenset({"parts"}))


def test_scales_need_maps_and_come_once() -> None:
    with pytest.raises(InputError, match="with --keep, or leave out --scales"):
        input_scales("1,2", frozenset())
    with pytest.raises(InputError, match="expected each once"):
        input_scales("1,2,2", frozenset({"parts"}))


def test_a_dry_run_tells_the_maps_size(run: Run, catalog: Path, tmp_path: Path) -> None:
    command = ("extract", catalog, "-o", tmp_path / "p", "--estimator", "figure", "--dry-run")
    status, out, _ = run(*command, "--keep", "joints,features")
    assert status == 0
    # Of 256 x 144 px: 17 maps of 64 x 36 cells and 64 of 16 x 9, two bytes each: 96,768.
    assert "96.8 kB each before compression, of assumed frames of 1280 x 720 px" in out
    assert "features 64 x 9 x 16, joints 17 x 36 x 64" in out
    told = json.loads(run(*command, "--keep", "joints,features", "--json")[1])["dense_maps"]
    assert told["bytes_per_frame"] == 96_768
    assert json.loads(run(*command, "--json")[1])["dense_maps"] is None


def test_an_unknown_kind_is_an_input_error(run: Run, catalog: Path, tmp_path: Path) -> None:
    status, _, err = run("extract", catalog, "-o", tmp_path / "p", "--keep", "joint")
    assert status == 2
    assert "no dense maps 'joint'; expected any of joints,parts,features" in err
    assert not (tmp_path / "p").exists()
