"""Conversions between skeletons, by hand."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posemill.errors import InputError
from posemill.schema import PoseSequence, Skeleton
from posemill.transforms.skeletons import (
    BLAZEPOSE_33,
    BODY_25,
    COCO_17,
    COCO_17_NECK,
    COCO_18,
    JHMDB_15,
    NTU_25,
    NUCLA_20,
    PARNET_14,
    PENN_13,
    SKELETONS,
    SMARTHOME_13,
    convert,
    convertible,
    make_skeleton,
)


def numbered(skeleton: Skeleton, rows: int = 2, *, metres: bool = False) -> PoseSequence:
    """Joint k of row p at x = 10 k + p, y = -k, z = k / 2, with score (k + 1) / 100."""
    joint = np.arange(skeleton.num_keypoints, dtype=np.float32)
    row = np.arange(rows, dtype=np.float32)[:, None]
    x, y = 10 * joint + row, np.broadcast_to(-joint, (rows, len(joint)))
    z = np.broadcast_to(joint / 2, (rows, len(joint)))
    return PoseSequence(
        skeleton=skeleton.name,
        xy_px=np.stack([x, y], axis=-1),
        score=np.broadcast_to((joint + 1) / 100, (rows, len(joint))).astype(np.float32),
        frame=np.arange(rows, dtype=np.int64),
        slot=np.zeros(rows, np.int64),
        pts_seconds=np.arange(rows) / 25.0,
        width=640,
        height=480,
        frames_declared=rows,
        xyz_m=np.stack([x, y, z], axis=-1) if metres else None,
    )


def without(pose: PoseSequence, skeleton: Skeleton, joint: str) -> PoseSequence:
    xy, score = pose.xy_px.copy(), pose.score.copy()
    number = skeleton.keypoints.index(joint)
    xy[0, number], score[0, number] = np.nan, 0.0
    return replace(pose, xy_px=xy, score=score)


def joint_of(pose: PoseSequence, skeleton: Skeleton, joint: str, row: int = 0):
    number = skeleton.keypoints.index(joint)
    return (*pose.xy_px[row, number].tolist(), pytest.approx(float(pose.score[row, number])))


def test_the_neck_is_the_middle_of_the_shoulders_with_the_lower_score() -> None:
    made = convert(numbered(COCO_17), COCO_17_NECK)
    assert made.skeleton == "coco-17-neck"
    np.testing.assert_array_equal(made.xy_px[:, :17], numbered(COCO_17).xy_px)
    np.testing.assert_array_equal(made.score[:, :17], numbered(COCO_17).score)
    # Shoulders 5 and 6: x 50 and 60, y -5 and -6, scores .06 and .07.
    assert joint_of(made, COCO_17_NECK, "neck") == (55.0, -5.5, 0.06)
    assert joint_of(made, COCO_17_NECK, "neck", row=1) == (56.0, -5.5, 0.06)


@pytest.mark.parametrize("shoulder", ["left_shoulder", "right_shoulder"])
def test_without_a_shoulder_there_is_no_neck(shoulder: str) -> None:
    made = convert(without(numbered(COCO_17), COCO_17, shoulder), COCO_17_NECK)
    assert joint_of(made, COCO_17_NECK, "neck") == (0.0, 0.0, 0.0)
    assert joint_of(made, COCO_17_NECK, shoulder) == (0.0, 0.0, 0.0)
    assert joint_of(made, COCO_17_NECK, "neck", row=1) == (56.0, -5.5, 0.06)


def test_parnets_head_is_cocos_nose() -> None:
    made = convert(numbered(COCO_17), PARNET_14)
    order = [6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 0]
    np.testing.assert_array_equal(made.xy_px[0, :13, 0], [10 * joint for joint in order])
    assert joint_of(made, PARNET_14, "neck") == (55.0, -5.5, 0.06)


def test_a_head_of_its_own_and_a_neck_of_its_own_come_first() -> None:
    made = convert(numbered(NTU_25), PARNET_14)
    assert joint_of(made, PARNET_14, "head") == (30.0, -3.0, 0.04)
    assert joint_of(made, PARNET_14, "neck") == (20.0, -2.0, 0.03)
    assert joint_of(convert(numbered(JHMDB_15), PARNET_14), PARNET_14, "head")[0] == 20.0
    # Penn Action has no neck: its shoulders are 1 and 2.
    assert joint_of(convert(numbered(PENN_13), PARNET_14), PARNET_14, "neck")[:2] == (15.0, -1.5)


def test_body_25_becomes_both_coco_orders() -> None:
    # As openpose users map them: COCO-17 from BODY_25.
    coco = [0, 16, 15, 18, 17, 5, 2, 6, 3, 7, 4, 12, 9, 13, 10, 14, 11]
    made = convert(numbered(BODY_25), COCO_17)
    np.testing.assert_array_equal(made.xy_px[0, :, 0], [10 * joint for joint in coco])
    made = convert(numbered(BODY_25), COCO_18)
    kept = [0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18]
    np.testing.assert_array_equal(made.xy_px[0, :, 0], [10 * joint for joint in kept])


def test_blazepose_becomes_coco_as_its_estimator_maps_it() -> None:
    joints = [0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28]
    made = convert(numbered(BLAZEPOSE_33), COCO_17)
    np.testing.assert_array_equal(made.xy_px[0, :, 0], [10 * joint for joint in joints])


def test_metres_follow_the_same_rules_as_pixels() -> None:
    made = convert(numbered(NUCLA_20, metres=True), PARNET_14)
    # Shoulders 4 and 8: x 40 and 80, y -4 and -8, z 2 and 4.
    assert made.xyz_m is not None
    np.testing.assert_array_equal(made.xyz_m[0, 13], [60.0, -6.0, 3.0])
    np.testing.assert_array_equal(made.xyz_m[..., :2], made.xy_px)
    assert made.score[0, 13] == pytest.approx(0.05)


def test_hips_make_a_mid_hip_and_the_base_of_the_spine() -> None:
    middle = make_skeleton("middle", ("mid_hip", "spine_base"), ((0, 1),))
    made = convert(numbered(COCO_17), middle)
    assert joint_of(made, middle, "mid_hip") == (115.0, -11.5, 0.12)
    assert joint_of(made, middle, "spine_base") == (115.0, -11.5, 0.12)


def test_time_and_people_stay() -> None:
    pose = numbered(COCO_17)
    made = convert(pose, COCO_18)
    for name in ("frame", "slot", "pts_seconds"):
        assert getattr(made, name) is getattr(pose, name)
    assert (made.width, made.height, made.frames_declared) == (640, 480, 2)
    assert made.xy_px.dtype == made.score.dtype == np.float32


def test_poses_of_the_target_are_returned_as_they_are() -> None:
    pose = numbered(COCO_17)
    assert convert(pose, COCO_17) is pose
    own = make_skeleton("own", ("nose", "neck"), ((0, 1),))
    assert convertible(own, own)


def test_nobody_at_all_can_be_converted() -> None:
    made = convert(numbered(COCO_17, rows=0, metres=True), COCO_18)
    assert made.score.shape == (0, 18)
    assert made.xyz_m is not None
    assert made.xyz_m.shape == (0, 18, 3)


def test_what_cannot_be_made_is_named_with_what_can() -> None:
    with pytest.raises(InputError) as refused:
        convert(numbered(COCO_17), JHMDB_15)
    assert str(refused.value) == (
        "poses of skeleton 'coco-17' cannot become 'jhmdb-15': nothing in them makes belly, head; "
        "they can become: coco-17-neck, coco-18, parnet-14"
    )
    with pytest.raises(InputError, match="makes nose, left_eye, right_eye, left_ear, right_ear; "):
        convert(numbered(NTU_25), COCO_17)


def test_an_unknown_source_is_refused() -> None:
    with pytest.raises(InputError, match="no skeleton is called 'dog'"):
        convert(replace(numbered(COCO_17), skeleton="dog"), COCO_18)


def test_a_wrong_number_of_joints_is_refused() -> None:
    pose = replace(numbered(COCO_18), skeleton="coco-17")
    with pytest.raises(ValueError, match="skeleton 'coco-17' must have 17 joints, got 18"):
        convert(pose, COCO_17_NECK)


def test_which_conversions_there_are() -> None:
    possible = {
        source.name: [
            target.name
            for target in SKELETONS.values()
            if target is not source and convertible(source, target)
        ]
        for source in SKELETONS.values()
    }
    bodies = ["penn-13", "parnet-14", "smarthome-13"]
    assert possible == {
        "coco-17": ["coco-17-neck", "coco-18", "parnet-14"],
        "coco-17-neck": ["coco-17", "coco-18", "parnet-14"],
        "coco-18": ["coco-17", "coco-17-neck", "parnet-14"],
        "body-25": ["coco-17", "coco-17-neck", "coco-18", "parnet-14"],
        "ntu-25": bodies,
        "nucla-20": bodies,
        "jhmdb-15": bodies,
        "penn-13": ["parnet-14", "smarthome-13"],
        "parnet-14": [],  # its head may be a nose
        "smarthome-13": ["penn-13", "parnet-14"],
        "blazepose-33": ["coco-17", "coco-17-neck", "coco-18", "parnet-14"],
    }
    with pytest.raises(InputError, match="makes head; they can become: no other"):
        convert(numbered(PARNET_14), SMARTHOME_13)


pairs = st.sampled_from(
    [(a, b) for a in SKELETONS.values() for b in SKELETONS.values() if convertible(a, b)]
)


@settings(max_examples=50)
@given(pairs, st.integers(0, 3), st.integers(0, 2**32 - 1))
def test_any_conversion_commutes_with_the_flip_and_leaves_its_argument(
    pair: tuple[Skeleton, Skeleton], rows: int, seed: int
) -> None:
    source, target = pair
    rng = np.random.default_rng(seed)
    score = rng.choice(np.array([0.0, 0.25, 0.5, 1.0], np.float32), (rows, source.num_keypoints))
    # Whole eighths, so that means and flips are exact.
    xy = (rng.integers(-80, 800, (*score.shape, 2)) / 8).astype(np.float32)
    xy[score == 0] = np.nan
    pose = replace(numbered(source, rows), xy_px=xy, score=score)
    kept = xy.copy(), score.copy()
    made = convert(pose, target)
    np.testing.assert_array_equal(pose.xy_px, kept[0])
    np.testing.assert_array_equal(pose.score, kept[1])

    flipped = convert(flip(pose, source), target)
    expected = flip(made, target)
    np.testing.assert_array_equal(flipped.score, expected.score)
    there = expected.score > 0
    np.testing.assert_array_equal(flipped.xy_px[there], expected.xy_px[there])


def flip(pose: PoseSequence, skeleton: Skeleton) -> PoseSequence:
    order = list(skeleton.mirror)
    xy = pose.xy_px[:, order].copy()
    xy[..., 0] = pose.width - 1 - xy[..., 0]
    return replace(pose, xy_px=xy, score=pose.score[:, order])
