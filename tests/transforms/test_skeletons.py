import pytest

from posemill.errors import InputError
from posemill.schema import Skeleton
from posemill.transforms.skeletons import COCO_17, COCO_17_OKS_SIGMAS, SKELETONS, get_skeleton

skeletons = pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=lambda s: s.name)


def opposite(name: str) -> str:
    if name.startswith("left_"):
        return name.replace("left_", "right_", 1)
    return name.replace("right_", "left_", 1) if name.startswith("right_") else name


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


@skeletons
def test_joint_names_are_distinct_and_skeletons_are_found_by_name(skeleton: Skeleton) -> None:
    assert len(set(skeleton.keypoints)) == skeleton.num_keypoints
    assert get_skeleton(skeleton.name) is skeleton


def test_limbs_that_swap_sides_are_those_of_poseconv3d() -> None:
    # Numbers of limbs, systems' table: left [0,2,3,6,7,8,12,14] <-> right [1,4,5,9,10,11,13,15].
    left, right = (0, 2, 3, 6, 7, 8, 12, 14), (1, 4, 5, 9, 10, 11, 13, 15)
    for number, partner in zip(left, right, strict=True):
        mirrored = tuple(COCO_17.mirror[joint] for joint in COCO_17.limbs[number])
        assert mirrored == COCO_17.limbs[partner]


def test_left_and_right_are_equally_hard_to_place() -> None:
    assert len(COCO_17_OKS_SIGMAS) == COCO_17.num_keypoints
    assert (COCO_17_OKS_SIGMAS[list(COCO_17.mirror)] == COCO_17_OKS_SIGMAS).all()


def test_an_unknown_skeleton_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match="no skeleton is called 'dog'; there are: coco-17"):
        get_skeleton("dog")
