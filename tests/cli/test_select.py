"""`select clips`, `train` and `apply` as their users see them, from poses to videos' answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from waiting_clips import CLIP_FRAMES, WaitingFolder, make_waiting_store

from posemill.storage.catalog import read_catalog

MODEL = ("--model=jmrn", "--set=model.width=4", "--set=model.cdim=4", "--threads=1")
CANVAS = ("--recipe=jmrn", "--recipe-set=canvas_hw=16,16", "--epochs=1", "--batch-size=8")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> WaitingFolder:
    return make_waiting_store(tmp_path_factory.mktemp("waiting"), {"train": 4, "test": 3})


def test_clips_are_cut_into_a_catalog(run, made: WaitingFolder, tmp_path: Path) -> None:
    command = ("select", "clips", made.store, "-o", tmp_path / "cut", "--frames", CLIP_FRAMES)
    status, out, _ = run(*command, "--stride", 2, "--dry-run")
    # 16 frames: 12 of room in six steps
    assert (status, out) == (
        0,
        f"would write {tmp_path / 'cut'}: 49 clips of 4 frames of 7 videos\n",
    )
    assert not (tmp_path / "cut").exists()
    status, out, _ = run(*command, "--json")
    told = json.loads(out)
    assert (status, told["clips"], told["videos"], told["frames"]) == (0, 28, 7, 4)
    assert read_catalog(tmp_path / "cut") == read_catalog(made.catalog)
    assert run(*command)[0] == 0  # an equal one
    status, _, err = run(*command, "--stride", 2)
    assert (status, "differs from what would be written" in err) == (2, True)
    status, out, _ = run("select", "clips", made.store, "-o", tmp_path / "long", "--frames", 20)
    assert "7 clips of 20 frames of 7 videos; 7 videos shorter than that, kept whole" in out


def test_a_ranker_is_trained_and_applied(run, made: WaitingFolder, tmp_path: Path) -> None:
    clips = ("--catalog", made.catalog)
    jmrn, ranker, out = tmp_path / "jmrn", tmp_path / "ranker", tmp_path / "out"
    assert run("train", made.store, *MODEL, *CANVAS, *clips, "-o", jmrn)[0] == 0
    given = (jmrn, made.store, "--answers", made.answers, *clips, "--threads", 1)
    status, told, _ = run("select", "train", *given, "--keep", 1, "--epochs", 2, "-o", ranker)
    assert status == 0
    assert (
        f"{ranker}: ranker of jmrn features, trained on 4 videos of train, 1 oracle clip each; "
        in told
    )

    (tmp_path / "apply.yaml").write_text("draws: 3\nconsensus: max\n")
    more = ("--ranker", ranker, "-o", out, "--config", tmp_path / "apply.yaml")
    status, told, _ = run("select", "apply", *given, *more)
    assert status == 0
    head, *lines, last = told.splitlines()
    assert head.split() == ["method", "clips", "accuracy"]
    rows = {line.split()[0]: line for line in lines}
    assert list(rows) == ["dense", "random", "uniform", "empirical", "saliency", "oracle"]
    # The greatest probability is that of the clip in which something happens.
    assert rows["dense"].split() == ["dense", "4.0", "100.0%"]
    assert rows["random"].endswith("over 3 draws")
    assert rows["oracle"].split("  ")[-1] == "(knows the labels: a bound)"
    assert last == f"{out}: answers by saliency, up to 1 clip of each of 3 videos of test"

    status, told, _ = run("select", "apply", *given, *more, "--keep", 5, "--json")
    figures = json.loads(told)
    assert (figures["keep"], figures["videos"], figures["videos_kept_whole"]) == (5, 3, 3)
    assert figures["methods"]["saliency"] == figures["methods"]["dense"]
    assert json.loads((out / "evaluation-test.json").read_text())["clips"] == 3
    status, _, err = run("fuse", out, made.answers, "-o", tmp_path / "both")
    assert (status, "lacks 3 of the 3 clips" in err) == (2, True)


def test_what_cannot_be_is_told(run, made: WaitingFolder, tmp_path: Path) -> None:
    given = (tmp_path / "run", made.store, "--answers", made.answers, "-o", tmp_path / "out")
    for arguments, message in (
        (("train", *given, "--keep", 1, "--batch-size", 5), "a batch of an even number"),
        (("train", *given, "--keep", 1, "--loss", "x"), "logistic or margin, got 'x'"),
        (("train", *given, "--keep", 1), "holds no run"),
        (("apply", *given, "--ranker", tmp_path), "posemill select train"),
        (("apply", *given, "--ranker", tmp_path, "--method", "oracle"), "knows the labels"),
        (("clips", tmp_path / "none", "-o", tmp_path / "c"), "it does not exist"),
    ):
        status, _, err = run("select", *arguments)
        assert (status, message in err) == (2, True), err
    assert not (tmp_path / "out").exists()
