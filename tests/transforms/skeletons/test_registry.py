"""The shipped skeletons, each fact against the source that it is taken from."""

import pytest

from posemill.errors import InputError
from posemill.schema import Skeleton
from posemill.transforms import skeletons as package
from posemill.transforms.skeletons import (
    BODY_25,
    COCO_17,
    COCO_17_NECK,
    COCO_17_OKS_SIGMAS,
    COCO_18,
    NTU_25,
    NUCLA_20,
    PARNET_14,
    PARNET_PARTS,
    SKELETONS,
    SMARTHOME_13,
    get_skeleton,
    limb_joints,
    limb_mirror,
)

skeletons = pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=lambda s: s.name)


def opposite(name: str) -> str:
    if "left" in name:
        return name.replace("left", "right", 1)
    return name.replace("right", "left", 1)


@skeletons
def test_the_mirror_swaps_left_and_right_by_name(skeleton: Skeleton) -> None:
    for joint, partner in enumerate(skeleton.mirror):
        assert skeleton.keypoints[partner] == opposite(skeleton.keypoints[joint])


@skeletons
def test_limbs_mirror_to_limbs(skeleton: Skeleton) -> None:
    limbs = {frozenset(limb) for limb in skeleton.limbs}
    assert len(limbs) == len(skeleton.limbs)
    for a, b in skeleton.limbs:
        assert frozenset((skeleton.mirror[a], skeleton.mirror[b])) in limbs


@pytest.mark.parametrize("name", [name for name in SKELETONS if name != "blazepose-33"])
def test_limbs_hold_the_body_together(name: str) -> None:
    # MediaPipe joins face, mouth and body with nothing.
    skeleton = get_skeleton(name)
    joined = {0}
    for _ in skeleton.limbs:
        joined |= {joint for limb in skeleton.limbs if joined & set(limb) for joint in limb}
    assert joined == set(range(skeleton.num_keypoints))


@skeletons
def test_every_joint_is_in_one_part_and_sides_mirror(skeleton: Skeleton) -> None:
    names = [part.name for part in skeleton.parts]
    assert names == ["head", "torso", "left_arm", "right_arm", "left_leg", "right_leg"]
    parts = {part.name: set(part.joints) for part in skeleton.parts}
    assert set.union(*parts.values()) == set(range(skeleton.num_keypoints))
    for name, joints in parts.items():
        assert {skeleton.mirror[joint] for joint in joints} == parts[opposite(name)]


@skeletons
def test_joint_names_are_distinct_and_skeletons_are_found_by_name(skeleton: Skeleton) -> None:
    assert len(set(skeleton.keypoints)) == skeleton.num_keypoints
    assert get_skeleton(skeleton.name) is skeleton


def test_names_say_the_number_of_joints() -> None:
    assert [(name, s.num_keypoints, len(s.limbs)) for name, s in SKELETONS.items()] == [
        ("coco-17", 17, 17),
        ("coco-17-neck", 18, 20),
        ("coco-18", 18, 19),
        ("body-25", 25, 26),
        ("ntu-25", 25, 24),
        ("nucla-20", 20, 19),
        ("jhmdb-15", 15, 14),
        ("penn-13", 13, 14),
        ("parnet-14", 14, 13),
        ("smarthome-13", 13, 14),
        ("blazepose-33", 33, 35),
    ]


def test_everything_named_by_the_package_is_there() -> None:
    assert all(hasattr(package, name) for name in package.__all__)


def test_limbs_that_swap_sides_are_those_of_poseconv3d() -> None:
    # Numbers of limbs, systems' table: left [0,2,3,6,7,8,12,14] <-> right [1,4,5,9,10,11,13,15].
    left, right = (0, 2, 3, 6, 7, 8, 12, 14), (1, 4, 5, 9, 10, 11, 13, 15)
    mirror = limb_mirror(COCO_17)
    for number, partner in zip(left, right, strict=True):
        assert mirror[number] == (partner, 1)
        assert mirror[partner] == (number, 1)
    assert mirror[16] == (16, -1)  # hip to hip


def test_jmrn_has_cocos_joints_and_limbs_and_a_neck() -> None:
    assert COCO_17_NECK.keypoints == (*COCO_17.keypoints, "neck")
    assert COCO_17_NECK.limbs[:17] == COCO_17.limbs
    assert COCO_17_NECK.limbs[17:] == ((17, 0), (17, 5), (17, 6))
    # Code of JMRN: flipping swaps (1,2), (3,4), ..., (15,16).
    swaps = {(a, b) for a, b in enumerate(COCO_17_NECK.mirror) if a < b}
    assert swaps == {(joint, joint + 1) for joint in range(1, 16, 2)}


def test_openposes_limbs_lie_in_the_order_of_its_part_fields() -> None:
    # poseParameters.cpp lists pairs of joints and, in another order, their channels.
    pairs = (
        "1,2 1,5 2,3 3,4 5,6 6,7 1,8 8,9 9,10 1,11 11,12 12,13 1,0 0,14 14,16 0,15 15,17 2,16 5,17"
    )
    channels = [12, 20, 14, 16, 22, 24, 0, 2, 4, 6, 8, 10, 28, 30, 34, 32, 36, 18, 26]
    for pair, channel in zip(pairs.split(), channels, strict=True):
        assert COCO_18.limbs[channel // 2] == tuple(map(int, pair.split(",")))
    pairs = (
        "1,8 1,2 1,5 2,3 3,4 5,6 6,7 8,9 9,10 10,11 8,12 12,13 13,14 1,0 0,15 15,17 0,16 16,18 "
        "2,17 5,18 14,19 19,20 14,21 11,22 22,23 11,24"
    )
    channels = [0, 14, 22, 16, 18, 24, 26, 6, 2, 4, 8, 10, 12, 30, 32, 36, 34, 38, 20, 28]
    for pair, channel in zip(pairs.split(), [*channels, 40, 42, 44, 46, 48, 50], strict=True):
        assert BODY_25.limbs[channel // 2] == tuple(map(int, pair.split(",")))


def test_the_two_openpose_bodies_agree_on_their_first_joints() -> None:
    assert COCO_18.keypoints[:8] == BODY_25.keypoints[:8]
    assert COCO_18.keypoints[8:] == tuple(BODY_25.keypoints[joint] for joint in (*range(9, 19),))


def test_ntus_graph_is_that_of_vpn() -> None:
    # Systems, section 6: 25 joints, 24 bones, sum of E = 1344 with alpha 5 and beta 2.
    bones = {frozenset(limb) for limb in NTU_25.limbs}
    edges = [5 if frozenset((a, b)) in bones else 2 for a in range(25) for b in range(25) if a != b]
    assert sum(edges) == 1344


def test_ntus_limbs_are_the_dataset_s_own() -> None:
    # connecting_joint of the dataset's Matlab code, from 1; the first is the second reversed.
    connecting = [
        2,
        1,
        21,
        3,
        21,
        5,
        6,
        7,
        21,
        9,
        10,
        11,
        1,
        13,
        14,
        15,
        1,
        17,
        18,
        19,
        2,
        8,
        8,
        12,
        12,
    ]
    ours = {frozenset((a + 1, b + 1)) for a, b in NTU_25.limbs}
    assert ours == {frozenset((joint, other)) for joint, other in enumerate(connecting, 1)}


@pytest.mark.parametrize(
    ("skeleton", "root"), [(NTU_25, "spine_base"), (NUCLA_20, "hip_center"), (PARNET_14, "neck")]
)
def test_limbs_of_trees_point_away_from_the_trunk(skeleton: Skeleton, root: str) -> None:
    outer = [skeleton.keypoints[b] for _, b in skeleton.limbs]
    assert sorted([root, *outer]) == sorted(skeleton.keypoints)


def test_smarthomes_sides_are_those_that_lcrnet_draws() -> None:
    left, right = [(9, 11), (7, 9), (1, 3), (3, 5)], [(0, 2), (2, 4), (8, 10), (6, 8)]
    limbs = {frozenset(limb) for limb in SMARTHOME_13.limbs}
    for side, bones in (("left", left), ("right", right)):
        for bone in bones:
            assert frozenset(bone) in limbs
            assert all(SMARTHOME_13.keypoints[joint].startswith(side) for joint in bone)


def test_parnets_parts_are_those_of_the_paper() -> None:
    assert [list(part.joints) for part in PARNET_PARTS] == [
        [3, 4, 5],
        [0, 1, 2],
        [9, 10, 11],
        [6, 7, 8],
        [12, 13, 0, 3],
    ]
    names = [[PARNET_14.keypoints[joint] for joint in part.joints] for part in PARNET_PARTS]
    assert names[0] == ["left_shoulder", "left_elbow", "left_wrist"]
    assert names[3] == ["right_hip", "right_knee", "right_ankle"]
    assert names[4] == ["head", "neck", "right_shoulder", "left_shoulder"]


def test_left_and_right_are_equally_hard_to_place() -> None:
    assert len(COCO_17_OKS_SIGMAS) == COCO_17.num_keypoints
    assert (COCO_17_OKS_SIGMAS[list(COCO_17.mirror)] == COCO_17_OKS_SIGMAS).all()


def test_an_unknown_skeleton_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match="no skeleton is called 'dog'; there are: coco-17"):
        get_skeleton("dog")


@skeletons
def test_every_skeleton_has_eight_limb_joints(skeleton: Skeleton) -> None:
    names = [skeleton.keypoints[joint] for joint in limb_joints(skeleton)]
    joints = ("elbow", "wrist", "knee", "ankle")
    assert sorted(names) == sorted(
        f"{side}_{joint}" for side in ("left", "right") for joint in joints
    )
