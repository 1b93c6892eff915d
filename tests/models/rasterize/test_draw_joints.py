"""Joint maps drawn by torch, against the compiled transform."""

from __future__ import annotations

import numpy as np
import pytest
from drawn import joints
from placed_clips import placed_clip

torch = pytest.importorskip("torch")

from posemill.models.rasterize import DrawJoints, collate_placed  # noqa: E402
from posemill.transforms.placed import PlacedPoses  # noqa: E402

GAUSSIANS = [(0.6, 3.0), (1.0, 3.0), (0.35, 2.0), (9.0, 4.0)]
CLIPS = [
    placed_clip([2, 0, 9], seed=1),
    placed_clip([0, 0, 0], seed=2),
    placed_clip([1, 1, 2], seed=3, valid_hw=(13, 28)),
    placed_clip([0, 12, 5], seed=4, valid_hw=(20, 9)),
]


def compiled(clip: PlacedPoses, **options: object) -> np.ndarray:
    maps = joints((clip.xy_px, clip.score, clip.frame_ptr), clip.size_hw, **options)
    height, width = clip.valid_hw
    maps[..., height:, :] = maps[..., width:] = 0
    return maps


@pytest.mark.parametrize("combine", ["max", "sum"])
@pytest.mark.parametrize(("sigma", "truncate"), GAUSSIANS)
@pytest.mark.parametrize("pixels_at_once", [1, 1 << 22])
def test_maps_equal_the_compiled_ones(
    combine: str, sigma: float, truncate: float, pixels_at_once: int
) -> None:
    draw = DrawJoints(sigma, truncate, combine, pixels_at_once=pixels_at_once)
    maps = draw(collate_placed(CLIPS)).numpy()
    assert maps.shape == (4, 5, 3, 20, 28)
    assert maps.dtype == np.float32
    for clip, ours in zip(CLIPS, maps, strict=True):
        theirs = compiled(clip, sigma=sigma, truncate=truncate, combine=combine)
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5)
    assert maps[0].any()


def test_cubes_lie_frame_by_frame() -> None:
    batch = collate_placed(CLIPS)
    cubes = DrawJoints(0.6, time_first=True)(batch)
    assert cubes.is_contiguous()
    torch.testing.assert_close(cubes.transpose(1, 2), DrawJoints(0.6)(batch), rtol=0, atol=0)


def test_nobody_anywhere_gives_zeros() -> None:
    maps = DrawJoints(0.6)(collate_placed([placed_clip([0, 0])] * 2))
    assert maps.shape == (2, 5, 2, 20, 28)
    assert not maps.any()


def test_the_device_is_asked_for_nothing() -> None:
    """Tensors on meta have no numbers: whatever the host would wait for fails there."""
    batch = collate_placed(CLIPS).to("meta")
    for combine in ("max", "sum"):
        maps = DrawJoints(0.6, combine=combine)(batch)
        assert maps.shape == (4, 5, 3, 20, 28)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sigma": 0.05}, "sigma must be 0.1 px or more"),
        ({"sigma": 1.0, "truncate": 0.0}, "truncate"),
        ({"sigma": 1.0, "combine": "mean"}, "'max' or 'sum', got 'mean'"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DrawJoints(**settings)
