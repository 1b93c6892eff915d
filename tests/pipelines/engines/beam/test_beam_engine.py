"""The Beam engine on its local runner: counters, dead letters, bundles that are run again."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from processes import wait_until

from posemill.errors import EnvironmentFault
from posemill.pipelines.engines import create_engine
from posemill.pipelines.engines.base import EngineOptions, RunReport
from posemill.pipelines.events import Event, ItemDone, ShardEnded
from posemill.pipelines.tasks import ShardOutcome, ShardTask, WorkerSpec

pytest.importorskip("apache_beam", reason="the extra beam is not installed")


def worker(folder: Path, fault: str = "", shard: int = -1) -> WorkerSpec:
    settings = {"folder": folder, "fault": fault, "shard_with_fault": shard}
    return WorkerSpec("shard_workers:RecordingWorker", settings)


def tasks(number: int) -> list[ShardTask]:
    return [ShardTask("test", shard_id, num_items=1, cost=1.0) for shard_id in range(number)]


def run(spec: WorkerSpec, number: int, place: Path, on_event: Any, **parameters: str) -> RunReport:
    engine = create_engine("beam", EngineOptions(workers=2, parameters=parameters))
    return engine.run(tasks(number), spec, on_event, place)


def attempts(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_file()]


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """Where the workers note what they do."""
    folder = tmp_path / "notes"
    folder.mkdir()
    return folder


def test_mail_goes_where_it_is_told_and_is_removed(notes: Path, tmp_path: Path) -> None:
    events: list[Event] = []
    run(worker(notes), 2, Path("/proc/nowhere"), events.append, mailbox=str(tmp_path / "other"))
    assert len([event for event in events if isinstance(event, ItemDone)]) == 2
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["zarr.json"]


def test_mail_goes_by_a_bucket(notes: Path, bucket: str) -> None:
    events: list[Event] = []
    report = run(worker(notes), 3, Path("/proc/nowhere"), events.append, mailbox=bucket)
    assert not report.failed
    assert sorted(e.shard_id for e in events if isinstance(e, ShardEnded)) == [0, 1, 2]


def test_failed_shards_are_written_as_dead_letters(notes: Path, tmp_path: Path) -> None:
    report = run(
        worker(notes, "raises", 1),
        3,
        tmp_path / "mail",
        print,
        dead_letter=str(tmp_path / "dead" / "shards"),
    )
    (failed,) = report.failed
    files = (tmp_path / "dead").glob("shards*.jsonl")
    (letter,) = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    assert (letter["shard_id"], letter["message"]) == (1, failed.message)


def test_what_ends_the_driver_ends_the_workers_and_removes_the_mail(
    notes: Path, tmp_path: Path
) -> None:
    """As the limit of the quarantined does, out of `on_event`."""

    def stop(event: Event) -> None:
        if isinstance(event, ItemDone):
            raise EnvironmentFault("too many")

    with pytest.raises(EnvironmentFault, match="too many"):
        run(worker(notes, "hangs", 1), 2, tmp_path / "mail", stop)
    pids = {int(path.name.split(".")[1]) for path in attempts(notes)}
    assert pids
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    assert [path.name for path in (tmp_path / "mail").iterdir()] == ["zarr.json"]


def test_ctrl_c_ends_all_processes(notes: Path, tmp_path: Path) -> None:
    script = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parents[3] / "support")!r})
from pathlib import Path
from posemill.pipelines.engines import create_engine
from posemill.pipelines.engines.base import EngineOptions
from posemill.pipelines.tasks import ShardTask, WorkerSpec
if __name__ == "__main__":
    worker = WorkerSpec("shard_workers:RecordingWorker",
        dict(folder=Path({str(notes)!r}), fault="hangs", shard_with_fault=0))
    create_engine("beam", EngineOptions()).run(
        [ShardTask("test", 0, 1, 1.0)], worker, print, {str(tmp_path / "mail")!r})
"""
    driver = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE, text=True)
    wait_until(lambda: attempts(notes))
    (note,) = attempts(notes)
    driver.send_signal(signal.SIGINT)
    _, told = driver.communicate()
    assert told.count("Traceback") == 1  # where the driver waited; Beam has nothing to add
    assert "KeyboardInterrupt" in told
    assert not Path(f"/proc/{note.name.split('.')[1]}").exists()
    assert [path.name for path in (tmp_path / "mail").iterdir()] == ["zarr.json"]


def counters(result: Any) -> dict[str, int]:
    return {each.key.metric.name: each.committed for each in result.metrics().query()["counters"]}


def run_pipeline(spec: WorkerSpec, number: int, mailbox: Path, *flags: str) -> Any:
    """The pipeline without its driver."""
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions
    from apache_beam.runners.portability.fn_api_runner.fn_runner import FnApiRunner

    from posemill.pipelines.engines.beam_shards import add_shards
    from posemill.pipelines.engines.harness_crew import HarnessJob
    from posemill.pipelines.engines.mail import Mailbox

    job = HarnessJob(spec, EngineOptions(workers=2), Mailbox.create(mailbox))
    pipeline = beam.Pipeline(runner=FnApiRunner(), options=PipelineOptions(list(flags)))
    add_shards(pipeline, tasks(number), job, None)
    result = pipeline.run()
    result.wait_until_finish()
    return result, [m for letter in job.mailbox.collect() for m in letter]


def test_beam_counts_what_the_progress_counts(notes: Path, tmp_path: Path) -> None:
    result, told = run_pipeline(worker(notes, "raises", 1), 4, tmp_path / "mail")
    done = [message for message in told if isinstance(message, ItemDone)]
    assert counters(result) == {
        "items_ok": len(done),
        "frames": sum(item.num_frames for item in done),
        "shards_committed": 3,
        "shards_failed": 1,
    }


def test_a_bundle_that_is_run_again_is_counted_once(notes: Path, tmp_path: Path) -> None:
    """The runner hands all shards out three times; only the first time is there work."""
    from posemill.pipelines.engines.mail_results import MailResults

    spec = WorkerSpec("shard_workers:CommittingWorker", {"folder": notes})
    _, told = run_pipeline(spec, 3, tmp_path / "mail", "--direct_runner_bundle_repeat=2")
    events: list[Event] = []
    results = MailResults(tasks(3), events.append, 60)
    results.take(told)
    assert [each.outcome for each in results.report().results] == [ShardOutcome.COMMITTED] * 3
    assert [e.shard_id for e in events if isinstance(e, ShardEnded)] == [0, 1, 2]
    assert len(attempts(notes)) == 3
    assert len([event for event in events if isinstance(event, ItemDone)]) == 3
