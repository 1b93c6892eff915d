"""PARNet's poses: four people in units of the crop (paper, sections III-C and IV)."""

from __future__ import annotations

import numpy as np

from posemill.schema import Float32
from posemill.transforms.arguments import counts
from posemill.transforms.sequences.known import check_num_joints, known
from posemill.transforms.skeletons import PARNET_14

PARNET_PEOPLE = 4


def parnet_poses(
    xy_px: Float32, score: Float32, crop_size: int, *, num_people: int = PARNET_PEOPLE
) -> Float32:
    """The first `num_people` people in units of a square crop, (T, num_people, 14, 2).

        (u, v) = ((x + 1/2) / s, (y + 1/2) / s)

    The crop covers [0, 1], its mirror maps u to 1 - u. Joints outside keep
    their coordinates; missing joints and absent people are (0, 0).

    Args:
        xy_px: (T, M, 14, 2) in pixels of the crop, joints of `PARNET_14`
            (`skeletons.convert`). Of more people than `num_people` the rest is left out.
        score: (T, M, 14).
        crop_size: side s of the crop, px; 224 in the paper.

    Raises:
        ValueError: shapes that do not fit, or a size or number below 1.
    """
    crop_size, num_people = counts(crop_size=crop_size, num_people=num_people)
    people = known("xy_px", xy_px, score, "T, M, K")
    check_num_joints("xy_px", people.position, PARNET_14)
    if people.position.shape[-1] != 2:
        raise ValueError(f"xy_px must be (T, M, 14, 2), got {people.position.shape}")
    units = (people.position + np.float32(0.5)) / np.float32(crop_size)
    poses = np.zeros((len(people.score), num_people, PARNET_14.num_keypoints, 2), np.float32)
    kept = np.where(people.there[..., None], units, 0)[:, :num_people]
    poses[:, : kept.shape[1]] = kept
    return poses
