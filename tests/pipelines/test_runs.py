"""A run's folder: one identity, one process that trains into it, nothing of others touched."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from posemill.errors import ConfigurationMismatch, InputError, StoreCorrupted
from posemill.pipelines.runs import CONFIG, LAST, LOCK, METRICS, RunFolder, held_run, open_run
from posemill.storage.durable import draft_name, drafted_name

EPOCHS = [{"epoch": epoch, "loss": 1.0 / epoch, "accuracy": 0.5} for epoch in (1, 2, 3)]
HOLDS = """
import sys, time
from pathlib import Path
from posemill.pipelines.runs import held_run
with held_run(Path(sys.argv[1]), {"seed": 1}, {}):
    child = __import__("os").fork()  # as a loader's process, which outlives a kill for a while
    if child:
        print(child, flush=True)
    time.sleep(60)
"""


def test_a_run_is_made_once_and_found_again(tmp_path: Path) -> None:
    root = tmp_path / "runs" / "x"
    with held_run(root, {"seed": 1}, {"where": "here"}) as run:
        assert run.identity == {"seed": 1}
    with held_run(root, {"seed": 1}, {"where": "there"}) as run:
        assert run.config["where"] == "here"  # a record, as it was made
    assert open_run(root).config == json.loads((root / CONFIG).read_text())
    with (
        pytest.raises(ConfigurationMismatch, match="seed: asked for 2"),
        held_run(root, {"seed": 2}, {}),
    ):
        pass


def test_a_folder_of_another_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="exists and is not a run"), held_run(tmp_path, {}, {}):
        pass
    with (
        pytest.raises(InputError, match="exists and is not a run"),
        held_run(tmp_path / "notes.txt", {}, {}),
    ):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    with (
        pytest.raises(InputError, match="cannot be written: Not a directory"),
        held_run(tmp_path / "notes.txt" / "run", {}, {}),
    ):
        pass


def test_what_a_killed_call_made_of_a_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / LOCK).touch()  # and no configuration
    (tmp_path / "run" / draft_name(CONFIG)).touch()
    with held_run(tmp_path / "run", {"seed": 1}, {}) as run:
        assert run.identity == {"seed": 1}
        (run.root / draft_name(LAST)).touch()
        (run.root / draft_name("notes.txt")).touch()  # not ours
    with held_run(tmp_path / "run", {"seed": 1}, {}) as run:
        found = {path.name for path in run.root.iterdir() if drafted_name(path.name) != "notes.txt"}
        assert found == {LOCK, CONFIG}
        assert len(list(run.root.iterdir())) == 3


def test_metrics_are_read_up_to_an_epoch(tmp_path: Path) -> None:
    run = RunFolder(tmp_path, {})
    assert (run.last_metrics(), run.read_metrics(0)) == ({}, [])
    run.write_metrics(EPOCHS)
    assert run.last_metrics() == EPOCHS[-1]
    assert run.read_metrics(3) == EPOCHS
    assert run.read_metrics(2) == EPOCHS[:2]  # killed before the checkpoint of the third


def test_a_checkpoint_that_is_missing_or_older_is_told(tmp_path: Path) -> None:
    run = RunFolder(tmp_path, {})
    run.write_metrics(EPOCHS)
    with pytest.raises(StoreCorrupted, match=r"last\.pt is missing, and .* of 3 epochs; put the"):
        run.read_metrics(0)
    with pytest.raises(StoreCorrupted, match=r"last\.pt is of epoch 1, and .* of 3 epochs"):
        run.read_metrics(1)
    run.write_metrics(EPOCHS[:1])
    assert run.read_metrics(0) == []  # killed before the first checkpoint


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'{"epoch": 1, "loss": 0.5, "accur', r"line 1: expected the metrics .* got '\{\"epoch"),
        (b"null\n", r"line 1: expected the metrics of an epoch, with epoch, loss, .* got 'null'"),
        (b"[]\n", r"line 1: expected .* got '\[\]'"),
        (b'{"epoch": 1, "accuracy": 0.5}\n', r"with epoch, loss, accuracy, got"),
        (b'{"epoch": 1, "loss": "low", "accuracy": 0.5}\n', r"line 1: expected the metrics"),
        (b"\xff\xfe\n", "is no text"),
    ],
)
def test_damaged_metrics_are_named(content: bytes, told: str, tmp_path: Path) -> None:
    run = RunFolder(tmp_path, {})
    (tmp_path / METRICS).write_bytes(content)
    for read in (run.last_metrics, lambda: run.read_metrics(1)):
        with pytest.raises(StoreCorrupted, match=rf"metrics\.jsonl.*{told}.*train again"):
            read()


@pytest.mark.parametrize("identity", [{}, {"identity": None}, {"identity": [1]}])
def test_a_configuration_without_an_identity_is_named(
    identity: dict[str, object], tmp_path: Path
) -> None:
    (tmp_path / CONFIG).write_text(json.dumps({"schema_version": 2, **identity}))
    with pytest.raises(StoreCorrupted, match=r"config\.json has no identity.*train again"):
        open_run(tmp_path)


def test_two_processes_do_not_train_into_one_folder(tmp_path: Path) -> None:
    root = tmp_path / "run"
    command = [sys.executable, "-c", HOLDS, str(root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        child = int(first.stdout.readline())
        try:
            refused = pytest.raises(InputError, match="another process trains into this folder")
            with refused, held_run(root, {"seed": 1}, {}):
                pass
            assert open_run(root).identity == {"seed": 1}  # to look at it is no harm
            first.kill()
            first.wait()
            with held_run(root, {"seed": 1}, {}) as run:  # at once, though its child lives
                assert run.identity == {"seed": 1}
        finally:
            first.kill()
            os.kill(child, signal.SIGKILL)
