import dataclasses

import numpy as np
import pytest
from lit_joints import WRIST, lit_pictures, lit_sample, where_lit
from samples import made_sample, rng

from posemill.errors import InputError
from posemill.transforms.geometry import Box, map_to
from posemill.transforms.recipes import create_recipe
from posemill.transforms.sample import Sample
from posemill.transforms.sampling import bin_candidates
from posemill.transforms.skeletons import COCO_17

SMALL = {"length_rgb": "3", "length": "6", "size": "128", "crop": "112"}
DECODED = [(240, 320), (120, 160), (300, 300)]


def square_of(xy: np.ndarray) -> Box:
    """1.25 times the extent, squared."""
    low, high = xy.reshape(-1, 2).min(0), xy.reshape(-1, 2).max(0)
    side = float((high - low).max() * 1.25)
    return Box(*((low + high) / 2 - side / 2).tolist(), side, side)


@pytest.mark.parametrize("decoded_hw", DECODED)
def test_a_joint_is_at_the_same_place_of_pictures_and_maps(decoded_hw: tuple[int, int]) -> None:
    """Of a person who stands still, as pictures and maps are of other frames."""
    sample = lit_sample(40, decoded_hw=decoded_hw, moving=False)
    arrays = create_recipe("rgbpose", {**SMALL, "views": "2"})(sample, rng())
    assert arrays["frames"].shape == (2, 3, 128, 128, 3)
    assert arrays["volume"].shape == (2, 17, 6, 32, 32)
    expected = map_to(sample.pose.xy_px[0, WRIST], square_of(sample.pose.xy_px[0]), (128, 128))
    for picture in arrays["frames"].reshape(-1, 128, 128, 3):
        assert where_lit(picture) == pytest.approx(expected, abs=0.5)
    for joint_map in arrays["volume"][:, WRIST].reshape(-1, 32, 32):
        # Gaussians end at 3 sigma, so that their middle is off by some hundredths.
        assert where_lit(joint_map) == pytest.approx((expected + 0.5) / 4 - 0.5, abs=0.1)


@pytest.mark.parametrize("decoded_hw", DECODED)
def test_so_it_is_after_every_crop_and_flip(decoded_hw: tuple[int, int]) -> None:
    sample = lit_sample(40, decoded_hw=decoded_hw, moving=False)
    recipe = create_recipe("rgbpose", {**SMALL, "draw": "cache"})
    arrays = recipe(sample, rng())
    sides = []
    for seed in range(12):
        view, mirrored = recipe.draw_view(arrays, COCO_17, rng(seed), flip=0.5)
        assert view["frames"].shape == (3, 112, 112, 3)
        assert view["volume"].shape == (17, 6, 28, 28)
        sides.append(mirrored)
        joint = COCO_17.mirror[WRIST] if mirrored else WRIST
        on_map = where_lit(view["volume"][joint, 0])
        if not (np.abs(on_map - 13.5) < 11).all():
            continue  # cut off
        for picture in view["frames"]:
            assert (where_lit(picture) + 0.5) / 4 - 0.5 == pytest.approx(on_map, abs=0.2)
    assert set(sides) == {False, True}


def test_pictures_and_poses_are_drawn_apart_from_within_their_segments() -> None:
    sample = lit_sample(61)
    recipe = create_recipe("rgbpose", {**SMALL, "draw": "cache", "area": "1,1", "aspect": "1,1"})
    arrays = recipe(sample, rng())
    assert np.array_equal(arrays["picture_index"], bin_candidates(61, 3, 3).reshape(-1))
    assert np.array_equal(arrays["frame_index"], bin_candidates(61, 6, 5).reshape(-1))
    assert arrays["picture_index"].reshape(3, 3).tolist() == [
        [3, 10, 16],
        [23, 30, 36],
        [43, 50, 57],
    ]
    numbered = {**arrays, "frames": np.zeros_like(arrays["frames"])}
    numbered["frames"] += arrays["picture_index"].astype(np.uint8)[:, None, None, None]
    drawn = set()
    for seed in range(20):
        view, _ = recipe.draw_view(numbered, COCO_17, rng(seed), flip=0.0)
        numbers = view["frames"][:, 50, 50, 0]
        assert [n in row for n, row in zip(numbers, bin_candidates(61, 3, 3), strict=True)] == [
            True
        ] * 3
        drawn.add(tuple(numbers.tolist()))
    assert len(drawn) > 8


def test_what_a_cache_shows_at_test_is_what_a_test_renders() -> None:
    sample = lit_sample(30, moving=False)
    test, cache = (create_recipe("rgbpose", {**SMALL, "draw": d}) for d in ("test", "cache"))
    shown = test.fixed_views(test(sample, rng()), COCO_17, mirrored=False)
    kept = cache(sample, rng())
    ours = cache.fixed_views(kept, COCO_17, mirrored=False)
    assert np.array_equal(ours["frames"], shown["frames"])
    assert np.array_equal(ours["volume"], shown["volume"])
    mirrored = cache.fixed_views(kept, COCO_17, mirrored=True)
    assert np.array_equal(mirrored["frames"], shown["frames"][:, :, :, ::-1])
    expected = shown["volume"][:, list(COCO_17.mirror), ..., ::-1]
    assert np.array_equal(mirrored["volume"], expected)


def test_people_meet_in_the_greatest_value_and_the_rest_is_left_out() -> None:
    sample = made_sample(30, 3)
    sample = Sample(sample.pose, pictures=lit_pictures(lit_sample(30).pose, (60, 80)))
    everybody = create_recipe("rgbpose", SMALL)(sample, rng())["volume"]
    first = create_recipe("rgbpose", {**SMALL, "max_people": "1"})(sample, rng())["volume"]
    summed = create_recipe("rgbpose", {**SMALL, "combine": "sum"})(sample, rng())["volume"]
    assert summed.dtype == np.float16
    assert (summed.astype(np.float32) * 255 >= everybody.astype(np.float32) - 0.6).all()
    assert summed.astype(np.float32).sum() * 255 > everybody.sum() > first.sum() > 0


def test_frames_without_people_are_shown_between_black_bars() -> None:
    sample = lit_sample(30, decoded_hw=(60, 80))
    assert sample.pictures is not None
    white = dataclasses.replace(sample.pictures, rgb=np.full_like(sample.pictures.rgb, 255))
    nobody = Sample(made_sample(30, 0).pose, pictures=white)
    for draw in ("test", "cache"):
        arrays = create_recipe("rgbpose", {**SMALL, "draw": draw})(nobody, rng())
        frames = arrays["frames"].reshape(-1, 128, 128, 3)
        # 320 x 240 in a square of 128: 96 rows, 16 black ones above and below.
        assert (frames[:, 16:112] == 255).all()
        assert not frames[:, :16].any()
        assert not frames[:, 112:].any()
        assert not arrays["volume" if draw == "test" else "score"].any()


def test_maps_have_whole_pixels() -> None:
    with pytest.raises(
        InputError, match=r"crop must be a multiple of stride=4, .* got 222; .*=224"
    ):
        create_recipe("rgbpose", {"crop": "222"})


def test_the_square_is_around_people_in_the_frames_of_the_poses() -> None:
    """Of somebody who walks on: pictures of other frames would give another square."""
    sample = lit_sample(41, seed=3)
    recipe = create_recipe("rgbpose", {**SMALL, "draw": "cache"})
    arrays = recipe(sample, rng())
    frames = arrays["frame_index"]
    assert set(frames.tolist()) != set(arrays["picture_index"].tolist())
    square = square_of(sample.pose.xy_px[np.unique(frames)])
    np.testing.assert_allclose(
        arrays["poses"][:, 0], map_to(sample.pose.xy_px[frames], square, (128, 128)), atol=1e-3
    )
