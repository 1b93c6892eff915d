"""Maps as the rasterisers draw them, into new arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from posemill.transforms.rasterize import draw_joints, draw_limbs, draw_part_fields

Array = np.ndarray
People = tuple[Array, Array, Array]


def joints(people: People, size_hw: tuple[int, int], dtype: str = "f4", **options: Any) -> Array:
    """(K, T, H, W)."""
    out = np.zeros((people[1].shape[1], len(people[2]) - 1, *size_hw), dtype)
    draw_joints(*people, out, **({"sigma": 0.6} | options))
    return out


def limbs(
    people: People,
    pairs: Sequence[tuple[int, int]],
    size_hw: tuple[int, int],
    dtype: str = "f4",
    **options: Any,
) -> Array:
    """(L, T, H, W)."""
    out = np.zeros((len(pairs), len(people[2]) - 1, *size_hw), dtype)
    draw_limbs(*people, pairs, out, **({"sigma": 0.6} | options))
    return out


def part_fields(
    people: People,
    pairs: Sequence[tuple[int, int]],
    size_hw: tuple[int, int],
    dtype: str = "f4",
    **options: Any,
) -> Array:
    """(2 L, T, H, W)."""
    out = np.zeros((2 * len(pairs), len(people[2]) - 1, *size_hw), dtype)
    draw_part_fields(*people, pairs, out, **options)
    return out


def person(*joints: tuple[float, float, float]) -> People:
    """One person in one frame; a joint is x, y, score."""
    rows = np.array(joints, np.float32)[None]
    return rows[..., :2], rows[..., 2], np.array([0, 1])
