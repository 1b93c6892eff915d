"""`fuse` and `average` as their users see them, on small files of answers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from made_predictions import answers, predictions

from posemill.pipelines.evaluations import figures_path, read_answers, write_evaluation
from posemill.pipelines.metrics import Evaluation


def write(folder: Path, made, subset: str = "test") -> Path:
    write_evaluation(folder, Evaluation(made))
    assert figures_path(folder, subset).exists()
    return folder


@pytest.fixture
def runs(tmp_path: Path) -> tuple[Path, Path]:
    """Two runs: one that knows the class of most clips, one that guesses."""
    rng = np.random.default_rng(2)
    for subset in ("train", "test"):
        labels = rng.integers(0, 3, 60)
        known = np.eye(3)[labels] * 3 + rng.normal(size=(60, 3))
        write(tmp_path / "jmrn", predictions(known, labels.tolist(), subset=subset), subset)
        guessed = predictions(rng.normal(size=(60, 3)), labels.tolist(), subset=subset)
        write(tmp_path / "noise", guessed, subset)
    return tmp_path / "jmrn", tmp_path / "noise"


def test_scores_are_fused_by_given_weights(run, runs: tuple[Path, Path], tmp_path: Path) -> None:
    status, out, _ = run("fuse", *runs, "-o", tmp_path / "both", "--weights", "1,0", "--json")
    told = json.loads(out)
    assert status == 0
    assert told["weights"] == {str(runs[0]): 1.0, str(runs[1]): 0.0}
    assert told["accuracy"] == told["single"][str(runs[0])]["accuracy"]
    fused, alone = read_answers(tmp_path / "both", "test"), read_answers(runs[0], "test")
    assert np.array_equal(fused.probabilities, alone.probabilities)
    status, out, _ = run("fuse", *runs, "-o", tmp_path / "both", "--of", "logits")
    assert status == 0
    assert f"{runs[1]}: weight 1: accuracy" in out
    assert f"{tmp_path / 'both'}: accuracy" in out
    assert json.loads((tmp_path / "both" / "fusion.json").read_text())["of"] == "logits"


def test_a_fusion_tells_how_each_answer_was_made(run, tmp_path: Path) -> None:
    ways = {"a": {"weights": "best", "flip": "true"}, "b": {}}
    for name, made_with in ways.items():
        write(tmp_path / name, answers([0, 1], [0, 1], 2, made_with=made_with))
    status, _, _ = run("fuse", tmp_path / "a", tmp_path / "b", "-o", tmp_path / "both")
    assert status == 0
    record = json.loads((tmp_path / "both" / "fusion.json").read_text())
    assert record["made_with"] == {str(tmp_path / name): way for name, way in ways.items()}
    assert read_answers(tmp_path / "both", "test").made_with == {}


def test_weights_are_learnt_on_the_train_subset(
    run, runs: tuple[Path, Path], tmp_path: Path
) -> None:
    learn = ("--learn", "--learning-rate", 0.05, "--epochs", 40)
    status, out, _ = run("fuse", *runs, "-o", tmp_path / "both", *learn, "--json")
    told = json.loads(out)
    assert status == 0
    known, guessed = told["weights"].values()
    assert known > 5 * abs(guessed)
    record = json.loads((tmp_path / "both" / "fusion.json").read_text())
    assert record["learn"]["learning_rate"] == 0.05
    status, out, _ = run("fuse", *runs, "-o", tmp_path / "c", *learn, "--per-class")
    assert status == 0
    assert "over 3 classes)" in out


def test_what_cannot_be_fused_is_refused(run, runs: tuple[Path, Path], tmp_path: Path) -> None:
    out = ("-o", tmp_path / "out")
    for arguments, message in (
        ((runs[0], *out), "fusion needs two runs or more, each once"),
        ((runs[0], runs[0], *out), "fusion needs two runs or more, each once"),
        ((*runs, *out, "--weights", "1"), "a weight of 0 or more for each of 2 runs"),
        ((*runs, *out, "--weights", "1,x"), "expected numbers with commas"),
        ((*runs, *out, "--of", "answers"), "expected probabilities or logits"),
        ((*runs, *out, "--weights", "1,1", "--learn"), "given or learnt"),
        ((*runs, *out, "--unit-norm", "--epochs", 3), "--unit-norm, --epochs: of use with --learn"),
        ((*runs, *out, "--subset", "val"), "no answers for the subset 'val'"),
        ((*runs, *out, "--learn", "--learn-on", "val"), "no answers for the subset 'val'"),
    ):
        status, _, err = run("fuse", *arguments)
        assert (status, message in err) == (2, True), err
    assert not (tmp_path / "out").exists()
    (tmp_path / "a-run").mkdir()
    (tmp_path / "a-run" / "config.json").write_text("{}")
    status, _, err = run("fuse", *runs, "-o", tmp_path / "a-run")
    assert (status, "holds a run, whose answers it would replace" in err) == (2, True)


def test_clips_that_some_lack_are_left_out_on_request(
    run, runs: tuple[Path, Path], tmp_path: Path
) -> None:
    write(runs[1], read_answers(runs[1], "test").pick(range(50)))
    status, _, err = run("fuse", *runs, "-o", tmp_path / "both")
    assert (status, "lacks 10 of the 60 clips" in err) == (2, True)
    status, out, _ = run("fuse", *runs, "-o", tmp_path / "both", "--only-common", "--json")
    assert (status, json.loads(out)["clips"]) == (0, 50)
    assert json.loads(out)["clips_without_features"] == 10


def test_damaged_answers_are_told(run, runs: tuple[Path, Path], tmp_path: Path) -> None:
    path = runs[1] / "predictions-test.parquet"
    path.write_bytes(path.read_bytes()[:-40])
    status, _, err = run("fuse", *runs, "-o", tmp_path / "both")
    assert (status, "predictions-test.parquet is damaged" in err) == (3, True)


def test_splits_are_averaged(run, tmp_path: Path) -> None:
    labels = [0, 0, 1, 1]
    for number, chosen in enumerate(([0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 1, 1]), start=1):
        write(tmp_path / f"s{number}", answers(chosen, labels, 2, split=f"split{number}"))
    splits = [tmp_path / f"s{number}" for number in (1, 2, 3)]
    status, out, _ = run("average", *splits)
    assert status == 0
    head, accuracy, *_ = out.splitlines()
    assert head.split() == [*map(str, splits), "mean"]
    # 1/4, 3/4 and 1: mean 2/3, deviation sqrt((.4167^2 + .0833^2 + .3333^2) / 2) = .3819
    assert accuracy.split() == ["accuracy", "25.0%", "75.0%", "100.0%", "66.7%", "±", "38.2"]
    status, out, _ = run("average", *splits, "--json")
    told = json.loads(out)["figures"]["accuracy"]
    assert told["values"] == [0.25, 0.75, 1.0]
    assert told["spread"] == pytest.approx(0.3819, abs=1e-4)
    write(tmp_path / "s3", answers([0], [0], 3))
    status, _, err = run("average", *splits)
    assert (status, "cannot be averaged: one has the classes a, b" in err) == (2, True)
