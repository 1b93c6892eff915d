"""Made-up placed poses: ragged, with missing joints, and joints off the maps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from posemill.transforms.placed import PlacedPoses


def placed_clip(
    people: Sequence[int],
    *,
    num_keypoints: int = 5,
    size_hw: tuple[int, int] = (20, 28),
    valid_hw: tuple[int, int] | None = None,
    seed: int = 0,
) -> PlacedPoses:
    """As many people in every frame as `people` says, of joints anywhere on and around the maps.

    Some joints have no score or a faint one, some no coordinates, some lie far
    off, and some exactly between and on pixels.
    """
    rng = np.random.default_rng(seed)
    rows = int(np.sum(people))
    shape = rows, num_keypoints
    extent = np.array(size_hw[::-1])
    xy = rng.uniform(-0.3, 1.3, (*shape, 2)) * extent
    snapped = rng.random(shape) < 0.3
    xy[snapped] = np.rint(xy[snapped] * 2) / 2
    score = rng.uniform(0.05, 1.0, shape)
    score[rng.random(shape) < 0.2] = 0.0
    score[rng.random(shape) < 0.05] = 9e-4
    xy[rng.random(shape) < 0.1] = np.nan
    xy[rng.random(shape) < 0.05] = -1e4
    xy[rng.random(shape) < 0.02] = np.inf
    ptr = np.concatenate([[0], np.cumsum(people)]).astype(np.int64)
    return PlacedPoses(
        xy.astype(np.float32), score.astype(np.float32), ptr, size_hw, valid_hw or size_hw
    )
