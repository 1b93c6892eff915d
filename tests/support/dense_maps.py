"""Maps by the plain formulas, in float64, a person at a time; made-up poses."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from posemill.schema import PoseSequence

GOLDEN = Path(__file__).parents[2].parent / "shared" / "golden"

Array = npt.NDArray[Any]


def dense_joints(
    xy: Array,
    score: Array,
    ptr: Array,
    sigma: float,
    size_hw: tuple[int, int],
    combine: str,
    *,
    truncate: float = 3.0,
    published_cut: bool = False,
) -> Array:
    """(K, T, H, W) float64: c exp(-d^2 / (2 sigma^2)) where the x and y distances allow it.

    The published code starts at the pixel that holds x - 3 sigma, so up to one
    further left and top: `published_cut`.
    """
    columns, rows = pixels(size_hw)
    reach = truncate * sigma
    out = np.zeros((score.shape[1], len(ptr) - 1, *size_hw))
    for k, t, p in each_person(score.shape[1], ptr):
        (x, y), c = xy[p, k].astype(float), float(score[p, k])
        if not drawable(x, y, c):
            continue
        low = (math.floor(x - reach), math.floor(y - reach)) if published_cut else (x, y)
        near = (np.abs(columns - x) <= reach) | ((columns < x) & (columns >= low[0]))
        near = near & ((np.abs(rows - y) <= reach) | ((rows < y) & (rows >= low[1])))
        square = (columns - x) ** 2 + (rows - y) ** 2
        meet(out[k, t], np.where(near, c * np.exp(-square / (2 * sigma**2)), 0.0), combine)
    return out


def published_ring(
    xy: Array, score: Array, ptr: Array, sigma: float, size_hw: tuple[int, int]
) -> Array:
    """(K, T, H, W): what the published code draws of joint maps and we do not, else zeros.

    It begins at the pixel that holds x - 3 sigma, one more than is within 3 sigma.
    """
    people = xy, score, ptr
    symmetric = dense_joints(*people, sigma, size_hw, "max")
    lopsided = dense_joints(*people, sigma, size_hw, "max", published_cut=True)
    return np.where(lopsided > symmetric, lopsided, 0.0)


def dense_limbs(
    xy: Array,
    score: Array,
    ptr: Array,
    limbs: Sequence[tuple[int, int]],
    sigma: float,
    size_hw: tuple[int, int],
    combine: str,
    *,
    truncate: float = 3.0,
    published_cut: bool = False,
    least_length: float = 0.0,
) -> Array:
    """(L, T, H, W) float64: min(c_a, c_b) exp(-D^2 / (2 sigma^2)), D to the segment.

    Limbs shorter than `least_length` are left out.
    """
    columns, rows = pixels(size_hw)
    reach = truncate * sigma
    out = np.zeros((len(limbs), len(ptr) - 1, *size_hw))
    for number, t, p in each_person(len(limbs), ptr):
        a, b = limbs[number]
        (ax, ay), (bx, by) = xy[p, a].astype(float), xy[p, b].astype(float)
        ca, cb = float(score[p, a]), float(score[p, b])
        if not (drawable(ax, ay, ca) and drawable(bx, by, cb)):
            continue
        dx, dy = bx - ax, by - ay
        if math.hypot(dx, dy) < least_length:
            continue
        along = ((columns - ax) * dx + (rows - ay) * dy) / max(dx * dx + dy * dy, 1e-300)
        along = np.clip(along, 0.0, 1.0)
        square = (columns - ax - along * dx) ** 2 + (rows - ay - along * dy) ** 2
        left, top = min(ax, bx) - reach, min(ay, by) - reach
        if published_cut:
            left, top = math.floor(left), math.floor(top)
        near = (columns >= left) & (columns <= max(ax, bx) + reach)
        near = near & (rows >= top) & (rows <= max(ay, by) + reach)
        value = np.where(near, min(ca, cb) * np.exp(-square / (2 * sigma**2)), 0.0)
        meet(out[number, t], value, combine)
    return out


def published_short_limbs(
    xy: Array,
    score: Array,
    ptr: Array,
    limbs: Sequence[tuple[int, int]],
    sigma: float,
    size_hw: tuple[int, int],
) -> tuple[Array, Array]:
    """(L, T): in which maps there is a limb shorter than a pixel; (L, T, H, W): as published."""
    short = np.zeros((len(limbs), len(ptr) - 1), bool)
    out = np.zeros((*short.shape, *size_hw))
    for number, t, p in each_person(len(limbs), ptr):
        a, b = limbs[number]
        if min(score[p, a], score[p, b]) >= 1e-3 and np.hypot(*(xy[p, a] - xy[p, b])) < 1:
            short[number, t] = True
            start = xy[p : p + 1, a : a + 1], score[p : p + 1, a : a + 1], np.array([0, 1])
            maps = dense_joints(*start, sigma, size_hw, "max", published_cut=True)
            meet(out[number, t], maps[0, 0], "max")
    return short, out


def dense_part_fields(
    xy: Array,
    score: Array,
    ptr: Array,
    limbs: Sequence[tuple[int, int]],
    size_hw: tuple[int, int],
    *,
    half_width: float = 1.0,
    weighted: bool = False,
) -> Array:
    """(2 L, T, H, W) float64: the mean over the people of a pixel of their limb's unit vector."""
    columns, rows = pixels(size_hw)
    total = np.zeros((2 * len(limbs), len(ptr) - 1, *size_hw))
    people = np.zeros((len(limbs), len(ptr) - 1, *size_hw))
    for number, t, p in each_person(len(limbs), ptr):
        a, b = limbs[number]
        (ax, ay), (bx, by) = xy[p, a].astype(float), xy[p, b].astype(float)
        ca, cb = float(score[p, a]), float(score[p, b])
        length = math.hypot(bx - ax, by - ay)
        if not (drawable(ax, ay, ca) and drawable(bx, by, cb) and length > 0):
            continue
        vx, vy = (bx - ax) / length, (by - ay) / length
        along = (columns - ax) * vx + (rows - ay) * vy
        across = (columns - ax) * vy - (rows - ay) * vx
        on = (along >= 0) & (along <= length) & (np.abs(across) <= half_width)
        if length < 1:
            middle_x, middle_y = (ax + bx) / 2, (ay + by) / 2
            on |= (np.abs(columns - middle_x) <= 0.5) & (np.abs(rows - middle_y) <= 0.5)
        weight = min(ca, cb) if weighted else 1.0
        total[2 * number, t] += np.where(on, weight * vx, 0.0)
        total[2 * number + 1, t] += np.where(on, weight * vy, 0.0)
        people[number, t] += on
    return total / np.maximum(np.repeat(people, 2, axis=0), 1)


def pixels(size_hw: tuple[int, int]) -> tuple[Array, Array]:
    """x (1, W) and y (H, 1) of the pixels."""
    return np.arange(size_hw[1])[None, :], np.arange(size_hw[0])[:, None]


def each_person(count: int, ptr: Array) -> Iterator[tuple[int, int, int]]:
    """(map, frame, row) of everybody."""
    for number in range(count):
        for t in range(len(ptr) - 1):
            for p in range(ptr[t], ptr[t + 1]):
                yield number, t, p


def drawable(x: float, y: float, c: float) -> bool:
    return c >= 1e-3 and math.isfinite(x) and math.isfinite(y)


def meet(plane: Array, value: Array, combine: str) -> None:
    """Another person's map into `plane`."""
    if combine == "max":
        np.maximum(plane, value, out=plane)
    else:
        plane += value


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
