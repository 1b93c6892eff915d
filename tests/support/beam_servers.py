"""A Beam job server and a pool of Beam's worker processes, each a process of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SUPPORT = Path(__file__).parent


@contextmanager
def job_server(folder: Path) -> Iterator[str]:
    """Beam's own, which runs what it is sent by itself; where it is."""
    port_file = folder / "job_server.port"
    module = "apache_beam.runners.portability.local_job_service_main"
    with _server(module, "--port_file", str(port_file), log=folder / "job_server.log"):
        while not port_file.exists():
            time.sleep(0.05)
        yield f"localhost:{port_file.read_text()}"


@contextmanager
def worker_pool(folder: Path, mark: dict[str, str] | None = None) -> Iterator[str]:
    """Starts a process for every job, with an environment of its own; where it is."""
    with socket.socket() as free:
        free.bind(("", 0))
        port = free.getsockname()[1]
    module = "apache_beam.runners.worker.worker_pool_main"
    log = folder / "worker_pool.log"
    with _server(module, f"--service_port={port}", log=log, environment=mark or {}):
        while not _answers(port):
            time.sleep(0.05)
        yield f"localhost:{port}"


@contextmanager
def _server(
    module: str, *arguments: str, log: Path, environment: dict[str, str] | None = None
) -> Iterator[None]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # Beam calls `python`
    support = os.pathsep.join([str(SUPPORT), os.environ.get("PYTHONPATH", "")])
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdout=output,
            stderr=output,
            env={**os.environ, "PATH": path, "PYTHONPATH": support, **(environment or {})},
            start_new_session=True,
        )
        try:
            yield
        finally:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def _answers(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("localhost", port)) == 0
