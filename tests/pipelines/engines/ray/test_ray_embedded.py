"""A cluster that lives as long as a run of the command line, and what it leaves behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest
from chain import assert_equal_poses
from processes import MARK, marked, wait_until

pytest.importorskip("ray")


def start(catalog: Path, out: Path, home: Path, mark: str, **environment: str) -> Any:
    command = [Path(sys.executable).with_name("posemill"), "extract", catalog, "-o", out, "--json"]
    options = ["--estimator", "figure", "--reproducible", "--engine", "ray", "--workers", "1"]
    return subprocess.Popen(
        [*command, *options],
        env=os.environ | {MARK: mark, "HOME": str(home)} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_a_run_has_a_cluster_of_its_own_and_ends_it(
    ray_cluster: Any, catalog: Path, poses: Path, tmp_path: Path
) -> None:
    """Whatever RAY_ADDRESS says; only the summary is on standard output."""
    out, mark = tmp_path / "poses.zarr", uuid.uuid4().hex
    driver = start(catalog, out, tmp_path, mark, RAY_ADDRESS=ray_cluster.address)
    told, log = driver.communicate(timeout=240)
    assert driver.returncode == 0, log
    assert json.loads(told)["ok"] == 8
    assert "extract: 8 of 8" in log
    assert_equal_poses(out, poses)
    wait_until(lambda: not marked(mark))


def working(mark: str) -> list[int]:
    """The processes that estimate poses."""
    return [pid for pid, each in marked(mark).items() if "supervise.child" in each]


@pytest.mark.parametrize(
    ("send", "number", "status"),
    [(os.kill, signal.SIGTERM, 143), (os.killpg, signal.SIGINT, 130)],
    ids=["terminated", "interrupted"],
)
def test_a_signal_ends_the_run_its_cluster_and_its_workers(
    send: Any, number: signal.Signals, status: int, catalog: Path, tmp_path: Path
) -> None:
    """Ctrl-C reaches all processes of a terminal, also those of the cluster, which is no nicer."""
    mark = uuid.uuid4().hex
    driver = start(catalog, tmp_path / "poses.zarr", tmp_path, mark)
    wait_until(lambda: working(mark), 240)
    assert {os.getpriority(os.PRIO_PROCESS, pid) for pid in working(mark)} == {
        os.getpriority(os.PRIO_PROCESS, 0)
    }
    send(driver.pid, number)
    _, log = driver.communicate(timeout=120)
    assert driver.returncode == status, log
    assert "the same command completes the work" in log
    wait_until(lambda: not marked(mark))
