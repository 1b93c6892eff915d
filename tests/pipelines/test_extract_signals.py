"""A job in the middle of a hanging video is ended: by a message or by force, without orphans."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from chain import index
from poison import plant, write_video
from processes import MARK, marked, wait_until

SUPPORT = Path(__file__).parents[1] / "support"
Job = subprocess.Popen[str]


@pytest.fixture
def mark() -> Iterator[str]:
    """A mark of all processes of a test; whatever a failed test leaves is killed."""
    mark = uuid.uuid4().hex
    yield mark
    for pid in marked(mark):
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def job(tmp_path: Path, mark: str) -> Iterator[Job]:
    """`posemill extract`, which hangs in the decoder of a video."""
    (tmp_path / "videos").mkdir()
    write_video(tmp_path / "videos" / "a.mp4")
    write_video(tmp_path / "videos" / "decoder_hang.mp4")
    catalog = index(tmp_path / "videos", tmp_path / "catalog")
    note = tmp_path / "note"
    plugin = plant(tmp_path / "plugin")
    environment = {
        **os.environ,
        MARK: mark,
        "PYTHONPATH": f"{plugin}:{SUPPORT}",
        "POISON_NOTE": str(note),
    }
    options = ["--estimator", "poison", "--workers", "1", "--shard-videos", "1"]
    out = str(tmp_path / "poses.zarr")
    with subprocess.Popen(
        [sys.executable, "-m", "posemill", "extract", str(catalog), "-o", out, *options],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=_heed_interrupts,
    ) as driver:
        wait_until(note.exists)
        yield driver


def test_sigterm_ends_a_job_with_a_message(job: Job, mark: str) -> None:
    job.send_signal(signal.SIGTERM)
    _, said = job.communicate()
    assert "terminated; the same command completes the work" in said
    assert job.returncode == 128 + signal.SIGTERM
    wait_until(lambda: not marked(mark))


def _heed_interrupts() -> None:
    """Whoever runs the tests in the background may ignore them, and children inherit that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.mark.parametrize("kill", [os.kill, os.killpg])
def test_sigint_ends_a_job_with_a_message(
    job: Job, mark: str, kill: Callable[[int, int], None]
) -> None:
    """Whether it goes to the driver, or to all processes as a terminal sends it."""
    kill(job.pid, signal.SIGINT)
    _, said = job.communicate()
    assert "interrupted; the same command completes the work" in said
    assert "Traceback" not in said
    assert job.returncode == 130
    wait_until(lambda: not marked(mark))


def test_nothing_outlives_a_killed_driver(job: Job, mark: str) -> None:
    job.kill()
    job.communicate()
    wait_until(lambda: not marked(mark))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_outlives_a_killed_worker(job: Job, mark: str, number: signal.Signals) -> None:
    (worker,) = find(mark, lambda command: "spawn_main" in command)
    before = set(marked(mark))
    os.kill(worker, number)
    wait_until(lambda: len(set(marked(mark)) - before) >= 3)  # another worker, guard and child
    left = set(marked(mark)) & before
    assert len(left) == len(find(mark, lambda command: "resource_tracker" in command)) + 1
    job.kill()
    job.communicate()
    wait_until(lambda: not marked(mark))


def find(mark: str, wanted: Callable[[str], bool]) -> list[int]:
    return [pid for pid, command in marked(mark).items() if wanted(command)]
