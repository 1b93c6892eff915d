from dataclasses import replace

import numpy as np
import pytest
from lit_joints import WRIST, lit_sample, where_lit
from samples import made_sample, rng

from posemill.transforms.recipes import create_recipe
from posemill.transforms.sample import Pictures, Sample
from posemill.transforms.skeletons import PARNET_14

SMALL = {"length": "4", "short_side": "64", "crop": "56", "canvas_hw": "64,86"}
LEFT = PARNET_14.keypoints.index("left_wrist")
FRAMES = [
    {"width": 320, "height": 240},
    {"width": 320, "height": 240, "decoded_hw": (120, 160)},
    {"width": 240, "height": 320, "decoded_hw": (400, 300)},
]


def assert_lit_where_the_pose_says(
    frames: np.ndarray, poses: np.ndarray, joint: int, away: float = 0.5
) -> int:
    """Of pictures (T, 56, 56, 3) and poses (T, M, 14, 2); how many joints were in the crop."""
    seen = 0
    for picture, xy in zip(frames, poses[:, 0, joint], strict=True):
        at = xy * 56 - 0.5  # the crop covers [0, 1], from edge to edge
        if (np.abs(at - 27.5) < 22).all():
            assert where_lit(picture) == pytest.approx(at, abs=away)
            seen += 1
    return seen


@pytest.mark.parametrize("options", FRAMES)
def test_frames_and_poses_are_of_the_same_frames_and_crop(options: dict[str, int]) -> None:
    sample = lit_sample(40, **options)
    arrays = create_recipe("parnet-frames", SMALL)(sample, rng())
    poses = create_recipe("parnet", {"length": "4", "short_side": "64", "crop": "56"})(
        sample, rng()
    )
    assert arrays["frame_index"].tolist() == [5, 15, 25, 35]
    assert all(np.array_equal(arrays[name], poses[name]) for name in poses)
    assert assert_lit_where_the_pose_says(arrays["frames"], arrays["poses"], LEFT) > 0


@pytest.mark.parametrize("options", FRAMES)
@pytest.mark.parametrize("scale", ["1,1", "0.5,1"])
def test_so_they_are_after_every_crop_and_flip(options: dict[str, int], scale: str) -> None:
    sample = lit_sample(41, **options)
    recipe = create_recipe("parnet-frames", {**SMALL, "draw": "cache", "scale": scale})
    arrays = recipe(sample, rng())
    assert arrays["frames"].shape == (12, 64, 86, 3)
    sides, seen = set(), 0
    for seed in range(10):
        view, mirrored = recipe.draw_view(arrays, PARNET_14, rng(seed), flip=0.3)
        assert view["frames"].shape == (4, 56, 56, 3)
        assert view["poses"].shape == (4, 4, 14, 2)
        joint = PARNET_14.mirror[LEFT] if mirrored else LEFT
        # What was shrunk for the canvas, or is enlarged from less, has larger pixels.
        seen += assert_lit_where_the_pose_says(view["frames"], view["poses"], joint, 0.8)
        sides.add(mirrored)
    assert seen > 10
    assert sides == {False, True}


def test_a_crop_of_the_full_scale_is_cut_out_on_whole_pixels() -> None:
    sample = lit_sample(41)
    recipe = create_recipe("parnet-frames", {**SMALL, "draw": "cache", "scale": "1,1"})
    arrays = recipe(sample, rng())
    arrays["frames"][...] = rng().integers(0, 256, arrays["frames"].shape)
    view, _ = recipe.draw_view(arrays, PARNET_14, rng(1), flip=0.0)
    first = view["frames"][0]
    found = [
        (number, top, left)
        for number in range(3)
        for top in range(9)
        for left in range(31)
        if np.array_equal(arrays["frames"][number, top : top + 56, left : left + 56], first)
    ]
    assert len(found) == 1


def test_the_fixed_view_of_a_cache_is_that_of_a_test() -> None:
    sample = lit_sample(40)
    test, cache = (create_recipe("parnet-frames", {**SMALL, "draw": d}) for d in ("test", "cache"))
    shown = test.fixed_views(test(sample, rng()), PARNET_14, mirrored=False)
    kept = cache(sample, rng())
    ours = cache.fixed_views(kept, PARNET_14, mirrored=False)
    assert ours["poses"] == pytest.approx(shown["poses"], abs=1e-5)
    # Shrunk whole and then cropped, or cropped between pixels and then shrunk.
    assert np.abs(ours["frames"].astype(int) - shown["frames"]).max() <= 12
    flipped = cache.fixed_views(kept, PARNET_14, mirrored=True)
    assert np.array_equal(flipped["frames"], ours["frames"][..., ::-1, :])
    again = cache.mirror(flipped, PARNET_14)
    assert np.array_equal(again["frames"], ours["frames"])
    assert again["poses"] == pytest.approx(ours["poses"], abs=1e-6)


def test_what_is_missing_stays_at_zero() -> None:
    made = made_sample(40, 2)
    score = made.pose.score.copy()
    score[:, WRIST] = 0
    sample = Sample(replace(made.pose, score=score), pictures=lit_sample(40).pictures)
    recipe = create_recipe("parnet-frames", {**SMALL, "draw": "cache"})
    arrays = recipe(sample, rng())
    for seed in range(6):
        view, mirrored = recipe.draw_view(arrays, PARNET_14, rng(seed), flip=0.5)
        joint = PARNET_14.mirror[LEFT] if mirrored else LEFT
        assert not view["poses"][:, :, joint].any()
        assert not view["poses"][:, 2:].any()
        assert view["poses"][:, :2].any()


@pytest.mark.parametrize("scale", [0.5, 1.0])
def test_a_scale_says_how_much_of_the_picture_a_view_shows(scale: float) -> None:
    """Of pictures whose grey rises by one level a column: 56 columns of the canvas, or 28."""
    pose = made_sample(8, 1, width=86, height=64).pose
    columns = np.broadcast_to(np.arange(86, dtype=np.uint8)[None, :, None], (64, 86, 3))
    sample = Sample(pose, pictures=Pictures(np.arange(8), np.stack([columns] * 8)))
    recipe = create_recipe("parnet-frames", {**SMALL, "draw": "cache", "scale": f"{scale},{scale}"})
    arrays = recipe(sample, rng())
    for seed in range(5):
        view, _ = recipe.draw_view(arrays, PARNET_14, rng(seed), flip=0.0)
        row = view["frames"][0, 28, :, 0].astype(float)
        assert row[-1] - row[0] == pytest.approx(56 * scale, abs=1.5)
