from __future__ import annotations

import pytest

from posemill.errors import InputError
from posemill.models.estimators.base import EstimatorOptions
from posemill.pipelines.engines.base import EngineOptions
from posemill.pipelines.worker_devices import for_driver, require_devices


@pytest.mark.parametrize(
    ("device", "engine", "gpus"),
    [
        ("cpu", "local", 0),
        ("cpu", "ray", 0),
        ("cuda", "local", 0),
        ("cuda:3", "local", 0),
        ("cuda", "local", 0.5),
        ("cuda", "ray", 1),
        ("cuda", "ray", 0.25),
        ("cuda", "beam", 0),
        ("cuda", "beam", 1),
    ],
)
def test_what_goes_together(device: str, engine: str, gpus: float) -> None:
    require_devices(device, engine, EngineOptions(gpus_per_worker=gpus))


@pytest.mark.parametrize(
    ("device", "engine", "gpus", "words"),
    [
        ("cpu", "local", 1, r"--gpus-per-worker 1 with --device cpu.*give --device cuda"),
        ("cuda:1", "ray", 1, r"--gpus-per-worker 1 with --device cuda:1"),
        ("cuda", "ray", 0, r"on Ray, and no GPU.*give --gpus-per-worker 1, or 0.5"),
        ("cuda:0", "ray", 0, r"on Ray, and no GPU"),
        ("gpu", "beam", 0, r"device 'gpu' cannot be used: expected cpu, cuda or cuda:N"),
    ],
)
def test_what_does_not(device: str, engine: str, gpus: float, words: str) -> None:
    with pytest.raises(InputError, match=words):
        require_devices(device, engine, EngineOptions(gpus_per_worker=gpus))


def test_a_local_driver_sees_at_once_that_its_device_is_not_there() -> None:
    options = EstimatorOptions(device="cuda")
    assert for_driver(options, "local").device_here == "cuda"
    for engine in ("ray", "beam"):
        asked = for_driver(options, engine)
        assert (asked.device, asked.device_here) == ("cuda", "cpu")
