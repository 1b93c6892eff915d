"""The descriptions of Ray clusters, by Ray's own schema and its own command line."""

from __future__ import annotations

import shlex
from copy import deepcopy
from itertools import pairwise
from pathlib import Path
from typing import Any

import dockerfiles
import pytest
import yaml

pytest.importorskip("ray")

DOCKER = dockerfiles.ROOT / "docker"
LAUNCHER = DOCKER / "ray-cluster.yaml"
KUBERAY = DOCKER / "kuberay.yaml"


def load(path: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(path.read_text()))


def pod(group: dict[str, Any]) -> dict[str, Any]:
    return dict(group["template"]["spec"])


def container(group: dict[str, Any]) -> dict[str, Any]:
    (only,) = pod(group)["containers"]
    return dict(only)


def parsed_start(arguments: list[str]) -> dict[str, Any]:
    """What `ray start` understands of its arguments; nothing is started."""
    from ray.scripts.scripts import start

    return dict(start.make_context("start", arguments).params)


def test_rays_schema_takes_the_launchers_file_as_it_is_completed() -> None:
    from ray.autoscaler._private.util import prepare_config, validate_config

    prepared = prepare_config(deepcopy(load(LAUNCHER)))
    validate_config(prepared)
    assert prepared["available_node_types"]["head"]["max_workers"] == 0
    for commands in ("setup_commands", "head_setup_commands", "worker_setup_commands"):
        assert prepared[commands] == []  # all is in the image, and its user may not install


def test_the_schema_would_refuse_what_it_does_not_know() -> None:
    from jsonschema import ValidationError
    from ray.autoscaler._private.util import prepare_config, validate_config

    config = load(LAUNCHER)
    config["docker"]["imgae"] = config["docker"].pop("image")
    with pytest.raises((ValidationError, AssertionError)):
        validate_config(prepare_config(config))


def test_the_launchers_head_does_no_work_and_its_workers_have_gpus() -> None:
    config = load(LAUNCHER)
    types = config["available_node_types"]
    assert types[config["head_node_type"]]["resources"] == {"CPU": 0}
    gpu = types["gpu"]
    assert gpu["resources"]["GPU"] >= 1
    assert 0 <= gpu["min_workers"] <= gpu["max_workers"] <= config["max_workers"]


def test_the_launchers_token_is_where_its_variable_tells() -> None:
    config = load(LAUNCHER)
    options = shlex.split(" ".join(config["docker"]["run_options"]))
    variables = dict(value.split("=", 1) for flag, value in pairwise(options) if flag == "--env")
    (mount,) = config["file_mounts"]
    assert variables["RAY_AUTH_MODE"] == "token"
    assert Path(variables["RAY_AUTH_TOKEN_PATH"]).parent == Path(mount)


@pytest.mark.parametrize("part", ["head", "worker"])
def test_the_launchers_start_commands_are_ones_of_this_ray(part: str) -> None:
    stop, start = load(LAUNCHER)[f"{part}_start_ray_commands"]
    assert stop == "ray stop"
    program, command, *arguments = shlex.split(start)
    assert (program, command) == ("ray", "start")
    understood = parsed_start(arguments)
    assert understood["head"] is (part == "head")
    assert bool(understood["autoscaling_config"]) is (part == "head")


def test_kuberay_gets_the_ray_that_is_in_the_image() -> None:
    config = load(KUBERAY)
    assert (config["apiVersion"], config["kind"]) == ("ray.io/v1", "RayCluster")
    assert config["spec"]["rayVersion"] == dockerfiles.pinned("ray")
    assert config["spec"]["authOptions"] == {"mode": "token"}
    (worker,) = config["spec"]["workerGroupSpecs"]
    head = config["spec"]["headGroupSpec"]
    assert container(head)["image"] == container(worker)["image"]
    assert container(head)["image"] == load(LAUNCHER)["docker"]["image"]


def test_kuberays_start_parameters_are_ones_of_this_ray() -> None:
    spec = load(KUBERAY)["spec"]
    head, (worker,) = spec["headGroupSpec"], spec["workerGroupSpecs"]
    for group in (head, worker):
        flags = [f"--{name}={value}" for name, value in group["rayStartParams"].items()]
        understood = parsed_start(flags)
        assert understood["object_store_memory"] == 200_000_000
        assert (understood["num_cpus"] == 0) is (group is head)


def test_kuberays_pods_run_as_the_images_user_and_ask_for_what_they_may_have() -> None:
    spec = load(KUBERAY)["spec"]
    (worker,) = spec["workerGroupSpecs"]
    for group in (spec["headGroupSpec"], worker):
        assert pod(group)["securityContext"]["runAsUser"] == 1000
        resources = container(group)["resources"]
        assert resources["requests"] == resources["limits"]
    assert container(worker)["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert 0 <= worker["minReplicas"] <= worker["replicas"] <= worker["maxReplicas"]


def test_kuberays_volume_does_not_hide_the_weights() -> None:
    (worker,) = load(KUBERAY)["spec"]["workerGroupSpecs"]
    (mount,) = container(worker)["volumeMounts"]
    instructions = dockerfiles.read(DOCKER / "gpu.Dockerfile")
    (environment,) = [each.text for each in instructions if "POSEMILL_CACHE=" in each.text]
    cache = dict(pair.split("=", 1) for pair in shlex.split(environment))["POSEMILL_CACHE"]
    assert mount["mountPath"] == f"{cache}/videos"
    (volume,) = pod(worker)["volumes"]
    assert volume["name"] == mount["name"]
