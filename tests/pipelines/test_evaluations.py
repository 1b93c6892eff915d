"""Answers in folders: averaged over several, each of which counts once."""

from pathlib import Path

import pytest
from made_predictions import answers

from posemill.errors import InputError
from posemill.pipelines.evaluations import average_runs, write_evaluation
from posemill.pipelines.metrics import Evaluation


def test_a_folder_counts_once(tmp_path: Path) -> None:
    for name, chosen in (("a", [0, 1]), ("b", [0, 0])):
        write_evaluation(tmp_path / name, Evaluation(answers(chosen, [0, 1], 2)))
    accuracy, *_ = average_runs([tmp_path / "a", tmp_path / "b"], "test")
    assert accuracy.values == (1.0, 0.5)
    for again in (tmp_path / "a", tmp_path / "b" / ".." / "a"):
        with pytest.raises(InputError, match="needs each run once, got"):
            average_runs([tmp_path / "a", again], "test")
