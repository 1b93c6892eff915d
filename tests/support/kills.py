"""A command that is killed when part of its work is committed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from chain import markers

_ATTEMPTS = 3
_SECONDS = 120.0


def kill_half_way(
    command: Sequence[str], out: Path, num_shards: int
) -> dict[str, tuple[int, bytes]]:
    """Kill a command and its workers after its first commit; the commits that are there then.

    They are one or more and fewer than `num_shards`: where the command was
    quicker than the kill, it begins again in an empty place.
    """
    for _ in range(_ATTEMPTS):
        shutil.rmtree(out, ignore_errors=True)
        driver = subprocess.Popen(command, start_new_session=True)
        deadline = time.monotonic() + _SECONDS
        while not markers(out) and driver.poll() is None and time.monotonic() < deadline:
            time.sleep(0.002)
        with suppress(ProcessLookupError):  # it was done
            os.killpg(driver.pid, signal.SIGKILL)
        driver.wait()
        before = markers(out)
        assert before, f"no commit within {_SECONDS:.0f} s, or it failed: {driver.returncode}"
        if len(before) < num_shards:
            return before
    raise AssertionError(f"it was done before it could be killed, {_ATTEMPTS} times")
