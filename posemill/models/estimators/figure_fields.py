"""What the `figure` network learns to paint: joint heatmaps and part fields, at stride 4.

Cell (row r, column c) lies at pixel (4 c + 1.5, 4 r + 1.5), the middle of the
4 x 4 pixels that it covers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from posemill.schema import Float32
from posemill.transforms.skeletons import COCO_17

STRIDE = 4
SIGMA_CELLS = 1.5
HALF_WIDTH_CELLS = 1.0
NUM_JOINTS = COCO_17.num_keypoints

# A tree over the 17 joints, from the nose outwards, and two limbs more, across the
# shoulders and the hips: they hold a body together whose nose is not on the picture.
FIELD_LIMBS: tuple[tuple[int, int], ...] = (
    (0, 1),
    (0, 2),
    (1, 3),
    (2, 4),
    (0, 5),
    (0, 6),
    (5, 7),
    (7, 9),
    (6, 8),
    (8, 10),
    (5, 11),
    (6, 12),
    (11, 13),
    (13, 15),
    (12, 14),
    (14, 16),
    (5, 6),
    (11, 12),
)


def to_cells(xy_px: Float32) -> Float32:
    """Pixels to cells, both with centres on integers."""
    return np.asarray((xy_px - (STRIDE - 1) / 2) / STRIDE, np.float32)


def to_pixels(xy_cells: Float32) -> Float32:
    """Cells to pixels, both with centres on integers."""
    return np.asarray(xy_cells * STRIDE + (STRIDE - 1) / 2, np.float32)


def encode(
    xy_px: Float32, labelled: Sequence[Sequence[bool]], rows: int, columns: int
) -> tuple[Float32, Float32]:
    """Targets of one picture with N people, joints (N, 17, 2).

    Returns heatmaps (17, rows, columns), the greatest over the people of
    exp(-d^2 / (2 sigma^2)), and fields (36, rows, columns), the unit vector
    along a limb on the cells within `HALF_WIDTH_CELLS` of it.
    """
    cells = to_cells(xy_px)
    heatmaps = np.zeros((NUM_JOINTS, rows, columns), np.float32)
    fields = np.zeros((len(FIELD_LIMBS), 2, rows, columns), np.float32)
    across, down = np.arange(columns, dtype=np.float32), np.arange(rows, dtype=np.float32)
    for joints, known in zip(cells, labelled, strict=True):
        for joint in np.flatnonzero(known):
            x = np.exp(-((across - joints[joint, 0]) ** 2) / (2 * SIGMA_CELLS**2))
            y = np.exp(-((down - joints[joint, 1]) ** 2) / (2 * SIGMA_CELLS**2))
            np.maximum(heatmaps[joint], y[:, None] * x, out=heatmaps[joint])
        for limb, (parent, child) in enumerate(FIELD_LIMBS):
            if known[parent] and known[child]:
                _paint_limb(fields[limb], joints[parent], joints[child])
    return heatmaps, fields.reshape(-1, rows, columns)


def _paint_limb(field: Float32, start: Float32, end: Float32) -> None:
    """Write the unit vector from `start` to `end` into `field` (2, rows, columns), in cells."""
    rows, columns = field.shape[1:]
    reach = HALF_WIDTH_CELLS
    low = np.maximum(np.floor(np.minimum(start, end) - reach), 0).astype(int)
    high = np.ceil(np.maximum(start, end) + reach).astype(int) + 1
    x = np.arange(low[0], min(high[0], columns), dtype=np.float32) - start[0]
    y = np.arange(low[1], min(high[1], rows), dtype=np.float32)[:, None] - start[1]
    if x.size == 0 or y.size == 0:
        return
    length = max(float(np.hypot(*(end - start))), 1e-3)
    unit = (end - start) / np.float32(length)
    along = x * unit[0] + y * unit[1]
    beside = np.abs(y * unit[0] - x * unit[1])
    on = (beside <= reach) & (along >= -0.5) & (along <= length + 0.5)
    area = field[:, low[1] : low[1] + y.size, low[0] : low[0] + x.size]
    area[:, on] = unit[:, None]
