"""Clusters that are joined by their address, and those that cannot be."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from socket import create_server
from typing import Any

import pytest
from chain import ignore
from processes import MARK, marked, wait_until

from posemill.errors import EnvironmentFault
from posemill.pipelines.engines import create_engine
from posemill.pipelines.engines.base import EngineOptions
from posemill.pipelines.tasks import ShardTask, WorkerSpec

ray = pytest.importorskip("ray")


SUPPORT = Path(__file__).parents[3] / "support"


def run(folder: Path, number: int = 2, **parameters: str) -> None:
    engine = create_engine("ray", EngineOptions(workers=2, parameters=parameters))
    report = engine.run(
        [ShardTask("test", shard_id, 1, 1.0) for shard_id in range(number)],
        WorkerSpec("placed_workers:MeetingWorker", {"folder": folder}),
        ignore,
        folder / "mail",
    )
    assert not report.failed


def test_the_numbers_of_a_run_are_at_the_clusters_metrics_endpoint(
    ray_cluster: Any, tmp_path: Path
) -> None:
    head = ray_cluster.head_node
    address = f"http://{head.node_ip_address}:{head.metrics_export_port}/metrics"

    def values(name: str, **labels: str) -> list[float]:
        with urllib.request.urlopen(address, timeout=30) as answer:
            lines = [each for each in answer.read().decode().splitlines() if each.startswith(name)]
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        return [float(line.split()[-1]) for line in lines if all(each in line for each in wanted)]

    # Ray counts twice in a process that has initialised it before.
    script = (
        f"import sys; sys.path[:0] = {[str(SUPPORT), str(Path(__file__).parent)]!r}\n"
        f"from pathlib import Path; from test_ray_clusters import run\n"
        f"run(Path({str(tmp_path)!r}), 3, address={ray_cluster.address!r})"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
    wait_until(lambda: 3.0 in values("ray_posemill_items_total", stage="test", status="ok"))
    wait_until(lambda: 9.0 in values("ray_posemill_frames_total", stage="test"))
    wait_until(lambda: 3.0 in values("ray_posemill_shards_total", outcome="committed"))


def test_a_node_with_another_posemill_is_refused(
    ray_cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # Ray's workers look at first where their driver is
    info = tmp_path / "other" / "posemill-9.9.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: posemill\nVersion: 9.9\n")
    with pytest.raises(EnvironmentFault, match=r"has posemill 9\.9, and the driver has"):
        run_with_python_path(ray_cluster, tmp_path / "other", tmp_path)


def test_a_node_without_posemill_is_told(
    ray_cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    package = tmp_path / "none" / "posemill"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('not on this node')")
    with pytest.raises(EnvironmentFault, match="posemill may not be installed on its node"):
        run_with_python_path(ray_cluster, tmp_path / "none", tmp_path)


def run_with_python_path(ray_cluster: Any, folder: Path, out: Path) -> None:
    (out / "env.yaml").write_text(f"env_vars: {{PYTHONPATH: {folder}}}\n")
    run(out, address=ray_cluster.address, runtime_env=str(out / "env.yaml"))


def test_an_address_where_nothing_is_fails_at_once(tmp_path: Path) -> None:
    with pytest.raises(
        EnvironmentFault, match=r"no Ray cluster.*address=127\.0\.0\.1:9.*refused.*ray start"
    ):
        run(tmp_path, address="127.0.0.1:9")


def test_an_address_where_something_else_is_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import posemill.pipelines.engines.ray_cluster as module

    monkeypatch.setattr(module, "_ANSWER_SECONDS", 1.0)
    with create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(EnvironmentFault, match="nothing there speaks as Ray within 1 s"):
            run(tmp_path, address=f"127.0.0.1:{port}")


@pytest.fixture
def token_cluster() -> Iterator[str]:
    """The address of a cluster that wants a token, which this process has not."""
    mark, token = uuid.uuid4().hex, uuid.uuid4().hex
    secret = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": token, "RAY_USAGE_STATS_ENABLED": "0"}
    command = [Path(sys.executable).with_name("ray"), "start", "--head", "--port=0"]
    options = ["--num-cpus=1", "--include-dashboard=false", "--object-store-memory=80000000"]
    started = subprocess.run(
        [*command, *options],
        env=os.environ | secret | {MARK: mark},
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.search(r"--address='([^']+)'", started.stdout)
    assert found is not None, started.stdout
    yield found.group(1)
    for pid in marked(mark):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def test_a_cluster_that_wants_a_token_says_so(token_cluster: str, tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault, match=r"wants a token.*RAY_AUTH_TOKEN"):
        run(tmp_path, address=token_cluster)
