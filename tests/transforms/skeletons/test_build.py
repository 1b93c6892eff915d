"""Skeletons made from names, and their groups and mirrored limbs."""

import pytest

from posemill.errors import InputError
from posemill.schema import Part, Skeleton
from posemill.transforms.skeletons import (
    COCO_17,
    COCO_17_NECK,
    COCO_18,
    NTU_25,
    jitter_groups,
    limb_mirror,
    make_skeleton,
)
from posemill.transforms.skeletons.build import mirror_name


def test_the_names_decide_mirror_and_parts() -> None:
    made = make_skeleton("arms", ("left_hand", "neck", "right_hand", "nose"), ((1, 0), (1, 2)))
    assert made.mirror == (2, 1, 0, 3)
    assert made.parts == (
        Part("head", (3,)),
        Part("torso", (1,)),
        Part("left_arm", (0,)),
        Part("right_arm", (2,)),
    )


def test_a_side_may_stand_anywhere_in_a_name() -> None:
    assert mirror_name("mouth_left") == "mouth_right"
    assert mirror_name("right_foot_index") == "left_foot_index"
    assert mirror_name("neck") == "neck"


@pytest.mark.parametrize(
    ("keypoints", "message"),
    [
        (("left_eye",), "skeleton x: joint 'left_eye' has no partner 'right_eye'"),
        (("tail",), "skeleton x: joint 'tail' belongs to no part of the body"),
        (("wrist",), "skeleton x: joint 'wrist' belongs to no part of the body"),
        (("nose", "nose"), "two joints share a name"),
    ],
)
def test_names_that_say_too_little_are_refused(keypoints: tuple[str, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_skeleton("x", keypoints, ())


def test_the_groups_are_those_of_jmrn() -> None:
    # Systems, PAA: head [0-4], left arm [5,7,9], right arm [6,8,10], legs [13,15] and [14,16];
    # hips 11, 12 and the neck stay.
    expected = ((0, 1, 2, 3, 4), (5, 7, 9), (6, 8, 10), (13, 15), (14, 16))
    assert jitter_groups(COCO_17) == expected
    assert jitter_groups(COCO_17_NECK) == expected


def test_hands_and_feet_move_with_their_limbs() -> None:
    head, left_arm, right_arm, left_leg, right_leg = jitter_groups(NTU_25)
    assert head == (3,)
    assert left_arm == (4, 5, 6, 7, 21, 22)
    assert right_arm == (8, 9, 10, 11, 23, 24)
    assert left_leg == (13, 14, 15)
    assert right_leg == (17, 18, 19)


def test_without_parts_there_is_nothing_to_jitter() -> None:
    dog = Skeleton("dog", ("head", "tail"), ((0, 1),), (0, 1))
    with pytest.raises(InputError, match="no joint groups to jitter are known for skeleton 'dog'"):
        jitter_groups(dog)


def test_a_flipped_field_points_where_its_limb_does() -> None:
    # Points in a picture of width 10; a flip maps x to 9 - x.
    width = 10
    for skeleton in (COCO_17, COCO_18, NTU_25):
        points = [((7 * joint) % 10, (3 * joint) % 11) for joint in range(skeleton.num_keypoints)]
        flipped = [
            (width - 1 - points[partner][0], points[partner][1]) for partner in skeleton.mirror
        ]
        for (a, b), (number, sign) in zip(skeleton.limbs, limb_mirror(skeleton), strict=True):
            c, d = skeleton.limbs[number]
            before = (points[b][0] - points[a][0], points[b][1] - points[a][1])
            after = (flipped[d][0] - flipped[c][0], flipped[d][1] - flipped[c][1])
            assert after == (-sign * before[0], sign * before[1])


def test_mirroring_limbs_twice_changes_nothing() -> None:
    for skeleton in (COCO_17, COCO_18, NTU_25):
        mirror = limb_mirror(skeleton)
        for number, mirrored in enumerate(mirror):
            assert mirror[mirrored.limb] == (number, mirrored.sign)


def test_a_limb_without_mirror_image_is_refused() -> None:
    lopsided = make_skeleton("x", ("neck", "left_eye", "right_eye"), ((0, 1),))
    with pytest.raises(
        ValueError, match="limb neck - left_eye has no mirror image: neck - right_eye is not a limb"
    ):
        limb_mirror(lopsided)


def test_a_limb_given_twice_is_refused() -> None:
    double = make_skeleton("x", ("neck", "nose"), ((0, 1), (1, 0)))
    with pytest.raises(ValueError, match="limbs 0 and 1 both join nose and neck"):
        limb_mirror(double)
