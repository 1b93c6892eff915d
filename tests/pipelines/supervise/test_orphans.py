"""Nothing outlives a parent: whatever is killed, by whichever signal, all processes go."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from processes import MARK, marked, wait_until

SUPPORT = Path(__file__).parents[2] / "support"
PARENT = """
import sys
from pathlib import Path
from posemill.pipelines.supervise import Item, JobSpec, Limits, Supervisor
spec = JobSpec("supervised_jobs:FaultyJob", {"folder": Path(sys.argv[1])})
list(Supervisor(spec, Limits(), lambda _: None).work([Item("a", "breed", 0.0)]))
"""


@pytest.fixture
def mark() -> Iterator[str]:
    """A mark of all processes of a test; whatever a failed test leaves is killed."""
    mark = uuid.uuid4().hex
    yield mark
    for pid in marked(mark):
        os.kill(pid, signal.SIGKILL)


def _heed_signals() -> None:
    """Whoever runs the tests may ignore some, as `nohup` does, and children inherit that."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def family(mark: str, tmp_path: Path) -> subprocess.Popen[bytes]:
    """A parent whose child holds the interpreter's lock and has started a process of its own."""
    environment = {**os.environ, MARK: mark, "PYTHONPATH": str(SUPPORT)}
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)],
        env=environment,
        preexec_fn=_heed_signals,
    )
    wait_until(lambda: "sleep 600 " in marked(mark).values())
    assert len(marked(mark)) == 4  # parent, guard, child, grandchild
    return parent


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_parent_takes_all_along(
    family: subprocess.Popen[bytes], mark: str, number: signal.Signals
) -> None:
    family.send_signal(number)
    family.wait(timeout=60)
    wait_until(lambda: not marked(mark))


def test_a_guard_takes_its_child_along(family: subprocess.Popen[bytes], mark: str) -> None:
    (guard,) = [pid for pid, command in marked(mark).items() if "guard.py" in command]
    before = set(marked(mark))
    os.kill(guard, signal.SIGKILL)
    # The parent goes on with a fresh child, which hangs as the first one did.
    wait_until(lambda: len(set(marked(mark)) - before) == 3)
    assert set(marked(mark)) & before == {family.pid}
    family.kill()
    family.wait(timeout=60)
    wait_until(lambda: not marked(mark))
