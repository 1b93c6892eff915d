"""What the Ray engine is told of its own, and what it refuses before anything is started."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

from posemill.errors import InputError, MissingDependency
from posemill.pipelines.engines import create_engine
from posemill.pipelines.engines.base import EngineOptions

pytest.importorskip("ray")
parameters = importlib.import_module("posemill.pipelines.engines.ray_parameters")


def parse(**texts: str) -> Any:
    return parameters.RayParameters.parse(texts)


def test_without_any_a_cluster_is_embedded() -> None:
    assert parse() == parameters.RayParameters(address="local", cpus=1.0, resources={})


def test_all_are_parsed(tmp_path: Path) -> None:
    (tmp_path / "env.yaml").write_text("env_vars: {A: b}\n")
    parsed = parse(
        address="head.example:6379",
        cpus="0.5",
        resources="accelerator_node:1, disk:0.25",
        namespace="poses",
        runtime_env=str(tmp_path / "env.yaml"),
    )
    assert parsed.address == "head.example:6379"
    assert parsed.cpus == 0.5
    assert parsed.resources == {"accelerator_node": 1.0, "disk": 0.25}
    assert parsed.namespace == "poses"
    assert parsed.runtime_env == {"env_vars": {"A": "b"}}
    assert parse(address="auto", resources='{"node:10.0.0.1": 1}').resources == {
        "node:10.0.0.1": 1.0
    }
    assert parse(dashboard="true").dashboard


def test_gpus_are_dealt_in_parts_that_ray_knows() -> None:
    with pytest.raises(InputError, match=r"gpus_per_worker .* 4 decimal places, got 0.33333"):
        create_engine("ray", EngineOptions(gpus_per_worker=0.33333))


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ({"adress": "auto"}, "has no option adress; it has address: HOST:PORT"),
        ({"address": "head"}, "got 'head'"),
        ({"address": "head:port"}, "got 'head:port'"),
        ({"address": ""}, "got nothing"),
        ({"address": "ray://head:10001"}, "Ray's client is not supported.*HOST:PORT"),
        ({"cpus": "two"}, "cpus: expected a number, got 'two'"),
        ({"cpus": "-1"}, "fraction between 0 and 1 .*, got -1"),
        ({"cpus": "1.5"}, "fraction between 0 and 1 .*, got 1.5"),
        ({"cpus": "nan"}, "got nan"),
        ({"cpus": "0.00001"}, "at most 4 decimal places, got 1e-05"),
        ({"address": "auto", "resources": "disk:0.12345"}, "at most 4 decimal places"),
        ({"address": "auto", "resources": "CPU:1"}, "CPU of a worker is told by cpus"),
        ({"address": "auto", "resources": "a:1,a:2"}, "a resource is named twice"),
        ({"address": "auto", "resources": "disk"}, "NAME:AMOUNT.*got 'disk'"),
        ({"address": "auto", "resources": "disk:much"}, "disk: expected a number, got 'much'"),
        ({"address": "auto", "resources": "{"}, "resources is .*got '{'"),
        ({"resources": "disk:1"}, "embedded cluster has no custom resources"),
        ({"runtime_env": "/nowhere.yaml"}, "nowhere.yaml cannot be read"),
        ({"dashboard": "yes"}, "dashboard is true or false, got 'yes'"),
        ({"address": "auto", "dashboard": "true"}, "only the embedded cluster"),
    ],
)
def test_what_cannot_be_is_refused(texts: dict[str, str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        create_engine("ray", EngineOptions(parameters=texts))


def test_a_runtime_environment_is_a_mapping(tmp_path: Path) -> None:
    path = tmp_path / "env.yaml"
    path.write_text("- A\n")
    with pytest.raises(InputError, match="holds no mapping"):
        parse(runtime_env=str(path))


def test_more_gpus_than_the_machine_has_are_refused_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    with pytest.raises(InputError, match=r"gpus_per_worker 0\.5; GPUs of this machine: 1"):
        create_engine("ray", EngineOptions(workers=3, gpus_per_worker=0.5))


def test_without_the_package_the_error_tells_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "posemill.pipelines.engines.ray", raising=False)
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingDependency, match=r"--engine ray needs.*posemill\[ray\]"):
        create_engine("ray", EngineOptions())
