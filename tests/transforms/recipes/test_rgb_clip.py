import numpy as np
import pytest
from lit_joints import WRIST, lit_sample, where_lit
from samples import rng

from posemill.errors import InputError
from posemill.transforms.geometry import Box, centre_crop_box, map_to
from posemill.transforms.recipes import create_recipe
from posemill.transforms.sample import Sample
from posemill.transforms.sampling import uniform_test_clips
from posemill.transforms.skeletons import COCO_17

SMALL = {"length": "4", "short_side": "64", "crop": "56", "canvas_hw": "64,86"}


def lit_at(sample: Sample, number: int) -> np.ndarray:
    return sample.pose.xy_px[number, WRIST]


def test_test_views_are_the_centre_crop_of_sampled_frames() -> None:
    sample = lit_sample(40, decoded_hw=(120, 160), seed=1)
    arrays = create_recipe("rgb-clip", {**SMALL, "views": "3"})(sample, rng(5))
    assert np.array_equal(arrays["frame_index"], uniform_test_clips(40, 4, 3, rng(5)))
    assert arrays["frames"].shape == (3, 4, 56, 56, 3)
    seen = 0
    # 320 x 240 becomes 86 x 64 (85.33, rounded up), cropped from (15, 4) on.
    for number, picture in zip(
        arrays["frame_index"].flat, arrays["frames"].reshape(-1, 56, 56, 3), strict=True
    ):
        scaled = (lit_at(sample, number) + 0.5) * [86 / 320, 64 / 240] - 0.5
        if (np.abs(scaled - [15, 4] - 27.5) < 23).all():
            assert where_lit(picture) == pytest.approx(scaled - [15, 4], abs=0.5)
            seen += 1
    assert seen > 6


def test_subjects_are_shown_in_a_square_around_everybody() -> None:
    sample = lit_sample(40, decoded_hw=(120, 160))
    arrays = create_recipe("rgb-clip", {**SMALL, "region": "subjects"})(sample, rng())
    shown = sample.pose.xy_px[np.unique(arrays["frame_index"])].reshape(-1, 2)
    middle, extent = (shown.max(0) + shown.min(0)) / 2, (shown.max(0) - shown.min(0)).max() * 1.25
    box = Box(*(middle - extent / 2).tolist(), float(extent), float(extent))
    for number, picture in zip(arrays["frame_index"][0], arrays["frames"][0], strict=True):
        expected = map_to(lit_at(sample, number), box, (64, 64))
        assert where_lit(picture) == pytest.approx(expected, abs=0.5)


def test_a_cache_keeps_whole_frames_of_every_segment() -> None:
    sample = lit_sample(43)
    recipe = create_recipe("rgb-clip", {**SMALL, "draw": "cache"})
    arrays = recipe(sample, rng())
    assert arrays["frames"].shape == (12, 64, 86, 3)
    assert arrays["valid_hw"].tolist() == [64, 86]
    # Segments begin at 0, 10, 21 and 32 of 43; three frames are at 1/6, 3/6 and 5/6 of each.
    expected = [[1, 5, 8], [11, 15, 19], [22, 26, 30], [33, 37, 41]]
    assert arrays["frame_index"].reshape(4, 3).tolist() == expected
    for number, picture in zip(arrays["frame_index"], arrays["frames"], strict=True):
        expected_xy = (lit_at(sample, number) + 0.5) * [86 / 320, 64 / 240] - 0.5
        assert where_lit(picture) == pytest.approx(expected_xy, abs=0.5)


@pytest.mark.parametrize("region", ["frame", "subjects"])
def test_views_of_a_cache_are_one_frame_of_every_segment_cropped_alike(region: str) -> None:
    sample = lit_sample(43, moving=False, seed=1)
    recipe = create_recipe("rgb-clip", {**SMALL, "draw": "cache", "region": region})
    arrays = recipe(sample, rng())
    seen = set()
    for seed in range(8):
        view, mirrored = recipe.draw_view(arrays, COCO_17, rng(seed), flip=0.5)
        assert view["frames"].shape == (4, 56, 56, 3)
        again, _ = recipe.draw_view(arrays, COCO_17, rng(seed), flip=0.5)
        assert np.array_equal(view["frames"], again["frames"])
        places = [where_lit(picture) for picture in view["frames"]]
        assert np.ptp(places, axis=0).max() == 0  # the same crop of a person who stands still
        plain, not_mirrored = recipe.draw_view(arrays, COCO_17, rng(seed), flip=0.0)
        assert not not_mirrored
        if mirrored:
            assert np.array_equal(view["frames"], plain["frames"][:, :, ::-1])
        seen.add((mirrored, *np.round(places[0], 1).tolist()))
    assert len(seen) > 5
    assert {mirrored for mirrored, *_ in seen} == {False, True}


@pytest.mark.parametrize("region", ["frame", "subjects"])
def test_the_fixed_view_of_a_cache_is_that_of_a_test(region: str) -> None:
    """Where a view's frames are as many as the clip's, both show the same."""
    sample = lit_sample(4)
    settings = {**SMALL, "region": region}
    test = create_recipe("rgb-clip", settings)
    cache = create_recipe("rgb-clip", {**settings, "draw": "cache"})
    stored = test(sample, rng())
    shown = test.fixed_views(stored, COCO_17, mirrored=False)["frames"]
    kept = cache(sample, rng())
    ours = cache.fixed_views(kept, COCO_17, mirrored=False)["frames"]
    assert np.array_equal(shown, stored["frames"])
    # Shrunk whole and then cropped, or cropped between pixels and then shrunk.
    assert np.abs(ours.astype(int) - shown).max() <= (12 if region == "frame" else 0)
    mirrored = cache.fixed_views(kept, COCO_17, mirrored=True)["frames"]
    assert np.array_equal(mirrored[..., ::-1, :], ours)


def test_an_upright_frame_is_shrunk_to_fit_and_cropped_as_it_would_be() -> None:
    sample = lit_sample(12, width=240, height=320, moving=False)
    recipe = create_recipe("rgb-clip", {**SMALL, "draw": "cache"})
    arrays = recipe(sample, rng())
    assert arrays["valid_hw"].tolist() == [64, 48]
    assert not arrays["frames"][:, :, 48:].any()
    # The middle 56 px of a picture of 64 x 86, of which 48 x 64 are kept.
    box = centre_crop_box(64, 86, 56)
    expected = map_to((lit_at(sample, 0) + 0.5) * [64 / 240, 86 / 320] - 0.5, box, (56, 56))
    view = recipe.fixed_views(arrays, COCO_17, mirrored=False)["frames"][0]
    assert where_lit(view[0]) == pytest.approx(expected, abs=0.6)
    larger = create_recipe("rgb-clip", {**SMALL, "draw": "cache", "canvas_hw": "100,100"})
    assert larger(sample, rng())["valid_hw"].tolist() == [86, 64]


def test_fresh_views_are_not_offered_and_tests_are_not_trained_on() -> None:
    with pytest.raises(InputError, match="draw must be test or cache, got train"):
        create_recipe("rgb-clip", {"draw": "train"})
    with pytest.raises(InputError, match="crop must be at most short_side=256"):
        create_recipe("rgb-clip", {"crop": "300"})
    recipe, sample = create_recipe("rgb-clip", SMALL), lit_sample(12)
    with pytest.raises(InputError, match=r"rgb-clip: what draw=test renders .* draw=cache"):
        recipe.draw_view(recipe(sample, rng()), COCO_17, rng(), flip=0.5)
