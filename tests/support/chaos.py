"""Jobs that are killed at random, on disks that fail; and what must be left in the end."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from posemill.storage.features import FeatureStore
from posemill.storage.poses import PoseStore

_EARLY_SHARE = 0.2  # of the kills hit a job before it has written anything
_EARLY_SECONDS, _WORK_SECONDS = 3.0, 1.5
_PATIENCE_SECONDS = 60.0

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def posemill(*arguments: object) -> list[str]:
    """The command line of a command."""
    return [sys.executable, "-m", "posemill", *map(str, arguments)]


def run(command: Sequence[str], *, expected: int = 0) -> str:
    """Run a command to its end; what it said, on both channels."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    said = done.stdout + done.stderr
    assert done.returncode == expected, f"{' '.join(command)}: exit {done.returncode}\n{said}"
    return said


@dataclass(frozen=True)
class Stage:
    """A command that makes or extends a store, to be killed again and again."""

    command: Sequence[str]
    store: Path
    before: Path | None = None
    """A copy of the store as it was before this stage; None: there was none."""

    def restart(self) -> None:
        """Undo all of its work."""
        shutil.rmtree(self.store)
        if self.before is not None:
            shutil.copytree(self.before, self.store)

    def written(self) -> int:
        """When a file of the store was last written, other than to try whether it can be."""
        times = [0]
        for path in self.store.rglob("*"):
            with suppress(OSError):  # drafts come and go
                if path.is_file() and not path.name.startswith("probe-"):
                    times.append(path.stat().st_mtime_ns)
        return max(times)


class Kills(NamedTuple):
    """How many processes were killed, and how many of them in a job that had begun to write."""

    total: int
    at_work: int


def kill_at_random(stage: Stage, kills: int, rng: random.Random, log: Path) -> Kills:
    """Start the stage twice at once, again and again, and SIGKILL a process of them each time.

    One of the two drivers, or any process that descends from them; mostly soon
    after something was written. The others then go at once, or go on for a
    second. A stage that is done before its turn is undone, and starts again.
    """
    total = at_work = 0
    for _ in range(6 * kills):
        if total == kills:
            break
        before = stage.written()
        with log.open("ab") as said:
            pair = [
                subprocess.Popen(stage.command, stdout=said, stderr=said, start_new_session=True)
                for _ in range(2)
            ]
        if rng.random() < _EARLY_SHARE:
            time.sleep(rng.uniform(0, _EARLY_SECONDS))
        else:
            _wait_for_work(stage, before, pair)
            time.sleep(rng.uniform(0, _WORK_SECONDS))
        alive = [process for driver in pair for process in family(driver.pid)]
        if alive:
            killed = _kill(rng.choice(alive))
            total += killed
            at_work += killed * (stage.written() != before)
            time.sleep(rng.choice((0.0, 1.0)))
        _end(pair)
        if not alive:
            stage.restart()
    return Kills(total, at_work)


def _wait_for_work(stage: Stage, before: int, pair: Sequence[subprocess.Popen[bytes]]) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while (
        stage.written() == before
        and any(driver.poll() is None for driver in pair)
        and time.monotonic() < deadline
    ):
        time.sleep(0.02)


def family(pid: int) -> list[int]:
    """A process that runs and all that descend from it, itself first."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError):
            fields = path.read_text().rpartition(")")[2].split()
            if fields[0] != "Z":
                children.setdefault(int(fields[1]), []).append(int(path.parent.name))
    found, new = [], [pid] if any(pid in each for each in children.values()) else []
    while new:
        found += new
        new = [child for parent in new for child in children.get(parent, [])]
    return found


def wait_for_end(pids: Sequence[int], seconds: float = 30.0) -> list[int]:
    """Those of `pids` that still run after waiting for them."""
    deadline = time.monotonic() + seconds
    left = list(pids)
    while left and time.monotonic() < deadline:
        time.sleep(0.1)
        left = [pid for pid in left if family(pid)]
    return left


def assert_same_poses(ours: PoseStore | Path, theirs: PoseStore | Path) -> None:
    """Both hold the same videos, in the same states, with bit-equal poses."""
    mine, other = (
        PoseStore.open(each) if isinstance(each, Path) else each for each in (ours, theirs)
    )
    entries, expected = mine.entries(), other.entries()
    assert {name: entry.status for name, entry in entries.items()} == {
        name: entry.status for name, entry in expected.items()
    }
    assert entries
    for name, entry in entries.items():
        if entry.status.has_frames:
            found, wanted = mine.read(name), other.read(name)
            for array in ("xy_px", "score", "frame", "slot", "pts_seconds"):
                np.testing.assert_array_equal(getattr(found, array), getattr(wanted, array))


def assert_same_features(ours: Path, theirs: Path) -> None:
    """Both hold the same clips with bit-equal arrays."""
    mine, other = FeatureStore.open(ours), FeatureStore.open(theirs)
    numbers, expected = (
        {row.clip_id: n for n, row in enumerate(store.rows()) if row is not None}
        for store in (mine, other)
    )
    assert numbers.keys() == expected.keys()
    for name, number in numbers.items():
        assert mine.valid()[number] == other.valid()[expected[name]]
        if mine.valid()[number]:
            for spec in mine.specs:
                np.testing.assert_array_equal(
                    mine.read(spec.name, number), other.read(spec.name, expected[name])
                )


@contextmanager
def small_disk(folder: Path, num_bytes: int) -> Iterator[Path]:
    """A file system of its own, of so many bytes; skips the test where none can be mounted."""
    folder.mkdir()
    options = f"size={num_bytes}"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)],
        capture_output=True,
        text=True,
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def bytes_on_disk(root: Path) -> int:
    """What the tree takes of a `small_disk`, which gives whole pages to each file."""
    sizes = [path.stat().st_size for path in root.rglob("*") if path.is_file()]
    return sum(-(-size // _PAGE_BYTES) * _PAGE_BYTES for size in sizes)


def make_read_only(disk: Path, *, read_only: bool) -> None:
    """Mount a `small_disk` again, for reading only or for writing, too."""
    mode = "ro" if read_only else "rw"
    subprocess.run(["mount", "-o", f"remount,{mode}", str(disk)], check=True)


def _kill(pid: int) -> int:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return 0
    return 1


def _end(pair: Sequence[subprocess.Popen[bytes]]) -> None:
    """Kill what is left of both jobs: their sessions' processes go with them."""
    members = [pid for driver in pair for pid in family(driver.pid)]
    for driver in pair:
        with suppress(ProcessLookupError):
            os.killpg(driver.pid, signal.SIGKILL)
        driver.wait()
    orphans = wait_for_end(members)
    assert not orphans, f"these outlived their job: {orphans}"
