"""TensorBoard's events, as its own reader finds them."""

import importlib.util
from pathlib import Path

import pytest
from run_events import run_events

from posemill.pipelines.training import logs
from posemill.pipelines.training.logs import EventLog


def test_scalars_can_be_read_and_none_is_left_out(tmp_path: Path) -> None:
    with EventLog(tmp_path, 1) as log:
        log.add({"loss/train": 0.5, "score/held_out": None}, 3)
        # Whoever is killed now has lost nothing.
        assert run_events(tmp_path) == {"loss/train": [(3, 0.5)]}
        log.add({"loss/train": 0.25, "score/held_out": 0.75}, 6)
    assert run_events(tmp_path) == {
        "loss/train": [(3, 0.5), (6, 0.25)],
        "score/held_out": [(6, 0.75)],
    }


def test_what_was_done_stays_and_what_is_done_again_is_hidden(tmp_path: Path) -> None:
    with EventLog(tmp_path, 1) as log:
        for epoch in (1, 2, 3):  # of 3 steps each; the third one's checkpoint was not written
            log.add({"loss/train": float(epoch)}, 3 * epoch)
    with EventLog(tmp_path, 2 * 3 + 1) as log:
        log.add({"loss/train": 30.0}, 9)
    assert run_events(tmp_path) == {"loss/train": [(3, 1.0), (6, 2.0), (9, 30.0)]}


def test_files_of_one_second_would_be_read_in_another_order(tmp_path: Path) -> None:
    """TensorBoard sorts names: after the second and the process comes a number, 10 before 9."""
    for call in range(3):
        with EventLog(tmp_path, 1) as log:
            log.add({"loss/train": float(call)}, 1)
    seconds = [path.name.split(".")[3] for path in sorted(tmp_path.glob("tensorboard/*"))]
    assert len(set(seconds)) == 3
    assert run_events(tmp_path) == {"loss/train": [(1, 2.0)]}


def test_nothing_is_written_where_there_is_nothing_to_tell(tmp_path: Path) -> None:
    with EventLog(tmp_path, 1):
        pass
    with EventLog(tmp_path, 1, enabled=False) as log:
        log.add({"loss/train": 0.5}, 1)
    assert list(tmp_path.iterdir()) == []


def test_without_the_package_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        logs, "find_spec", lambda name: None if name == "tensorboard" else found(name)
    )
    with EventLog(tmp_path, 1) as log:
        log.add({"loss/train": 0.5}, 1)
    assert list(tmp_path.iterdir()) == []
