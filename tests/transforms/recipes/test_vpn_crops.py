import numpy as np
import pytest
from lit_joints import WRIST, lit_sample, where_lit
from samples import made_sample, rng

from posemill.transforms.geometry import Box, map_to
from posemill.transforms.people import track_order
from posemill.transforms.recipes import create_recipe
from posemill.transforms.sample import Pictures, Sample
from posemill.transforms.skeletons import COCO_17

SMALL = {"pictures": "8", "size": "56", "views": "3", "length": "5"}
HIPS = [11, 12]


def square_of(xy: np.ndarray) -> Box:
    """1.25 times the extent of what is known, squared."""
    low, high = xy.reshape(-1, 2).min(0), xy.reshape(-1, 2).max(0)
    side = float((high - low).max() * 1.25)
    return Box(*((low + high) / 2 - side / 2).tolist(), side, side)


def test_windows_run_from_the_first_frame_to_the_last() -> None:
    sample = lit_sample(20, decoded_hw=(120, 160))
    arrays = create_recipe("vpn-crops", SMALL)(sample, rng())
    # 20 frames are more than 2 x 8: every other one, so that windows start at 0, 2 and 4.
    expected = [[start + 2 * i for i in range(8)] for start in (0, 2, 4)]
    assert arrays["picture_index"].tolist() == expected
    assert arrays["frames"].shape == (3, 8, 56, 56, 3)
    box = square_of(sample.pose.xy_px)
    for numbers, window in zip(arrays["picture_index"], arrays["frames"], strict=True):
        for number, picture in zip(numbers, window, strict=True):
            there = map_to(sample.pose.xy_px[number, WRIST], box, (56, 56))
            assert where_lit(picture) == pytest.approx(there, abs=0.5)
    # Four frames: each is there twice.
    short = create_recipe("vpn-crops", SMALL)(lit_sample(4), rng())
    assert short["picture_index"].tolist() == [[0, 0, 1, 1, 2, 2, 3, 3]] * 3


@pytest.mark.parametrize("draw", ["test", "cache"])
def test_poses_are_those_of_vpn_pose(draw: str) -> None:
    sample = lit_sample(50)
    arrays = create_recipe("vpn-crops", {**SMALL, "draw": draw})(sample, rng())
    poses = create_recipe("vpn-pose", {"length": "5", "draw": draw})(sample, rng())
    for name, values in poses.items():
        assert np.array_equal(arrays[name], values)


@pytest.mark.parametrize("decoded_hw", [(240, 320), (120, 160)])
def test_a_joint_is_as_far_from_the_root_in_pictures_as_in_poses(
    decoded_hw: tuple[int, int],
) -> None:
    sample = lit_sample(50, decoded_hw=decoded_hw, moving=False)
    recipe = create_recipe("vpn-crops", {**SMALL, "draw": "cache", "windows": "2"})
    arrays = recipe(sample, rng())
    assert arrays["frames"].shape == (2, 8, 56, 56, 3)
    box = square_of(sample.pose.xy_px)
    px_of_unit = 240 * 56 / box.width  # poses are in frame heights
    root = map_to(sample.pose.xy_px[0, HIPS].mean(axis=0), box, (56, 56))
    sides = set()
    for seed in range(8):
        view, mirrored = recipe.draw_view(arrays, COCO_17, rng(seed), flip=0.5)
        sides.add(mirrored)
        at = np.array([55 - root[0], root[1]]) if mirrored else root
        joint = COCO_17.mirror[WRIST] if mirrored else WRIST
        expected = at + view["poses"][:2, joint, 0] * px_of_unit
        for picture in view["frames"]:
            assert where_lit(picture) == pytest.approx(expected, abs=0.5)
    assert sides == {False, True}


def test_a_training_view_is_one_of_the_windows() -> None:
    recipe = create_recipe("vpn-crops", {**SMALL, "draw": "cache", "windows": "4"})
    arrays = recipe(lit_sample(90), rng())
    drawn = set()
    for seed in range(30):
        view, _ = recipe.draw_view(arrays, COCO_17, rng(seed), flip=0.0)
        (window,) = (n for n, w in enumerate(arrays["frames"]) if np.array_equal(w, view["frames"]))
        drawn.add(window)
    assert drawn == {0, 1, 2, 3}


def test_every_test_window_goes_with_the_same_poses() -> None:
    recipe = create_recipe("vpn-crops", SMALL)
    arrays = recipe(lit_sample(50), rng())
    views = recipe.fixed_views(arrays, COCO_17, mirrored=False)
    assert np.array_equal(views["frames"], arrays["frames"])
    assert np.array_equal(views["poses"], np.stack([arrays["poses"]] * 3))
    flipped = recipe.fixed_views(arrays, COCO_17, mirrored=True)
    assert np.array_equal(flipped["frames"], arrays["frames"][..., ::-1, :])
    assert np.array_equal(
        flipped["poses"][:, 0], -views["poses"][:, 0][:, list(COCO_17.mirror)] + 0.0
    )
    cache = create_recipe("vpn-crops", {**SMALL, "draw": "cache"})
    kept = cache(lit_sample(50), rng())
    middle = cache.fixed_views(kept, COCO_17, mirrored=False)
    assert np.array_equal(middle["frames"], kept["frames"][1:2])
    assert middle["poses"] == pytest.approx(views["poses"][:1], abs=1e-6)


def test_only_the_most_present_person_is_in_the_crop() -> None:
    sample = made_sample(40, 3)
    pose, grey = sample.pose, np.zeros((40, 60, 80, 3), np.uint8)
    grey += np.arange(80, dtype=np.uint8)[None, None, :, None]  # a pixel's column
    shown = Sample(pose, pictures=Pictures(np.arange(40), grey))
    picture = create_recipe("vpn-crops", SMALL)(shown, rng())["frames"][0, 0]
    box = square_of(pose.xy_px[pose.slot == track_order(pose)[0]])
    # Of four px of the frame each, and from edge to edge.
    centres = (box.left + (np.arange(56) + 0.5) * box.width / 56 + 0.5) / 4 - 0.5
    within = (centres > 1) & (centres < 78)
    assert within.sum() > 20
    assert np.abs(picture[28, within, 0] - centres[within]).max() < 1.0
