"""Neither modality tells all classes: what it shows of two of them comes of the very same draws."""

import numpy as np
import pytest
from appearance_study.feature_stores import render
from appearance_study.plan import FEATURES
from appearance_study.scenes import (
    CLASSES,
    FRAMES,
    PICTURE_PX,
    RADIUS_PX,
    SceneClip,
    clean_joints,
    disc,
    make_scene,
    scene_clips,
    stage_scene,
)
from models_study.actions import SIZE_PX

from posemill.transforms.recipes import create_recipe
from posemill.transforms.recipes.views import PictureRecipe

SEED = 5
OF_PICTURES = [name for name, each in FEATURES.items() if each.recipe != "volume"]
BOTH = [SceneClip("test", label, 3).performance for label in (0, 2)]
WAVE, SIT = BOTH


def test_ids_name_the_subset_the_class_and_the_number():
    clips = scene_clips("train", 3)
    assert len(clips) == 3 * len(CLASSES)
    assert clips[0].id == "train/red/000"
    assert len({clip.id for clip in clips}) == len(clips)
    assert len({clip.performance.id for clip in clips}) == len(clips)


def test_a_clip_is_the_same_whatever_is_made_before_it():
    clip = SceneClip("train", 3, 2)
    first = make_scene(clip, SEED)
    make_scene(SceneClip("train", 0, 2), SEED)
    again, other = make_scene(clip, SEED), make_scene(clip, SEED + 1)
    np.testing.assert_array_equal(first.pictures.rgb, again.pictures.rgb)
    np.testing.assert_array_equal(first.pose.xy_px, again.pose.xy_px)
    assert (first.pictures.rgb != other.pictures.rgb).mean() > 0.9


def test_poses_of_a_colour_are_those_of_the_other():
    red, blue = (stage_scene(name, WAVE, SEED) for name in ("red", "blue"))
    np.testing.assert_array_equal(red.pose.xy_px, blue.pose.xy_px)
    np.testing.assert_array_equal(red.pose.score, blue.pose.score)


def test_pictures_of_colours_differ_where_the_object_is_alone():
    red, blue = (stage_scene(name, WAVE, SEED) for name in ("red", "blue"))
    differs = (red.pictures.rgb != blue.pictures.rgb).any(axis=(0, 3))
    np.testing.assert_array_equal(differs, disc(red.place_px))


def test_pictures_of_a_motion_are_those_of_the_other_and_poses_are_played_backwards():
    down, up = (stage_scene(name, SIT, SEED) for name in ("sit_down", "stand_up"))
    np.testing.assert_array_equal(down.pictures.rgb, up.pictures.rgb)
    np.testing.assert_array_equal(down.pose.xy_px[::-1], up.pose.xy_px)
    np.testing.assert_array_equal(down.pose.score[::-1], up.pose.score)


@pytest.mark.parametrize("name", OF_PICTURES)
def test_what_a_training_cache_shows_of_a_motion_is_what_it_shows_of_the_other(name):
    features = FEATURES[name]
    recipe = create_recipe(features.recipe, {**features.settings, **features.cached})
    assert isinstance(recipe, PictureRecipe)
    down, up = (
        render(recipe, stage_scene(name, SIT, SEED), SEED, "crop")["frames"]
        for name in ("sit_down", "stand_up")
    )
    np.testing.assert_array_equal(down, up)


@pytest.mark.parametrize("name", FEATURES)
def test_a_training_cache_keeps_poses_of_a_colour_as_those_of_the_other(name):
    features = FEATURES[name]
    recipe = create_recipe(features.recipe, {**features.settings, **features.cached})
    red, blue = (
        render(recipe, stage_scene(name, WAVE, SEED), SEED, "crop") for name in ("red", "blue")
    )
    for kept in red.keys() - {"frames"}:
        np.testing.assert_array_equal(red[kept], blue[kept])


def test_pictures_show_the_object_whole_and_others_beside_it():
    for clip in scene_clips("test", 5):
        scene = make_scene(clip, SEED)
        assert np.all(scene.place_px >= RADIUS_PX)
        assert np.all(scene.place_px <= SIZE_PX - 1 - RADIUS_PX)
        radius = RADIUS_PX * PICTURE_PX / SIZE_PX
        assert abs(disc(scene.place_px).sum() / (np.pi * radius**2) - 1.0) < 0.2


def test_the_object_is_within_what_the_joints_span():
    for clip in scene_clips("test", 5):
        place, joints = make_scene(clip, SEED).place_px, clean_joints(clip, SEED)
        assert joints.shape == (FRAMES, 17, 2)
        assert np.all(place >= joints.min(axis=(0, 1)))
        assert np.all(place <= joints.max(axis=(0, 1)))


def test_nothing_moves_in_the_pictures_but_noise():
    rgb = make_scene(SceneClip("train", 2, 0), SEED).pictures.rgb.astype(float)
    halves = rgb[: FRAMES // 2].mean(axis=0), rgb[FRAMES // 2 :].mean(axis=0)
    # Of two means of 24 frames of a deviation of 20: 20 sqrt(2 / 24) = 5.8.
    assert abs((halves[0] - halves[1]).std() - 5.8) < 0.6
