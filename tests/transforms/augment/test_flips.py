import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posemill.transforms.augment import flip_maps, flip_part_fields
from posemill.transforms.geometry import flip_joints
from posemill.transforms.skeletons import COCO_17, SKELETONS, limb_mirror

SEED = st.integers(0, 2**32 - 1)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def fields_of(xy: np.ndarray, limbs: tuple[tuple[int, int], ...]) -> np.ndarray:
    """(2 L, 9, 12): the unit vector of each limb on whole pixels within 2 px of its middle."""
    fields = np.zeros((len(limbs), 2, 9, 12))
    for limb, (a, b) in enumerate(limbs):
        middle, vector = (xy[a] + xy[b]) / 2, xy[b] - xy[a]
        x, y = np.arange(12), np.arange(9)[:, None]
        near = (x - middle[0]) ** 2 + (y - middle[1]) ** 2 <= 4.0
        fields[limb, :, near] = vector / np.hypot(*vector)
    return fields.reshape(-1, 9, 12)


def test_a_flip_swaps_sides_and_reverses_columns() -> None:
    maps = rng().random((17, 2, 4, 5)).astype(np.float32)
    flipped = flip_maps(maps, COCO_17.mirror)
    left, right = COCO_17.keypoints.index("left_knee"), COCO_17.keypoints.index("right_knee")
    assert np.array_equal(flipped[left], maps[right, :, :, ::-1])
    assert np.array_equal(flipped[0], maps[0, :, :, ::-1])
    assert np.array_equal(flip_maps(flipped, COCO_17.mirror), maps)


def test_joints_may_be_any_axis() -> None:
    cube = rng().random((3, 17, 4, 5))
    flipped = flip_maps(cube, COCO_17.mirror, joint_axis=1)
    assert np.array_equal(flipped[:, 1], cube[:, 2, :, ::-1])


@pytest.mark.parametrize("dtype", ["bool", "uint8", "float16", "float32", "float64"])
def test_maps_of_any_dtype_and_order_in_memory_are_flipped(dtype: str) -> None:
    cube = (rng().random((3, 2, 17, 4, 5)) * 3).astype(dtype)
    expected = cube[:, :, list(COCO_17.mirror)][..., ::-1]
    for maps in (cube, np.asfortranarray(cube), cube[..., ::-1][..., ::-1]):
        flipped = flip_maps(maps, COCO_17.mirror, joint_axis=-3)
        assert flipped.dtype == cube.dtype
        assert np.array_equal(flipped, expected)
    assert flip_maps(cube[:0], COCO_17.mirror, joint_axis=2).shape == (0, 2, 17, 4, 5)


def test_fields_of_a_pair_of_arms_and_of_the_shoulders() -> None:
    # Limbs: left arm, right arm, and from the left shoulder to the right.
    mirror = [(1, 1), (0, 1), (2, -1)]
    fields = np.zeros((6, 1, 2), np.float32)
    fields[0, 0, 0], fields[1, 0, 0] = 0.6, 0.8  # left arm, in the left column
    fields[4, 0, 1], fields[5, 0, 1] = -1.0, 0.5  # shoulders, in the right column
    flipped = flip_part_fields(fields, mirror)
    expected = np.zeros((6, 1, 2), np.float32)
    expected[2, 0, 1], expected[3, 0, 1] = -0.6, 0.8  # is the right arm, to the other side
    # Mirrored it points to +1, and from right to left: turned around it is as it was in x.
    expected[4, 0, 0], expected[5, 0, 0] = -1.0, -0.5
    assert np.array_equal(flipped, expected)


@settings(max_examples=40)
@given(SEED, st.sampled_from(sorted(SKELETONS)))
def test_fields_of_flipped_joints_are_the_flipped_fields(seed: int, name: str) -> None:
    skeleton = SKELETONS[name]
    xy = rng(seed).integers(0, 24, (skeleton.num_keypoints, 2)) / 2.0
    xy += np.arange(skeleton.num_keypoints)[:, None] / 64.0  # no two joints in one place
    score = np.ones(skeleton.num_keypoints, np.float32)
    mirrored, _ = flip_joints(xy, score, 12, skeleton.mirror)
    expected = fields_of(mirrored, skeleton.limbs)
    flipped = flip_part_fields(fields_of(xy, skeleton.limbs), limb_mirror(skeleton))
    assert flipped == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.int8, np.int16])
def test_fields_flipped_twice_are_themselves(dtype: type) -> None:
    mirror = limb_mirror(COCO_17)
    fields = rng().integers(-127, 128, (3, 2 * len(mirror), 4, 5)).astype(dtype)
    kept = fields.copy()
    once = flip_part_fields(fields, mirror, axis=1)
    assert once.dtype == dtype
    assert once.flags.c_contiguous
    assert np.array_equal(flip_part_fields(once, mirror, axis=1), fields)
    assert np.array_equal(fields, kept)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match=r"mirror must hold each of 3 joints once, got \(0, 2\)"):
        flip_maps(np.zeros((3, 4, 4)), (0, 2))
    fields = np.zeros((4, 3, 3))
    with pytest.raises(
        ValueError, match=r"fields must have x and y of limbs on axis 1, got \(4, 3"
    ):
        flip_part_fields(fields[..., None], [(0, 1)], axis=1)
    with pytest.raises(ValueError, match=r"mirror must hold each of 2 limbs once, .* got \[\(0, 1"):
        flip_part_fields(fields, [(0, 1)])
    with pytest.raises(
        ValueError, match=r"mirror must hold each of 2 limbs once, .* got \[\(1, 1\), \(1, 1\)\]"
    ):
        flip_part_fields(fields, [(1, 1), (1, 1)])
    with pytest.raises(ValueError, match=r"with 1 or -1, got \[\(1, 1\), \(0, 0\)\]"):
        flip_part_fields(fields, [(1, 1), (0, 0)])
    with pytest.raises(ValueError, match="fields must be of a signed dtype, got uint8"):
        flip_part_fields(fields.astype(np.uint8), [(1, 1), (0, 1)])


def test_an_axis_of_pixels_or_none_is_refused() -> None:
    for axis in (2, 3, 4, -1, -2, -5, None, 0.0):
        with pytest.raises(ValueError, match="joint_axis must be an axis before H and W"):
            flip_maps(np.zeros((3, 3, 3, 3)), (0, 2, 1), joint_axis=axis)
        with pytest.raises(ValueError, match="axis must be an axis before H and W"):
            flip_part_fields(np.zeros((2, 2, 2, 2)), [(0, 1)], axis=axis)
    with pytest.raises(ValueError, match=r"maps must be \(..., H, W\), got \(3,\)"):
        flip_maps([1, 2, 3], (0, 2, 1))


def test_maps_of_roles_and_views_flip_along_their_joint_axis() -> None:
    maps = rng().random((2, 17, 3, 4, 5))
    flipped = flip_maps(maps, COCO_17.mirror, joint_axis=1)
    for role in range(2):
        assert np.array_equal(flipped[role], flip_maps(maps[role], COCO_17.mirror))
