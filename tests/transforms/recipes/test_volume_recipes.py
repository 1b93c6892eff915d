import dataclasses

import numpy as np
import pytest
from dense_maps import made_pose
from samples import made_sample, rng, values

from posemill.schema import PoseSequence
from posemill.transforms.geometry import Box, flip_joints, random_resized_box, subject_box
from posemill.transforms.recipes import create_recipe
from posemill.transforms.sample import Sample
from posemill.transforms.sampling import uniform_clip, uniform_test_clips
from posemill.transforms.seeding import view_generators
from posemill.transforms.skeletons import COCO_17, limb_mirror

VOLUMES = pytest.mark.parametrize("name", ["volume", "limb-volume"])


def corners(num_frames: int) -> PoseSequence:
    """Joint 0 at (100, 100), joint 1 at (180, 140), all others between them."""
    pose = made_pose(num_frames, 1)
    xy = np.full(pose.xy_px.shape, 120.0, np.float32)
    xy[:, 0], xy[:, 1] = (100.0, 100.0), (180.0, 140.0)
    return dataclasses.replace(pose, xy_px=xy, score=np.ones_like(pose.score))


@VOLUMES
def test_frames_are_the_test_clips_of_the_generator(name: str) -> None:
    arrays = create_recipe(name, {"views": "3"})(made_sample(200, 1), rng(9))
    assert np.array_equal(arrays["frame_index"], uniform_test_clips(200, 48, 3, rng(9)))


def test_joints_and_limbs_of_a_seed_show_the_same_frames() -> None:
    sample = made_sample(200, 1)
    joints, limbs = (
        create_recipe(n, {"draw": "cache", "views": "4"}) for n in ("volume", "limb-volume")
    )
    assert np.array_equal(
        joints(sample, rng(3))["frame_index"], limbs(sample, rng(3))["frame_index"]
    )


def test_test_views_share_one_crop() -> None:
    # Still people: whatever frames a view draws, it shows the same.
    pose = made_pose(100, 1)
    still = dataclasses.replace(pose, xy_px=np.repeat(pose.xy_px[:1], 100, axis=0))
    still = dataclasses.replace(still, score=np.ones_like(pose.score))
    volume = create_recipe("volume", {"views": "4"})(Sample(still), rng())["volume"]
    assert (volume == volume[:1, :, :1]).all()


@pytest.mark.parametrize("draw", ["test", "cache"])
def test_a_volume_is_cropped_to_its_subjects(draw: str) -> None:
    maps = values(create_recipe("volume", {"draw": draw}), Sample(corners(48)), "volume")[0]
    # Box 100 px square around (140, 120): x = 100 lands on (10 + .5 - .5) * .64 - .5 = 5.9
    # and y = 100 on (30 * .64) - .5 = 18.7.
    assert np.unravel_index(maps[0, 0].argmax(), (64, 64)) == (19, 6)
    off = np.array([19 - 18.7, 6 - 5.9])
    assert maps[0, 0, 19, 6] == pytest.approx(np.exp(-(off @ off) / 0.72), abs=0.5 / 255 + 1e-6)


def test_a_wide_volume_is_cropped_wide() -> None:
    # Box 100 x 50 px around (140, 120), scaled by .64: x = 10 * .64 - .5 = 5.9, y = 2.7.
    maps = values(create_recipe("volume", {"size_hw": "32,64"}), Sample(corners(48)), "volume")[0]
    assert np.unravel_index(maps[0, 0].argmax(), (32, 64)) == (3, 6)


def test_cached_views_are_training_clips_in_crops_of_their_own() -> None:
    sample = made_sample(300, 2)
    recipe = create_recipe("volume", {"draw": "cache", "views": "3", "length": "8"})
    arrays = recipe(sample, rng(5))
    clips = np.stack([uniform_clip(300, 8, each) for each in view_generators(rng(5), 3)])
    assert np.array_equal(arrays["frame_index"], clips)
    # Fewer views are the first ones of more.
    fewer = create_recipe("volume", {"draw": "cache", "views": "2", "length": "8"})(sample, rng(5))
    assert np.array_equal(fewer["volume"], arrays["volume"][:2])


def test_a_fresh_view_is_cropped_at_random_inside_the_subjects_box() -> None:
    pose = corners(10)
    recipe = create_recipe("volume", {"draw": "train", "length": "10", "size_hw": "56,56"})
    assert recipe.draws_anew
    volume = values(recipe, Sample(pose), "volume", seed=4)[0]
    (generator,) = view_generators(rng(4), 1)
    uniform_clip(10, 10, generator)
    whole = subject_box(pose.xy_px, pose.score, 320, 240)
    assert whole == Box(90.0, 70.0, 100.0, 100.0)
    part = random_resized_box(whole, generator)
    x = (120.0 - part.left) * 56 / part.width - 0.5
    y = (120.0 - part.top) * 56 / part.height - 0.5
    centre = np.rint([y, x]).astype(int)
    assert np.array_equal(np.unravel_index(volume[7, 0].argmax(), (56, 56)), centre)


@VOLUMES
def test_a_flipped_video_gives_a_flipped_volume(name: str) -> None:
    pose = made_pose(60, 2)
    xy, score = flip_joints(pose.xy_px, pose.score, pose.width, COCO_17.mirror)
    recipe = create_recipe(name, {"views": "2", "length": "12"})
    volume = values(recipe, Sample(pose), "volume")
    flipped = values(recipe, Sample(dataclasses.replace(pose, xy_px=xy, score=score)), "volume")
    limbs = [limb for limb, _ in limb_mirror(COCO_17)]
    expected = volume[:, list(COCO_17.mirror) if name == "volume" else limbs][..., ::-1]
    assert flipped == pytest.approx(expected, abs=1 / 255 + 1e-6)
    assert np.mean(flipped != expected) < 1e-3


def test_sums_are_kept_as_float16() -> None:
    pose = made_pose(60, 1)
    twice = dataclasses.replace(
        pose,
        xy_px=np.repeat(pose.xy_px, 2, axis=0),
        score=np.ones((120, 17), np.float32),
        frame=np.repeat(pose.frame, 2),
        slot=np.tile([0, 1], 60),
    )
    for name in ("volume", "limb-volume", "tempposeconv-j"):
        maps = next(iter(create_recipe(name, {"combine": "sum"})(Sample(twice), rng()).values()))
        assert maps.dtype == np.float16
        assert maps.max() > 1.5
