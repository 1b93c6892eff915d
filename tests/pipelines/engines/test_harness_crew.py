from __future__ import annotations

from pathlib import Path

import pytest

from posemill.pipelines.engines import harness_crew
from posemill.pipelines.engines.base import EngineOptions
from posemill.pipelines.engines.harness_crew import HarnessCrew, HarnessJob, acquire, release
from posemill.pipelines.engines.mail import Mailbox
from posemill.pipelines.tasks import ShardOutcome, ShardTask, WorkerSpec


@pytest.fixture
def job(tmp_path: Path) -> HarnessJob:
    worker = WorkerSpec("shard_workers:RecordingWorker", {"folder": tmp_path})
    return HarnessJob(worker, EngineOptions(), Mailbox.create(tmp_path / "mail"))


def test_threads_of_a_process_share_a_crew_until_the_last_one_leaves(job: HarnessJob) -> None:
    first, second = acquire(job), acquire(job)
    assert first is second
    release(first)
    end = second.submit(ShardTask("test", 0, num_items=1, cost=1.0))
    assert end.result(60).result.outcome is ShardOutcome.COMMITTED
    release(second)
    assert not second.is_of_use


def test_who_comes_while_a_crew_ends_gets_another_one(
    job: HarnessJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    late: list[HarnessCrew] = []
    close = HarnessCrew.close

    def come_late(crew: HarnessCrew) -> None:
        if not late:
            late.append(acquire(job))
        close(crew)

    ending = acquire(job)
    monkeypatch.setattr(HarnessCrew, "close", come_late)
    release(ending)
    (crew,) = late
    end = crew.submit(ShardTask("test", 0, num_items=1, cost=1.0))
    assert end.result(60).result.outcome is ShardOutcome.COMMITTED
    release(crew)
    assert not harness_crew._CREWS
