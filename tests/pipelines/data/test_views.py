"""Views of every recipe that is trained: what they show, how they are mirrored, what is refused."""

from typing import Any

import numpy as np
import pytest
from made_clips import made_source, made_views

from posemill.errors import InputError
from posemill.pipelines.data.augmentation import Augmentation
from posemill.pipelines.data.views import create_views
from posemill.transforms.augment import flip_maps, flip_part_fields
from posemill.transforms.skeletons import COCO_17, COCO_17_NECK, limb_mirror

PLAIN: dict[str, Any] = {"flip": 0.0}
CANVAS = {"canvas_hw": "24,40"}  # made poses show 64 x 48 px: scaled to 24 x 32
VALID = (24, 32)
CUBE = {**CANVAS, "length": "3"}
VOLUME = {"length": "4", "size_hw": "16,16", "views": "3"}
SETTINGS = {
    "potion": CANVAS,
    "jmrn": {**CANVAS, "people": "each"},
    "tempposeconv-j": CUBE,
    "tempposeconv-p": CUBE,
    "tempposeconv-jdiff": CUBE,
    "tempposeconv-pdiff": CUBE,
    "volume": VOLUME,
    "limb-volume": VOLUME,
}
SHAPES = {  # with a crop of 20 x 24
    "potion": {"u": (17, 3, 20, 24), "maximum": (17, 3), "num_frames": ()},
    "jmrn": {"p": (2, 18, 3, 20, 24)},
    "tempposeconv-j": {"joints": (3, 17, 20, 24)},
    "tempposeconv-p": {"parts": (3, 34, 20, 24)},
    "tempposeconv-jdiff": {"joint_differences": (2, 17, 20, 24)},
    "tempposeconv-pdiff": {"part_differences": (2, 34, 20, 24)},
    "volume": {"volume": (17, 4, 12, 14)},  # a crop of 12 x 14
    "limb-volume": {"volume": (17, 4, 12, 14)},
}
NUM_TEST_VIEWS = {"potion": 1, "jmrn": 1, "volume": 3, "limb-volume": 3}  # of cubes: 10
LIMBS = [limb.limb for limb in limb_mirror(COCO_17)]


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def main_maps(recipe: str) -> str:
    return next(iter(SHAPES[recipe]))


def crop_of(recipe: str) -> tuple[int, int]:
    return SHAPES[recipe][main_maps(recipe)][-2:]


@pytest.mark.parametrize("recipe", SETTINGS)
def test_views_have_the_shapes_that_they_declare(recipe: str) -> None:
    views, arrays = made_views(recipe, PLAIN | {"crop_hw": crop_of(recipe)}, **SETTINGS[recipe])
    assert views.shapes == SHAPES[recipe]
    (drawn, other), flipped = views.train(arrays, rng(), count=2)
    assert not flipped
    for view in (drawn, other):
        assert {name: array.shape for name, array in view.items()} == SHAPES[recipe]
    for name, array in drawn.items():
        assert array.dtype == arrays[name].dtype
        np.testing.assert_array_equal(other[name], array)  # without jitter they are the same
    assert drawn[main_maps(recipe)].any()


@pytest.mark.parametrize("recipe", SETTINGS)
def test_test_views_are_fixed_and_their_mirror_images_follow(recipe: str) -> None:
    views, arrays = made_views(recipe, {}, **SETTINGS[recipe])
    maps = main_maps(recipe)
    count = NUM_TEST_VIEWS.get(recipe, 10)
    once, both = views.test(arrays), views.test(arrays, flip=True)
    for name, shape in views.shapes.items():
        assert once[name].shape == (count, *shape)
        assert both[name].shape == (2 * count, *shape)
        np.testing.assert_array_equal(both[name][:count], once[name])
    mirrored = both[maps][count:]
    valid = once[maps].shape[-1] if "volume" in recipe else VALID[1]
    expected = by_hand(recipe, once[maps][..., :valid])
    np.testing.assert_array_equal(mirrored[..., :valid], expected)
    assert not mirrored[..., valid:].any()


def by_hand(recipe: str, maps: np.ndarray) -> np.ndarray:
    """The mirror image: columns from right to left, what is left becomes right."""
    back = maps[..., ::-1]
    if recipe in ("tempposeconv-p", "tempposeconv-pdiff"):
        fields = back.reshape(*maps.shape[:2], 17, 2, *maps.shape[-2:])[:, :, LIMBS]
        # The flip turns x around, and a limb whose mirror runs the other way both.
        sign = np.array([limb.sign for limb in limb_mirror(COCO_17)]).reshape(17, 1, 1)
        x, y = -fields[:, :, :, 0] * sign, fields[:, :, :, 1] * sign
        return np.stack([x, y], axis=3).reshape(maps.shape).astype(maps.dtype)
    if recipe == "limb-volume":
        return back[:, LIMBS]
    if recipe == "jmrn":
        return back[:, :, list(COCO_17_NECK.mirror)]
    joints = list(COCO_17.mirror)
    return back[:, :, joints] if "tempposeconv" in recipe else back[:, joints]


def test_potions_maximum_is_mirrored_with_its_maps() -> None:
    views, arrays = made_views("potion", {"flip": 1.0}, **CANVAS)
    (view,), flipped = views.train(arrays, rng())
    assert flipped
    np.testing.assert_array_equal(view["maximum"], arrays["maximum"][list(COCO_17.mirror)])
    assert view["num_frames"] == 30
    height, width = VALID
    expected = flip_maps(arrays["u"][..., :height, :width], COCO_17.mirror)
    np.testing.assert_array_equal(view["u"][..., :height, :width], expected)


def test_a_training_clip_of_pa3d_is_one_of_the_ten() -> None:
    views, arrays = made_views("tempposeconv-j", PLAIN, **CUBE)
    clips = arrays["joints"].reshape(10, 3, 17, 24, 40)
    drawn = [views.train(arrays, rng(seed))[0][0]["joints"] for seed in range(80)]
    found = [{n for n, clip in enumerate(clips) if np.array_equal(clip, view)} for view in drawn]
    assert all(len(each) == 1 for each in found)
    assert set.union(*found) == set(range(10))


def test_parts_are_mirrored_as_fields() -> None:
    views, arrays = made_views("tempposeconv-p", {"flip": 1.0}, draw="train", **CUBE)
    (view,), _ = views.train(arrays, rng())
    height, width = VALID
    window = arrays["parts"][..., :height, :width]
    expected = flip_part_fields(window, limb_mirror(COCO_17), axis=1)
    np.testing.assert_array_equal(view["parts"][..., :height, :width], expected)


def test_a_cached_volume_is_cropped_and_a_fresh_one_is_not() -> None:
    everything = {"flip": 0.0, "area": (1.0, 1.0), "aspect": (1.0, 1.0)}
    views, arrays = made_views("volume", everything, draw="cache", **VOLUME)
    (view,), _ = views.train(arrays, rng())
    stored = list(arrays["volume"])
    assert sum(np.array_equal(view["volume"], each) for each in stored) == 1
    views, arrays = made_views("volume", PLAIN, draw="cache", **VOLUME)
    (view,), _ = views.train(arrays, rng())
    assert not any(np.array_equal(view["volume"], each) for each in arrays["volume"])
    one = {**VOLUME, "views": "1"}
    views, arrays = made_views("volume", PLAIN, draw="train", **one)
    (view,), _ = views.train(arrays, rng())
    np.testing.assert_array_equal(view["volume"], arrays["volume"][0])


@pytest.mark.parametrize("recipe", ["potion", "tempposeconv-j", "tempposeconv-jdiff", "volume"])
def test_jitter_moves_each_joint_as_its_group(recipe: str) -> None:
    jitter = PLAIN | {"beta_px": 2, "gamma_px": 1, "area": (1.0, 1.0), "aspect": (1.0, 1.0)}
    views, arrays = made_views(recipe, jitter, **SETTINGS[recipe])
    still, _ = made_views(recipe, jitter | {"beta_px": 0, "gamma_px": 0}, **SETTINGS[recipe])
    (first, second), _ = views.train(arrays, rng(), count=2)
    ((window,), _), maps = still.train(arrays, rng()), main_maps(recipe)
    joint_axis = 1 if "tempposeconv" in recipe else 0
    moved = np.moveaxis(first[maps], joint_axis, 0)
    before = np.moveaxis(window[maps], joint_axis, 0)
    hips = [COCO_17.keypoints.index(f"{side}_hip") for side in ("left", "right")]
    steps = {step_of(before[joint], moved[joint]) for joint in hips}
    assert len(steps) == 1  # the torso feels beta alone
    assert steps < {(y, x) for y in (-2, -1, 1, 2) for x in (-2, -1, 1, 2)}
    wrist = COCO_17.keypoints.index("left_wrist")
    assert step_of(before[wrist], moved[wrist]) not in steps
    assert not np.array_equal(first[maps], second[maps])  # each view has a jitter of its own


def step_of(before: np.ndarray, after: np.ndarray) -> tuple[int, int]:
    """By how many px down and right the content was moved; borders are left out."""
    inside = slice(4, 20) if before.shape[-1] > 16 else slice(4, 12)
    (found,) = [
        (y, x)
        for y in range(-3, 4)
        for x in range(-3, 4)
        if np.array_equal(
            np.roll(before, (y, x), (-2, -1))[..., inside, inside], after[..., inside, inside]
        )
    ]
    return found


def test_everything_moves_alike_where_no_joints_are_told_apart() -> None:
    views, arrays = made_views(
        "limb-volume", PLAIN | {"beta_px": 1}, draw="train", **(VOLUME | {"views": "1"})
    )
    (view,), _ = views.train(arrays, rng())
    assert abs(np.array(step_of(arrays["volume"][0], view["volume"]))).tolist() == [1, 1]


@pytest.mark.parametrize(
    ("recipe", "settings", "augmentation", "message"),
    [
        ("parnet", {}, {"beta_px": 1}, r"by its own settings; leave out augmentation.beta_px"),
        ("graph-sequence", {}, {}, r"no model is trained on the recipe graph-sequence;"),
        ("tempposeconv-f", {}, {}, r"features of made\.zarr cannot be mirrored: .* with flip 0"),
        ("tempposeconv-fdiff", {}, {}, r"feature_differences of .* cannot be mirrored"),
        (
            "tempposeconv-p",
            {"source": "dense", "fields": "19"},
            {},
            r"parts of made\.zarr cannot be mirrored",
        ),
        ("tempposeconv-p", {}, {"gamma_px": 1}, r"parts .* no maps of single joints .* got 1 px"),
        ("limb-volume", {}, {"gamma_px": 2}, r"volume .* no maps of single joints"),
        ("potion", CANVAS, {"crop_hw": (25, 40)}, r"a crop of 25 x 40 px .* 24 x 40 px; give"),
        ("potion", CANVAS, {"crop_hw": (0, 40)}, r"a crop of 0 x 40 px does not fit"),
        (
            "volume",
            {"draw": "train"},
            {"crop_hw": (56, 56)},
            r"volume with draw=train .* 64 x 64 px; set its size, and leave out the crop",
        ),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_one_line(
    recipe: str, settings: dict[str, str], augmentation: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message) as caught:
        create_views(made_source(recipe, **settings), Augmentation(**augmentation))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"flip": 1.5}, "flip must be from 0 to 1, got 1.5"),
        ({"beta_px": -1}, "beta_px must be from 0 to 512 px, got -1"),
        ({"area": (0.9, 0.5)}, "area must be a lower and a greater number"),
        ({"drop_joint": 2.0}, "drop_joint must be from 0 to 1"),
    ],
)
def test_an_augmentation_out_of_range_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Augmentation(**settings)
