"""Sequences in the mirror: what the flipped frame, left and right joints swapped, would give.

What is missing is 0, and stays so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np

from posemill.schema import Float32
from posemill.transforms.arguments import checked_limb_mirror, checked_mirror, floating, shown
from posemill.transforms.geometry import flip_joints

Space = Literal["2d", "3d"]


def flip_parnet_poses(poses: Float32, mirror: Sequence[int]) -> Float32:
    """`parnet_poses` (..., K, 2) mirrored: u becomes 1 - u, and (0, 0) stays.

    Args:
        poses: in units of the crop.
        mirror: of the skeleton, see `Skeleton.mirror`.

    Raises:
        ValueError: poses of another shape, or a mirror that is not of K joints.
    """
    points = _checked("poses", poses, "(..., K, 2)", axis=-1, size=2, rank=2)
    swapped = points[..., checked_mirror(mirror, points.shape[-2]), :]
    seen = swapped.any(axis=-1)
    swapped[..., 0] = np.where(seen, 1 - swapped[..., 0], 0)
    return swapped


def flip_parnet_candidates(
    poses: Float32, score: Float32, width: float, mirror: Sequence[int]
) -> tuple[Float32, Float32]:
    """PARNet's candidates and their scores mirrored: `flip_joints`, but what is missing stays 0.

    Args:
        poses: (..., K, 2) in px of the whole picture.
        score: (..., K); 0 = missing.
        width: of the picture, px: the second number of `valid_hw`.
        mirror: of the skeleton, see `Skeleton.mirror`.

    Raises:
        ValueError: shapes that disagree, a width that is no number above 0, or
            a mirror that is not of K joints.
    """
    flipped, swapped = flip_joints(poses, score, width, mirror)
    flipped[~(swapped > 0)] = 0
    return flipped, swapped


def flip_vpn_poses(poses: Float32, mirror: Sequence[int]) -> Float32:
    """`vpn_poses` (..., 3, K, t_p) mirrored: x becomes -x about the root of the first frame.

    Args:
        poses: x, y, z around the root, not `candidates`, which have theirs still to be found.
        mirror: of the skeleton, see `Skeleton.mirror`.

    Raises:
        ValueError: poses of another shape, or a mirror that is not of K joints.
    """
    points = _checked("poses", poses, "(..., 3, K, t_p)", axis=-3, size=3, rank=3)
    swapped = points[..., checked_mirror(mirror, points.shape[-2]), :]
    swapped[..., 0, :, :] = 0 - swapped[..., 0, :, :]  # -x would be -0 for what is missing
    return swapped


def flip_graph_joints(sequence: Float32, mirror: Sequence[int]) -> Float32:
    """`graph_sequence` (..., 3, T, K, M) of joints or their motion mirrored: x becomes -x.

    The third channel, score or z, goes with its joint unchanged.

    Args:
        sequence: normalised by `normalise_2d`, or by `normalise_3d`.
        mirror: of the skeleton, see `Skeleton.mirror`.

    Raises:
        ValueError: a sequence of another shape, or a mirror that is not of K joints.
    """
    tensor = _checked("sequence", sequence, "(..., 3, T, K, M)", axis=-4, size=3, rank=4)
    swapped = tensor[..., checked_mirror(mirror, tensor.shape[-2]), :]
    swapped[..., 0, :, :, :] = 0 - swapped[..., 0, :, :, :]
    return swapped


def flip_graph_bones(sequence: Float32, mirror: Sequence[tuple[int, int]], space: Space) -> Float32:
    """`graph_sequence` (..., 3, T, L, M) of bones or their motion mirrored.

    The mirror image of the bone b - a is the bone between the mirrors of a and
    b, (-x, y, z). Where the skeleton's limb runs there from the mirror of b to
    that of a, it is turned around: (x, -y, -z). A score has no direction.

    Args:
        sequence: normalised by `normalise_2d`, or by `normalise_3d`.
        mirror: for each limb its mirror image and 1, or -1 where that runs the
            other way, see `skeletons.limb_mirror`.
        space: whether the third channel is a score, "2d", or z, "3d".

    Raises:
        ValueError: a sequence of another shape, a mirror that is not of L
            limbs, or an unknown space.
    """
    if space not in get_args(Space):
        raise ValueError(f"space must be '2d' or '3d', got {shown(space)}")
    tensor = _checked("sequence", sequence, "(..., 3, T, L, M)", axis=-4, size=3, rank=4)
    limbs, signs = checked_limb_mirror(mirror, tensor.shape[-2])
    sign = np.array(signs, tensor.dtype)
    third = np.ones_like(sign) if space == "2d" else sign
    factors = np.stack([-sign, sign, third])[:, None, :, None]
    flipped: Float32 = tensor[..., limbs, :] * factors + 0  # + 0: no -0 for what is missing
    return flipped


def _checked(name: str, values: Float32, axes: str, *, axis: int, size: int, rank: int) -> Float32:
    array = floating(name, values)
    if array.ndim < rank or array.shape[axis] != size:
        raise ValueError(f"{name} must be {axes}, got {array.shape}")
    return array
