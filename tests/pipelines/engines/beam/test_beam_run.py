from __future__ import annotations

import importlib
import signal
from pathlib import Path
from threading import Event
from types import SimpleNamespace

import pytest

from posemill.pipelines.engines.base import EngineOptions
from posemill.pipelines.engines.harness_crew import HarnessJob
from posemill.pipelines.engines.mail import Mailbox
from posemill.pipelines.tasks import WorkerSpec

pytest.importorskip("apache_beam")
beam_run = importlib.import_module("posemill.pipelines.engines.beam_run")
beam_options = importlib.import_module("posemill.pipelines.engines.beam_options")


def interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def test_a_run_that_is_interrupted_while_it_is_waited_for_is_not_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a driver would leave while its runner is at work, which may never end then."""
    go_on = Event()
    monkeypatch.setattr(beam_run, "add_shards", lambda *_: go_on.wait())
    pipeline = SimpleNamespace(run=lambda: SimpleNamespace(wait_until_finish=lambda: "DONE"))
    job = HarnessJob(WorkerSpec("none:none"), EngineOptions(), Mailbox.create(tmp_path))
    run = beam_run.PipelineRun(pipeline, [], job, beam_options.BeamParameters.parse({}))
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises(KeyboardInterrupt):
            run.wait(60)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert not run.wait(0.1)
    go_on.set()
    assert run.wait(60)
    run.require_success(None)
