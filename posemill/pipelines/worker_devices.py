"""Whether an estimator's device, the engine and the GPUs asked for go together."""

from __future__ import annotations

import re
from dataclasses import replace

from posemill.errors import InputError
from posemill.models.estimators.base import EstimatorOptions
from posemill.pipelines.engines.base import EngineOptions

_DEVICE = re.compile(r"cpu|cuda(:\d+)?")


def require_devices(device: str, engine: str, options: EngineOptions) -> None:
    """Raises:
    InputError: workers would all compute on one GPU of many, or have GPUs for nothing.
    """
    if not _DEVICE.fullmatch(device):
        raise InputError(f"device {device!r} cannot be used: expected cpu, cuda or cuda:N")
    gpus = options.gpus_per_worker
    if gpus and device != "cuda":
        raise InputError(
            f"--gpus-per-worker {gpus:g} with --device {device}: a worker sees its own GPUs only, "
            "and an estimator takes the first of them; give --device cuda, or no GPUs"
        )
    if engine == "ray" and device.startswith("cuda") and not gpus:
        raise InputError(
            f"--device {device} on Ray, and no GPU for a worker: Ray would start workers where "
            "there are none, or all on one; give --gpus-per-worker 1, or 0.5 for two on each GPU"
        )


def for_driver(options: EstimatorOptions, engine: str) -> EstimatorOptions:
    """To ask an estimator what it is, on a machine that may have none of the workers' devices."""
    return replace(options, elsewhere=engine != "local")
