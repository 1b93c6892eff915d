import dataclasses

import numpy as np
import pytest
from dense_maps import made_pose
from samples import made_sample, rng, specs_of, values

from posemill.errors import InputError
from posemill.transforms.augment import flip_part_fields
from posemill.transforms.geometry import flip_joints
from posemill.transforms.recipes import create_recipe
from posemill.transforms.sample import DenseMaps, Sample
from posemill.transforms.skeletons import COCO_17, COCO_18, limb_mirror


def test_ten_clips_are_kept_in_order() -> None:
    arrays = create_recipe("tempposeconv-j", {"length": "4"})(Sample(made_pose(40, 1)), rng())
    assert arrays["frame_index"].reshape(10, 4).tolist() == [
        [4 * i + j for j in range(4)] for i in range(10)
    ]
    assert arrays["joints"].shape == (40, 17, 64, 86)


def test_a_training_clip_is_drawn_alone_and_stores_stay_what_they_were() -> None:
    recipe = create_recipe("tempposeconv-j", {"length": "4", "draw": "train"})
    sample = Sample(made_pose(40, 1))
    starts = set()
    for seed in range(60):
        arrays = recipe(sample, rng(seed))
        index = arrays["frame_index"]
        assert arrays["joints"].shape == (4, 17, 64, 86)
        assert (np.diff(index) == 1).all()
        starts.add(int(index[0]))
    assert len(starts) > 10  # of 37; the fixed clips have ten
    assert recipe.draws_anew
    assert recipe.configuration()["settings"]["draw"] == "train"
    # What was materialized before there was the setting is still of this recipe.
    assert "draw" not in create_recipe("tempposeconv-j").configuration()["settings"]
    steps = create_recipe("tempposeconv-pdiff", {"length": "4", "draw": "train"})(sample, rng())
    assert steps["part_differences"].shape == (3, 34, 64, 86)


def test_part_fields_point_from_a_limbs_first_joint_to_its_second() -> None:
    pose = made_pose(3, 1)
    step = np.array([320 / 86, 240 / 64])
    xy = np.zeros_like(pose.xy_px)
    score = np.zeros_like(pose.score)
    first, second = COCO_17.limbs[2]  # left shoulder to left elbow
    xy[:, first] = (np.array([20, 30]) + 0.5) * step - 0.5
    xy[:, second] = (np.array([23, 34]) + 0.5) * step - 0.5
    score[:, [first, second]] = 0.9
    sample = Sample(dataclasses.replace(pose, xy_px=xy, score=score))
    parts = values(create_recipe("tempposeconv-p", {"length": "1"}), sample, "parts")
    assert parts.shape == (10, 34, 64, 86)
    # 3 px to the right and 4 down: a unit vector of (.6, .8) on both ends.
    for at in ((30, 20), (34, 23)):
        assert parts[(0, slice(4, 6), *at)] == pytest.approx([0.6, 0.8], abs=1e-3)
    others = np.delete(np.arange(34), [4, 5])
    assert not parts[:, others].any()


def test_openpose_has_the_38_part_channels_of_the_paper() -> None:
    assert specs_of(create_recipe("tempposeconv-p"), made_pose(2, 1))["parts"].shape[1] == 34
    assert create_recipe("tempposeconv-p").outputs(COCO_18)[0].shape[1] == 38


def test_flipped_part_fields_swap_limbs_and_turn_round() -> None:
    pose = made_pose(24, 2)
    xy, score = flip_joints(pose.xy_px, pose.score, pose.width, COCO_17.mirror)
    recipe = create_recipe("tempposeconv-p", {"length": "2"})
    parts = values(recipe, Sample(pose), "parts")
    flipped = values(recipe, Sample(dataclasses.replace(pose, xy_px=xy, score=score)), "parts")
    expected = flip_part_fields(parts, limb_mirror(COCO_17), axis=1)
    # The support of a limb ends at a sharp edge, on which rounding may decide either way.
    differs = np.abs(flipped - expected) > 1e-3
    assert differs.mean() < 1e-4


def test_differences_are_of_consecutive_frames_of_one_clip() -> None:
    sample = Sample(made_pose(50, 1))
    joints = values(create_recipe("tempposeconv-j", {"length": "3"}), sample, "joints")
    recipe = create_recipe("tempposeconv-jdiff", {"length": "3"})
    arrays = recipe(sample, rng())
    differences = arrays["joint_differences"].reshape(10, 2, 17, 64, 86)
    clips = joints.reshape(10, 3, 17, 64, 86)
    # Joints are kept in steps of 1/255, differences of what they stand for are not.
    assert differences == pytest.approx(clips[:, 1:] - clips[:, :-1], abs=1 / 255 + 1e-3)
    index = create_recipe("tempposeconv-j", {"length": "3"})(sample, rng())["frame_index"]
    assert np.array_equal(arrays["frame_index"].reshape(10, 2), index.reshape(10, 3)[:, 1:])


def test_a_difference_needs_two_frames() -> None:
    with pytest.raises(
        InputError, match="differences need clips of 2 frames or more, got length=1"
    ):
        create_recipe("tempposeconv-jdiff", {"length": "1"})


def test_nothing_moves_where_nobody_does() -> None:
    pose = made_pose(50, 1)
    still = dataclasses.replace(
        pose,
        xy_px=np.repeat(pose.xy_px[:1], 50, axis=0),
        score=np.repeat(pose.score[:1], 50, axis=0),
    )
    for name in ("tempposeconv-jdiff", "tempposeconv-pdiff"):
        maps = next(iter(create_recipe(name, {"length": "2"})(Sample(still), rng()).values()))
        assert not maps.any()


def test_features_are_the_kept_ones_of_the_sampled_frames() -> None:
    pose = made_pose(30, 1)
    frames = np.unique(
        create_recipe("tempposeconv-j", {"length": "2"})(Sample(pose), rng())["frame_index"]
    )
    features = np.broadcast_to(
        frames[:, None, None, None] / 64 + np.arange(3)[:, None, None] / 4, (len(frames), 3, 8, 11)
    ).astype(np.float16)
    recipe = create_recipe("tempposeconv-f", {"length": "2", "channels": "3"})
    arrays = recipe(Sample(pose, dense=DenseMaps(frames, features=features)), rng())
    middle = arrays["features"][:, :, 32, 43]
    expected = arrays["frame_index"][:, None] / 64 + np.arange(3) / 4
    assert middle == pytest.approx(expected, abs=1e-3)


def test_people_apart_lie_between_time_and_joints() -> None:
    recipe = create_recipe("tempposeconv-j", {"length": "2", "people": "box"})
    arrays = recipe(made_sample(30, 2), rng())
    assert arrays["joints"].shape == (20, 2, 17, 64, 86)
    together = create_recipe("tempposeconv-j", {"length": "2"})(made_sample(30, 2), rng())
    assert np.array_equal(arrays["joints"].max(axis=1), together["joints"])
