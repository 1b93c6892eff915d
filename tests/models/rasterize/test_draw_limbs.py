"""Limb maps drawn by torch, against the compiled transform."""

from __future__ import annotations

import numpy as np
import pytest
from drawn import limbs
from placed_clips import placed_clip

torch = pytest.importorskip("torch")

from posemill.models.rasterize import DrawLimbs, collate_placed  # noqa: E402
from posemill.transforms.placed import PlacedPoses  # noqa: E402

PAIRS = ((0, 1), (1, 2), (4, 0), (3, 2))
GAUSSIANS = [(0.6, 3.0), (1.0, 3.0), (0.35, 2.0), (9.0, 4.0)]
CLIPS = [
    placed_clip([2, 0, 9], seed=1),
    placed_clip([0, 0, 0], seed=2),
    placed_clip([1, 1, 2], seed=3, valid_hw=(13, 28)),
    placed_clip([0, 12, 5], seed=4, valid_hw=(20, 9)),
]


def compiled(clip: PlacedPoses, **options: object) -> np.ndarray:
    maps = limbs((clip.xy_px, clip.score, clip.frame_ptr), PAIRS, clip.size_hw, **options)
    height, width = clip.valid_hw
    maps[..., height:, :] = maps[..., width:] = 0
    return maps


def special(xy: list[list[float]], size_hw: tuple[int, int]) -> PlacedPoses:
    """One frame each of people of two joints."""
    joints = np.array(xy, np.float32).reshape(-1, 2, 2)
    score = np.full(joints.shape[:2], 0.9, np.float32)
    return PlacedPoses(joints, score, np.arange(len(joints) + 1), size_hw, size_hw)


@pytest.mark.parametrize("combine", ["max", "sum"])
@pytest.mark.parametrize(("sigma", "truncate"), GAUSSIANS)
@pytest.mark.parametrize("pixels_at_once", [20_000, 1 << 22])
def test_maps_equal_the_compiled_ones(
    combine: str, sigma: float, truncate: float, pixels_at_once: int
) -> None:
    draw = DrawLimbs(PAIRS, 5, sigma, truncate, combine, pixels_at_once=pixels_at_once)
    maps = draw(collate_placed(CLIPS)).numpy()
    assert maps.shape == (4, 4, 3, 20, 28)
    for clip, ours in zip(CLIPS, maps, strict=True):
        theirs = compiled(clip, sigma=sigma, truncate=truncate, combine=combine)
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5)
    assert maps[0].any()


@pytest.mark.parametrize("size_hw", [(12, 40), (40, 12), (30, 30)])
def test_limbs_in_every_direction_equal_the_compiled_ones(size_hw: tuple[int, int]) -> None:
    """Upright, flat, diagonal, of one point, shorter than a pixel, from far off, beside the map."""
    xy = [
        [5, 2, 5, 9], [5, 9, 5, 2], [2, 5, 9, 5], [9, 5, 2, 5], [1, 1, 9, 9], [9, 1, 1, 9],
        [4.5, 4.5, 4.5, 4.5], [4.2, 4.9, 4.4, 5.3], [-900, -300, 2000, 700], [3, -2, 8, -2],
        [-5, 4, -3, 9], [0, 0, 39, 11], [11, 39, 0, 0], [2.25, 3.5, 10.75, 5.25],
    ]  # fmt: skip
    clip = special(xy, size_hw)
    ours = DrawLimbs([(0, 1)], 2, 0.6)(collate_placed([clip])).numpy()[0]
    theirs = limbs((clip.xy_px, clip.score, clip.frame_ptr), [(0, 1)], size_hw, sigma=0.6)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5)
    assert (ours.max(axis=(0, 2, 3)) > 0.5).sum() >= 9


def test_nobody_anywhere_gives_zeros() -> None:
    maps = DrawLimbs(PAIRS, 5, 0.6)(collate_placed([placed_clip([0, 0])]))
    assert maps.shape == (1, 4, 2, 20, 28)
    assert not maps.any()


def test_the_device_is_asked_for_nothing() -> None:
    """Tensors on meta have no numbers: whatever the host would wait for fails there."""
    batch = collate_placed(CLIPS).to("meta")
    for combine in ("max", "sum"):
        maps = DrawLimbs(PAIRS, 5, 0.6, combine=combine).to("meta")(batch)
        assert maps.shape == (4, 4, 3, 20, 28)


def test_limbs_of_other_skeletons_are_refused() -> None:
    with pytest.raises(ValueError, match="limbs must join two different joints from 0 to 4"):
        DrawLimbs([(0, 5)], 5, 0.6)
    with pytest.raises(ValueError, match="limbs of 6 joints need poses of as many, got 5"):
        DrawLimbs(PAIRS, 6, 0.6)(collate_placed(CLIPS))
