"""How many frames make a batch: as asked for, or what a trial on the device finds fastest."""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter
from typing import Any

import numpy as np

from posemill.errors import DeviceOutOfMemory, InputError
from posemill.models.estimators.base import EstimatorSpec, FrameEstimator, trial_boxes

TRIAL_SIZE_WH = (1280, 720)
_ENOUGH = 0.95
"""Of the best throughput: smaller batches leave memory, and wait less to be full."""
_ROUNDS = 3


def batch_size(estimator: FrameEstimator[Any, Any, Any], wanted: int | None, device: str) -> int:
    """Frames in a batch: `wanted`, or the trial's on a GPU, or the estimator's greatest.

    On a CPU a trial would cost more than it finds: throughput hardly depends on the batch.

    Raises:
        EnvironmentFault: the device fails in the trial.
    """
    if wanted is not None:
        return wanted
    if device == "cpu" or estimator.spec.max_batch == 1:
        return estimator.spec.max_batch
    return fastest(dict(_trials(estimator)))


def require_batch(spec: EstimatorSpec, wanted: int | None) -> None:
    """Raises:
    InputError: more frames are wanted in a batch than the estimator takes.
    """
    if wanted is not None and wanted > spec.max_batch:
        raise InputError(
            f"batches of {wanted} frames are asked for; {spec.name} takes {spec.max_batch} at "
            "most as it is set up (1 with --reproducible, or with weights of a fixed batch)"
        )


def fastest(frames_per_second: dict[int, float]) -> int:
    """The smallest batch of nearly the best throughput."""
    best = max(frames_per_second.values())
    return min(size for size, rate in frames_per_second.items() if rate >= _ENOUGH * best)


def _trials(estimator: FrameEstimator[Any, Any, Any]) -> Iterator[tuple[int, float]]:
    """Size and frames a second of batches of 1, 2, 4, ... until the device has no memory."""
    for exponent in range(estimator.spec.max_batch.bit_length()):
        size = 2**exponent
        try:
            yield size, _frames_per_second(estimator, size)
        except DeviceOutOfMemory:
            if size == 1:
                raise
            return


def _frames_per_second(estimator: FrameEstimator[Any, Any, Any], size: int) -> float:
    width, height = TRIAL_SIZE_WH
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    frames = [noise] * size
    batch, _ = estimator.preprocess(frames, trial_boxes(estimator.spec, frames))
    estimator.infer(batch)  # the first of a shape is slower: kernels are chosen
    started = perf_counter()
    for _ in range(_ROUNDS):
        estimator.infer(batch)
    return _ROUNDS * size / (perf_counter() - started)
