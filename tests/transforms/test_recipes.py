import dataclasses
import json

import numpy as np
import pytest
from dense_maps import made_pose

from posemill.errors import InputError
from posemill.provenance import canonical_json
from posemill.schema import PoseSequence
from posemill.transforms.geometry import flip_joints
from posemill.transforms.outputs import dequantise
from posemill.transforms.potion import time_encoding
from posemill.transforms.recipes import Recipe, create_recipe, recipe_names
from posemill.transforms.sampling import uniform_test_clips
from posemill.transforms.skeletons import COCO_17

OURS = ("potion", "tempposeconv-j", "volume")
every_recipe = pytest.mark.parametrize("name", OURS)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def values(recipe: Recipe, pose: PoseSequence, name: str, seed: int = 0) -> np.ndarray:
    spec = next(spec for spec in recipe.outputs(COCO_17) if spec.name == name)
    return dequantise(recipe(pose, rng(seed))[name], spec)


def check_against_specs(recipe: Recipe, arrays: dict[str, np.ndarray]) -> None:
    specs = recipe.outputs(COCO_17)
    assert list(arrays) == [spec.name for spec in specs]
    for spec in specs:
        assert arrays[spec.name].shape == spec.shape
        assert arrays[spec.name].dtype == spec.dtype


def test_ours_are_registered_as_plugins_are() -> None:
    assert set(OURS) <= set(recipe_names())


@every_recipe
@pytest.mark.parametrize("num_frames", [0, 1, 2, 7, 60, 120])
@pytest.mark.parametrize("num_persons", [0, 1, 3])
def test_arrays_are_as_declared(name: str, num_frames: int, num_persons: int) -> None:
    recipe = create_recipe(name)
    arrays = recipe(made_pose(num_frames, num_persons), rng())
    check_against_specs(recipe, arrays)
    maps = arrays[recipe.outputs(COCO_17)[0].name]
    assert maps.any() == (num_frames * num_persons > 0)


@every_recipe
def test_a_configuration_is_json_with_every_setting(name: str) -> None:
    recipe = create_recipe(name)
    configuration = recipe.configuration()
    assert json.loads(canonical_json(configuration)) == configuration
    assert configuration["name"] == name
    assert configuration["version"] == 1
    assert set(configuration["settings"]) == {field.name for field in dataclasses.fields(recipe)}
    assert recipe.requires == {"pose"}


@every_recipe
def test_equal_generators_give_equal_arrays(name: str) -> None:
    recipe, pose = create_recipe(name), made_pose(150, 2)
    first, second = recipe(pose, rng(7)), recipe(pose, rng(7))
    assert all(np.array_equal(first[key], second[key]) for key in first)


@every_recipe
def test_poses_are_left_alone(name: str) -> None:
    pose = made_pose(60, 2)
    kept = pose.xy_px.copy(), pose.score.copy(), pose.frame.copy()
    create_recipe(name)(pose, rng())
    now = pose.xy_px, pose.score, pose.frame
    assert all(np.array_equal(a, b) for a, b in zip(kept, now, strict=True))


@every_recipe
def test_missing_joints_do_not_draw(name: str) -> None:
    pose = made_pose(30, 1)
    score = pose.score.copy()
    score[:, 3] = 0.0
    xy = pose.xy_px.copy()
    xy[:, 3] = np.nan
    pose = dataclasses.replace(pose, score=score, xy_px=xy)
    recipe = create_recipe(name)
    spec = recipe.outputs(COCO_17)[0]
    maps = np.moveaxis(recipe(pose, rng())[spec.name], spec.dims.index("keypoint"), 0)
    assert not maps[3].any()
    assert maps[4].any()


def test_settings_are_parsed_to_their_types() -> None:
    recipe = create_recipe("potion", {"channels": "4", "canvas_hw": "32,48", "sigma": "2"})
    assert recipe.configuration()["settings"] == {
        "channels": 4,
        "canvas_hw": [32, 48],
        "sigma": 2.0,
        "combine": "max",
    }
    assert recipe.outputs(COCO_17)[0].shape == (17, 4, 32, 48)


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("images", {}, r"no recipe is called 'images'; there are: .*potion.*volume"),
        ("potion", {"colour": "3"}, r"has no setting 'colour'; .* channels=3, canvas_hw=64,86"),
        ("potion", {"channels": "three"}, "channels must be a whole number, got 'three'"),
        ("potion", {"channels": "1"}, "channels must be from 2 to 64, got 1; set it with --set"),
        ("potion", {"canvas_hw": "64"}, "canvas_hw must be two whole numbers, height and width"),
        ("potion", {"canvas_hw": "0,86"}, "canvas_hw must be height and width from 1 to 1024 px"),
        ("potion", {"sigma": "nan"}, "sigma must be from 0.1 to 100.0 px, got nan"),
        ("potion", {"combine": "mean"}, "combine must be max or sum, got mean"),
        ("volume", {"views": "11"}, "views must be from 1 to 10, got 11"),
        ("volume", {"length": "0"}, "length must be from 1 to 4096 frames, got 0"),
        ("tempposeconv-j", {"span": "all"}, "span must be windows or video, got all"),
    ],
)
def test_settings_that_cannot_be_are_refused(
    name: str, settings: dict[str, str], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        create_recipe(name, settings)


def test_fields_are_checked_without_text_too() -> None:
    volume = type(create_recipe("volume"))
    with pytest.raises(InputError, match="combine must be max or sum, got mean"):
        volume(combine="mean")


def test_volume_frames_are_the_test_clips_of_its_generator() -> None:
    arrays = create_recipe("volume", {"views": "3"})(made_pose(200, 1), rng(9))
    assert np.array_equal(arrays["frame_index"], uniform_test_clips(200, 48, 3, rng(9)))


def test_views_of_a_volume_share_one_crop() -> None:
    # Still people: whatever frames a view draws, it shows the same.
    pose = made_pose(100, 1)
    still = dataclasses.replace(pose, xy_px=np.repeat(pose.xy_px[:1], 100, axis=0))
    still = dataclasses.replace(still, score=np.ones_like(pose.score))
    volume = create_recipe("volume", {"views": "4"})(still, rng())["volume"]
    assert (volume == volume[:1, :, :1]).all()


def test_a_volume_is_cropped_to_its_subjects() -> None:
    pose = made_pose(48, 1)
    xy = np.full((48, 17, 2), 120.0, np.float32)
    xy[:, 0], xy[:, 1] = (100.0, 100.0), (180.0, 140.0)
    pose = dataclasses.replace(pose, xy_px=xy, score=np.ones_like(pose.score))
    maps = values(create_recipe("volume"), pose, "volume")[0]
    # Box 100 px square around (140, 120): x = 100 lands on (10 + .5 - .5) * .64 - .5 = 5.9
    # and y = 100 on (30 * .64) - .5 = 18.7.
    assert np.unravel_index(maps[0, 0].argmax(), (64, 64)) == (19, 6)
    off = np.array([19 - 18.7, 6 - 5.9])
    assert maps[0, 0, 19, 6] == pytest.approx(np.exp(-(off @ off) / 0.72), abs=0.5 / 255 + 1e-6)


def test_sums_are_kept_as_float16() -> None:
    pose = made_pose(60, 1)
    twice = dataclasses.replace(
        pose,
        xy_px=np.repeat(pose.xy_px, 2, axis=0),
        score=np.ones((120, 17), np.float32),
        frame=np.repeat(pose.frame, 2),
        slot=np.tile([0, 1], 60),
    )
    for name, maps in (("volume", "volume"), ("tempposeconv-j", "joints")):
        arrays = create_recipe(name, {"combine": "sum"})(twice, rng())
        assert arrays[maps].dtype == np.float16
        assert arrays[maps].max() > 1.5


def test_potion_of_a_joint_that_stays_in_place() -> None:
    pose = made_pose(9, 1)
    # A pixel's centre on the canvas: (20 + .5) * 320/86 - .5 and (10 + .5) * 240/64 - .5.
    at = np.array([(20.5 * 320 / 86) - 0.5, (10.5 * 240 / 64) - 0.5], np.float32)
    still = dataclasses.replace(
        pose, xy_px=np.broadcast_to(at, (9, 17, 2)).copy(), score=np.ones_like(pose.score)
    )
    recipe = create_recipe("potion")
    arrays = recipe(still, rng())
    assert arrays["maximum"] == pytest.approx(
        np.broadcast_to(time_encoding(9, 3).sum(axis=0), (17, 3)), abs=1e-3
    )
    assert (arrays["u"][:, :, 10, 20] == 255).all()
    assert arrays["num_frames"] == 9
    assert arrays["valid_hw"].tolist() == [64, 86]


@pytest.mark.parametrize("name", ["potion", "tempposeconv-j"])
def test_a_canvas_is_empty_outside_the_frame(name: str) -> None:
    pose = made_pose(80, 3, width=240, height=480)
    xy = np.random.default_rng(0).uniform([-20, 0], [260, 480], pose.xy_px.shape)
    recipe = create_recipe(name)
    arrays = recipe(dataclasses.replace(pose, xy_px=xy.astype(np.float32)), rng())
    maps = arrays[recipe.outputs(COCO_17)[0].name]
    assert arrays["valid_hw"].tolist() == [64, 32]
    assert maps[..., :32].any()
    assert not maps[..., 32:].any()


def test_a_flipped_video_gives_flipped_potion() -> None:
    pose = made_pose(40, 2)
    xy, score = flip_joints(pose.xy_px, pose.score, pose.width, COCO_17.mirror)
    recipe = create_recipe("potion")
    u = values(recipe, pose, "u")
    flipped = values(recipe, dataclasses.replace(pose, xy_px=xy, score=score), "u")
    # The patches reach one pixel further on the left, at less than exp(-4.5) of a score.
    reversed_u = u[list(COCO_17.mirror)][..., ::-1]
    assert flipped == pytest.approx(reversed_u, abs=np.exp(-4.5) * 2 + 1 / 255)


def test_tempposeconv_keeps_ten_clips_in_order() -> None:
    arrays = create_recipe("tempposeconv-j", {"length": "4"})(made_pose(40, 1), rng())
    assert arrays["frame_index"].reshape(10, 4).tolist() == [
        [4 * i + j for j in range(4)] for i in range(10)
    ]
    assert arrays["joints"].shape == (40, 17, 64, 86)
