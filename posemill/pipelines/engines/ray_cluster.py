"""The Ray cluster of one run: joined, or started and ended with it."""

from __future__ import annotations

import logging
import math
import os
import signal
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from threading import Thread, current_thread, main_thread
from typing import Any

import ray
from ray._raylet import GcsClient  # type: ignore[attr-defined]

from posemill.errors import EnvironmentFault, InputError
from posemill.pipelines.engines.base import EngineOptions
from posemill.pipelines.engines.gpus import machine_gpus
from posemill.pipelines.engines.ray_parameters import (
    EMBEDDED,
    RUNNING,
    RayParameters,
    require_address,
)

_ANSWER_SECONDS = 10.0
_STORE_BYTES = 128 * 2**20  # for a few messages; frames stay inside the workers
_SETTINGS_OF_RAY = ("RAY_AUTH_MODE", "RAY_USAGE_STATS_ENABLED", "RAY_worker_niceness")
"""What is set for the embedded cluster, in this process and all that it starts."""


@contextmanager
def connected(parameters: RayParameters, options: EngineOptions) -> Iterator[bool]:
    """Within it this process is a driver of the cluster that the parameters name.

    One that has initialised Ray already stays with its cluster, also afterwards; yields
    whether the connection ends here.

    Raises:
        InputError: this process is connected to another cluster already, or has a job
            whose runtime environment cannot be set any more.
        EnvironmentFault: the cluster does not answer or cannot be started.
    """
    if ray.is_initialized():
        _require_same(parameters)
        yield False
        return
    # Ray prints what workers said; standard output is for what the caller's caller reads.
    with _settings_kept(), redirect_stdout(sys.stderr):
        try:
            _connect(parameters, options)
            yield True
        finally:
            ray.shutdown()


def describe_resources(asked: Mapping[str, float]) -> str:
    """What each worker asked for and what the cluster has, for a worker that does not start."""
    try:
        nodes = sum(node["Alive"] for node in ray.nodes())  # type: ignore[no-untyped-call]
        there = ray.cluster_resources()  # type: ignore[no-untyped-call]
        free = ray.available_resources()  # type: ignore[no-untyped-call]
    except ray.exceptions.RayError as error:
        return f", and the Ray cluster does not answer: {error}"
    names = sorted({"CPU", "GPU", *asked})
    has = ", ".join(f"{there.get(n, 0):g} {n} ({free.get(n, 0):g} free)" for n in names)
    wants = ", ".join(f"{amount:g} {name}" for name, amount in asked.items()) or "nothing"
    return (
        f"; each worker asks for {wants}, and the Ray cluster has {has} on "
        f"{nodes} {'node' if nodes == 1 else 'nodes'}"
    )


def _require_same(parameters: RayParameters) -> None:
    ours = ray.get_runtime_context().gcs_address
    if parameters.address not in (EMBEDDED, RUNNING, ours):
        raise InputError(
            f"address={parameters.address}: this process is connected to the Ray cluster at {ours} "
            "already; leave the address out to use that one, or call ray.shutdown() before"
        )
    if parameters.runtime_env is not None or parameters.dashboard:
        raise InputError(
            f"this process is connected to the Ray cluster at {ours} already; give runtime_env "
            "and dashboard to the ray.init that did so"
        )


def _connect(parameters: RayParameters, options: EngineOptions) -> None:
    where: dict[str, Any] = {"address": parameters.address}
    if parameters.is_embedded:
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
        # Ray gives way to all else by 15, which costs a tenth where cores are few; nobody else
        # waits for this cluster.
        os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112 - so Ray spells it
        where |= {
            "num_cpus": max(1, math.ceil(options.workers * parameters.cpus)),
            "num_gpus": len(machine_gpus()) if options.gpus_per_worker else 0,
            "include_dashboard": parameters.dashboard,
            "object_store_memory": _STORE_BYTES,
        }
    else:
        _require_answer(parameters.address)
    environment = None if parameters.runtime_env is None else dict(parameters.runtime_env)
    with _own_sigterm(), _cluster_faults(parameters.address):
        ray.init(
            **where,
            namespace=parameters.namespace,
            runtime_env=environment,
            logging_level=logging.ERROR,
        )


def _require_answer(address: str) -> None:
    """Raises:
    EnvironmentFault: no cluster is there that takes this driver; Ray itself would wait, in
        some cases for ever.
    """
    if address == RUNNING:
        address = os.environ.get("RAY_ADDRESS") or RUNNING
        require_address(address)
    host, _, port = address.rpartition(":")
    if not host:  # Ray looks for one on this machine, or says that there is none
        return
    answers: list[Exception | None] = []
    with _cluster_faults(address):
        socket.create_connection((host, int(port)), _ANSWER_SECONDS).close()
        asking = Thread(target=_ask, args=(address, answers), daemon=True)
        asking.start()
        asking.join(_ANSWER_SECONDS)
        if not answers:
            raise ConnectionError(f"nothing there speaks as Ray within {_ANSWER_SECONDS:g} s")
        if answers[0] is not None:
            raise answers[0]


def _ask(address: str, answers: list[Exception | None]) -> None:
    try:
        GcsClient(address=address)
    except ray.exceptions.RayError as error:
        answers.append(error)
    else:
        answers.append(None)


@contextmanager
def _cluster_faults(address: str) -> Iterator[None]:
    """Tell in our words why there is no cluster to work with."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # Ray raises plain ones, too
        raise EnvironmentFault(_why(address, error)) from error


def _why(address: str, error: Exception) -> str:
    if "Authentication" in type(error).__name__:
        return (
            f"the Ray cluster at {address} wants a token, and this process has none or another "
            f"one (RAY_AUTH_MODE is {os.environ.get('RAY_AUTH_MODE') or 'not set'}); set "
            "RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN or RAY_AUTH_TOKEN_PATH to what the cluster "
            "was started with"
        )
    if address == EMBEDDED:
        return f"no Ray cluster could be started on this machine: {error}"
    return (
        f"no Ray cluster to work with at address={address}: {error}. Give HOST:PORT as `ray start "
        "--head` says it (the port is 6379 unless chosen), and start posemill on a machine that "
        "is a node of that cluster"
    )


@contextmanager
def _own_sigterm() -> Iterator[None]:
    """`ray.init` takes SIGTERM over, in the main thread; what was there gets it back."""
    if current_thread() is not main_thread():
        yield
        return
    ours = signal.getsignal(signal.SIGTERM)
    try:
        yield
    except SystemExit:  # of Ray's handler
        if callable(ours):
            ours(signal.SIGTERM, None)
        raise
    finally:
        signal.signal(signal.SIGTERM, ours)


@contextmanager
def _settings_kept() -> Iterator[None]:
    before = {name: os.environ.get(name) for name in _SETTINGS_OF_RAY}
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
