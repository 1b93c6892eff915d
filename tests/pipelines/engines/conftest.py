"""A Ray cluster for all tests of engines, and this process as a driver of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ray_nodes import patiently

_HEAD = {
    "num_cpus": 8,
    "include_dashboard": False,
    "no_monitor": True,
    "_system_config": {
        "health_check_initial_delay_ms": 1000,
        "health_check_period_ms": 1000,
        "health_check_timeout_ms": 2000,
        "health_check_failure_threshold": 3,
    },
}


@pytest.fixture(scope="session")
def ray_cluster() -> Iterator[Any]:
    """A node without GPUs, with eight logical CPUs, which soon counts as lost when it is silent."""
    pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    cluster = patiently(lambda: Cluster(initialize_head=True, head_node_args=_HEAD))
    yield cluster
    cluster.shutdown()


@pytest.fixture(scope="module")
def ray_driver(ray_cluster: Any) -> Iterator[None]:
    """This process has initialised Ray by itself."""
    import ray

    ray.init(address=ray_cluster.address, logging_level="ERROR")
    yield
    ray.shutdown()
