"""What every recipe that makes its own views promises; each case is a recipe with settings."""

import dataclasses

import numpy as np
import pytest
from samples import made_sample, rng, specs_of

from posemill.errors import InputError
from posemill.schema import PoseSequence
from posemill.transforms.augment import flip_maps
from posemill.transforms.recipes import create_recipe, get_recipe, recipe_names
from posemill.transforms.recipes.views import PictureRecipe, ViewRecipe
from posemill.transforms.sample import Pictures, Sample
from posemill.transforms.sampling import pick_candidates
from posemill.transforms.sequences import flip_parnet_poses, flip_vpn_poses, vpn_poses
from posemill.transforms.skeletons import get_skeleton

CANVAS = {"short_side": "32", "crop": "28", "canvas_hw": "32,57", "length": "4"}
SQUARE = {"size": "32", "crop": "28", "length": "6", "length_rgb": "2"}
SMALL: dict[str, dict[str, str]] = {
    "parnet": {},
    "parnet-frames": CANVAS,
    "rgb-clip": CANVAS,
    "rgbpose": SQUARE,
    "vpn-crops": {"size": "16", "pictures": "4", "length": "6"},
    "vpn-pose": {},
}
VARIANTS: list[tuple[str, dict[str, str]]] = [
    *SMALL.items(),
    ("rgb-clip", {**CANVAS, "region": "subjects"}),
    ("vpn-crops", {**SMALL["vpn-crops"], "space": "3d"}),
]
every_recipe = pytest.mark.parametrize(("name", "settings"), VARIANTS)
every_picture_recipe = pytest.mark.parametrize(
    ("name", "settings"), [case for case in VARIANTS if case[0] not in ("parnet", "vpn-pose")]
)


def view_recipe(name: str, settings: dict[str, str], draw: str) -> ViewRecipe:
    recipe = create_recipe(name, {**settings, "draw": draw})
    assert isinstance(recipe, ViewRecipe)
    return recipe


def test_every_such_recipe_is_a_case() -> None:
    assert {n for n in recipe_names() if issubclass(get_recipe(n), ViewRecipe)} == set(SMALL)


@every_recipe
@pytest.mark.parametrize("num_frames", [1, 3, 50])
@pytest.mark.parametrize("num_persons", [0, 2])
def test_views_are_as_declared(
    name: str, settings: dict[str, str], num_frames: int, num_persons: int
) -> None:
    sample = made_sample(num_frames, num_persons)
    for draw in ("test", "cache"):
        recipe = view_recipe(name, settings, draw)
        target = recipe.target(get_skeleton(sample.pose.skeleton))
        arrays, specs = recipe(sample, rng()), recipe.view_outputs(target)
        views = recipe.fixed_views(arrays, target, mirrored=False)
        assert set(views) == {spec.name for spec in specs}
        assert len({len(values) for values in views.values()}) == 1
        if draw == "cache":
            assert {len(values) for values in views.values()} == {1}
            views, _ = recipe.draw_view(arrays, target, rng(), flip=0.5)
        for spec in specs:
            shape = views[spec.name].shape
            assert (shape if draw == "cache" else shape[1:]) == spec.shape
            assert views[spec.name].dtype == spec.dtype


@every_recipe
def test_equal_generators_draw_equal_views(name: str, settings: dict[str, str]) -> None:
    recipe, sample = view_recipe(name, settings, "cache"), made_sample(90, 2)
    target = recipe.target(get_skeleton(sample.pose.skeleton))
    arrays = recipe(sample, rng())
    kept = {key: values.copy() for key, values in arrays.items()}
    for values in arrays.values():
        values.flags.writeable = False
    first, second, other = (
        recipe.draw_view(arrays, target, rng(seed), flip=0.5) for seed in (3, 3, 4)
    )
    assert first[1] == second[1]
    assert all(np.array_equal(first[0][key], second[0][key]) for key in first[0])
    assert any(not np.array_equal(first[0][key], other[0][key]) for key in first[0])
    assert all(np.array_equal(kept[key], arrays[key]) for key in kept)


@every_recipe
def test_the_mirror_image_is_that_of_every_array(name: str, settings: dict[str, str]) -> None:
    sample = made_sample(90, 2)
    recipe = view_recipe(name, settings, "cache")
    target = recipe.target(get_skeleton(sample.pose.skeleton))
    arrays = recipe(sample, rng())
    plain, was = recipe.draw_view(arrays, target, rng(3), flip=0.0)
    mirrored, is_mirrored = recipe.draw_view(arrays, target, rng(3), flip=1.0)
    assert (was, is_mirrored) == (False, True)
    for one, other in ((plain, mirrored), (mirrored, plain)):  # twice is as it was
        for key, values in one.items():
            if key == "frames":
                expected = values[:, :, ::-1]
            elif key == "volume":
                expected = flip_maps(values, target.mirror)
            else:
                flip = flip_parnet_poses if "parnet" in name else flip_vpn_poses
                expected = flip(values, target.mirror)
            assert other[key] == pytest.approx(expected, abs=1e-6)


@every_recipe
def test_test_views_are_not_trained_on(name: str, settings: dict[str, str]) -> None:
    recipe, sample = view_recipe(name, settings, "test"), made_sample(30, 1)
    target = recipe.target(get_skeleton(sample.pose.skeleton))
    with pytest.raises(InputError, match=f"{name}: what draw=test renders .* --set draw=cache"):
        recipe.draw_view(recipe(sample, rng()), target, rng(), flip=0.5)


@every_picture_recipe
@pytest.mark.parametrize("num_frames", [1, 5, 70])
def test_only_the_frames_that_are_named_are_read(
    name: str, settings: dict[str, str], num_frames: int
) -> None:
    sample = made_sample(num_frames, 2)
    assert sample.pictures is not None
    for draw in ("test", "cache"):
        recipe = view_recipe(name, settings, draw)
        assert isinstance(recipe, PictureRecipe)
        frames = recipe.picture_frames(sample.pose, rng(6))
        assert (np.diff(frames) > 0).all()
        some = dataclasses.replace(sample, pictures=Pictures(frames, sample.pictures.rgb[frames]))
        ours, whole = recipe(some, rng(6)), recipe(sample, rng(6))
        assert all(np.array_equal(ours[key], whole[key]) for key in whole)
        index = "picture_index" if "picture_index" in whole else "frame_index"
        assert np.array_equal(frames, np.unique(whole[index]))
        fewer = Pictures(frames[1:], sample.pictures.rgb[frames[1:]])
        with pytest.raises(InputError, match=f"there is no picture of frame {frames[0]} of"):
            recipe(dataclasses.replace(sample, pictures=fewer), rng(6))


@every_picture_recipe
def test_a_clip_without_people_has_its_pictures(name: str, settings: dict[str, str]) -> None:
    sample = made_sample(20, 0)
    white = np.full((20, 60, 80, 3), 255, np.uint8)
    sample = dataclasses.replace(sample, pictures=Pictures(np.arange(20), white))
    recipe = view_recipe(name, settings, "cache")
    target = recipe.target(get_skeleton(sample.pose.skeleton))
    view, _ = recipe.draw_view(recipe(sample, rng()), target, rng(), flip=0.5)
    assert view["frames"].mean() > 128
    assert not any(values.any() for key, values in view.items() if key != "frames")


def fresh(pose: PoseSequence, name: str, seed: int) -> tuple[ViewRecipe, dict[str, np.ndarray]]:
    recipe = create_recipe(name, {"draw": "train"})
    assert isinstance(recipe, ViewRecipe)
    return recipe, recipe(Sample(pose), rng(seed))


@pytest.mark.parametrize("name", ["parnet", "vpn-pose"])
def test_what_is_drawn_already_is_mirrored_alone(name: str) -> None:
    pose = made_sample(60, 2).pose
    recipe, arrays = fresh(pose, name, 1)
    target = recipe.target(get_skeleton(pose.skeleton))
    view, mirrored = recipe.draw_view(arrays, target, rng(), flip=0.0)
    assert not mirrored
    assert view.keys() == {"poses"}
    assert np.array_equal(view["poses"], arrays["poses"])
    view, mirrored = recipe.draw_view(arrays, target, rng(), flip=1.0)
    assert mirrored
    flip = flip_parnet_poses if name == "parnet" else flip_vpn_poses
    assert np.array_equal(view["poses"], flip(arrays["poses"], target.mirror))


def test_a_view_of_vpns_cache_is_centred_on_its_own_first_frame() -> None:
    pose = made_sample(200, 1).pose
    recipe = view_recipe("vpn-pose", {}, "cache")
    arrays, target = recipe(Sample(pose), rng()), get_skeleton(pose.skeleton)
    view, _ = recipe.draw_view(arrays, target, rng(9), flip=0.0)
    picked = pick_candidates(20, 5, rng(9))
    expected = vpn_poses(arrays["poses"][picked], arrays["score"][picked], (11, 12))
    assert np.array_equal(view["poses"], expected)
    assert view["poses"][:2, 11:13, 0].mean(axis=1) == pytest.approx([0, 0], abs=1e-6)


def test_a_view_of_parnets_cache_is_a_crop_of_its_candidates() -> None:
    pose = made_sample(200, 1).pose
    recipe = view_recipe("parnet", {}, "cache")
    target = recipe.target(get_skeleton(pose.skeleton))
    arrays = recipe(Sample(pose), rng())
    corners = set()
    for seed in range(30):
        generator = rng(seed)
        view, _ = recipe.draw_view(arrays, target, generator, flip=0.0)
        picked = pick_candidates(16, 5, rng(seed))
        seen = arrays["score"][picked] > 0
        # In px of the picture, all joints lie as far from those of the view: by its corner.
        away = (arrays["poses"][picked] + 0.5 - view["poses"] * 224)[seen]
        assert np.ptp(away, axis=0).max() < 1e-2
        left, top = np.rint(away[0]).astype(int).tolist()
        assert away[0] == pytest.approx([left, top], abs=1e-2)
        corners.add((left, top))
    # Within 342 x 256.
    assert all(0 <= left <= 118 and 0 <= top <= 32 for left, top in corners)
    assert len(corners) > 20


@pytest.mark.parametrize("name", ["parnet", "vpn-pose"])
def test_specs_of_a_view_are_those_of_test_arrays(name: str) -> None:
    recipe, pose = create_recipe(name), made_sample(30, 1).pose
    assert isinstance(recipe, ViewRecipe)
    (spec,) = recipe.view_outputs(recipe.target(get_skeleton(pose.skeleton)))
    assert spec == specs_of(recipe, pose)["poses"]
