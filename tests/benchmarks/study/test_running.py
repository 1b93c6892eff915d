"""Processes of a study: results as they come, and an end when who started them is killed."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Future
from pathlib import Path

import study.running
from study.running import collect

STARTS_ONE_THAT_SLEEPS = """
import os, sys, time
from study.running import study_pool

def sleeps():
    print(os.getpid(), flush=True)
    time.sleep(60)

if __name__ == "__main__":
    with study_pool(1) as pool:
        pool.submit(sleeps).result()
"""


def test_results_are_kept_and_told(capsys):
    kept, futures = [], [Future() for _ in range(2)]
    for number, future in enumerate(futures):
        future.set_result(number)
    collect(futures, kept.append, lambda number: f"trial {number}")
    assert sorted(kept) == [0, 1]
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["1 of 2", "2 of 2"]
    assert {line.split(": ")[1] for line in lines} == {"trial 0", "trial 1"}


def test_a_process_ends_when_the_one_that_started_it_is_killed(tmp_path):
    script = tmp_path / "starts.py"
    script.write_text(STARTS_ONE_THAT_SLEEPS)
    paths = {**os.environ, "PYTHONPATH": str(Path(study.running.__file__).parents[1])}
    with subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, env=paths, text=True
    ) as starter:
        worker = int(starter.stdout.readline())
        os.kill(starter.pid, signal.SIGKILL)
    deadline = time.monotonic() + 30
    while _is_there(worker):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def _is_there(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
