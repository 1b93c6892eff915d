"""Joint maps by the plain formula, in float64, a frame and a person at a time; made-up poses."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from posemill.schema import PoseSequence

GOLDEN = Path(__file__).parents[2].parent / "shared" / "golden"

Array = npt.NDArray[Any]


def dense_joints(
    xy: Array, score: Array, ptr: Array, sigma: float, size_hw: tuple[int, int], combine: str
) -> Array:
    """(K, T, H, W) float64: c exp(-d^2 / (2 sigma^2)) where |x|, |y| distances allow it."""
    height, width = size_hw
    columns, rows = np.arange(width)[None, :], np.arange(height)[:, None]
    out = np.zeros((score.shape[1], len(ptr) - 1, height, width))
    for k in range(score.shape[1]):
        for t in range(len(ptr) - 1):
            for p in range(ptr[t], ptr[t + 1]):
                x, y, c = float(xy[p, k, 0]), float(xy[p, k, 1]), float(score[p, k])
                if c < 1e-3 or math.isnan(c) or not (math.isfinite(x) and math.isfinite(y)):
                    continue
                near_x = (columns >= math.floor(x - 3 * sigma)) & (columns <= x + 3 * sigma)
                near_y = (rows >= math.floor(y - 3 * sigma)) & (rows <= y + 3 * sigma)
                square = (columns - x) ** 2 + (rows - y) ** 2
                gaussian = np.where(near_x & near_y, c * np.exp(-square / (2 * sigma**2)), 0.0)
                if combine == "max":
                    out[k, t] = np.maximum(out[k, t], gaussian)
                else:
                    out[k, t] += gaussian
    return out


def golden(name: str) -> dict[str, Any]:
    """A reference file as ragged rows, or skip the test where it is not at hand."""
    path = GOLDEN / f"{name}.npz"
    if not path.exists():
        pytest.skip(f"the reference arrays are not at {path}")
    with np.load(path) as arrays:
        data = dict(arrays)
    persons, frames, keypoints, _ = data["keypoint"].shape
    data["xy"] = data["keypoint"].swapaxes(0, 1).reshape(frames * persons, keypoints, 2)
    data["rows_score"] = data["score"].swapaxes(0, 1).reshape(frames * persons, keypoints)
    data["ptr"] = np.arange(frames + 1) * persons
    data["size"] = tuple(int(side) for side in data["size_hw"])
    return data


def random_people(
    seed: int, num_frames: int, max_persons: int, keypoints: int, size_hw: tuple[int, int]
) -> tuple[Array, Array, Array]:
    """xy, score, ptr: 0 to `max_persons` a frame, some joints missing, some off the map."""
    rng = np.random.default_rng(seed)
    ptr = np.concatenate([[0], np.cumsum(rng.integers(0, max_persons + 1, num_frames))])
    span = np.array([size_hw[1] + 8.0, size_hw[0] + 8.0])
    xy = rng.uniform(0, 1, (ptr[-1], keypoints, 2)) * span - 4.0
    score = rng.uniform(0.01, 1.0, (ptr[-1], keypoints))
    score[rng.random(score.shape) < 0.15] = 0.0
    xy[score == 0] = np.nan
    return xy.astype(np.float32), score.astype(np.float32), ptr.astype(np.int64)


def made_pose(
    num_frames: int, num_persons: int, *, seed: int = 0, width: int = 320, height: int = 240
) -> PoseSequence:
    """People who wander about a frame, at 25 frames a second."""
    rng = np.random.default_rng(seed)
    centre = np.array([width / 2, height / 2]) + rng.normal(0, 30, (1, num_persons, 17, 2))
    xy = centre + np.cumsum(rng.normal(0, 2, (num_frames, num_persons, 17, 2)), axis=0)
    num_rows = num_frames * num_persons
    return PoseSequence(
        skeleton="coco-17",
        xy_px=xy.reshape(num_rows, 17, 2).astype(np.float32),
        score=rng.uniform(0.2, 1.0, (num_rows, 17)).astype(np.float32),
        frame=np.repeat(np.arange(num_frames), num_persons),
        slot=np.tile(np.arange(num_persons), num_frames),
        pts_seconds=np.arange(num_frames) / 25.0,
        width=width,
        height=height,
        frames_declared=num_frames,
    )
