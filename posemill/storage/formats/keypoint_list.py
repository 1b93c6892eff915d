"""Joints as flat lists of numbers, as most writers of JSON have them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import numpy.typing as npt

from posemill.errors import UnreadablePoses
from posemill.schema import Float32
from posemill.storage.formats.json_text import brief

Float64 = npt.NDArray[np.float64]
MAX_PX = 1e6
OPENPOSE_HIGHEST_C = 2.0
"""OpenPose's c is the height of a peak, which networks' outputs need not keep below 1."""


def triplets(where: str, keypoints: Any, num_joints: Collection[int], otherwise: str) -> Float64:
    """(J, 3) x, y and c of the J joints of a list; J is one of `num_joints`.

    Raises:
        UnreadablePoses: it is no list of so many numbers; then `otherwise` tells what to do.
    """
    numbers = number_list(
        where,
        keypoints,
        [3 * number for number in num_joints],
        f"x, y and c of {' or '.join(map(str, num_joints))} joints",
        otherwise,
    )
    return numbers.reshape(-1, 3)


def number_list(
    where: str, values: Any, sizes: Collection[int], what: str, otherwise: str
) -> Float64:
    """(N,) the numbers of a list; N is one of `sizes`.

    Raises:
        UnreadablePoses: as `triplets`; `what` the numbers are is told too.
    """
    if not isinstance(values, list) or len(values) not in sizes:
        got = f"{len(values)}" if isinstance(values, list) else brief(values)
        expected = " or ".join(map(str, sizes))
        raise UnreadablePoses(
            f"{where}: expected {expected} numbers, {what}, got {got}; {otherwise}"
        )
    if not all(type(number) in (int, float) for number in values):
        wrong = next(number for number in values if type(number) not in (int, float))
        raise UnreadablePoses(f"{where}: a keypoint is no number: {brief(wrong)}")
    try:
        return np.array(values, np.float64)
    except OverflowError as error:
        raise UnreadablePoses(f"{where}: a keypoint is no number of 64 bits: {error}") from error


def found_joints(where: str, joints: Float64, lowest: float = 0.0, highest: float = 1.0) -> Float32:
    """(K, 3) of joints (K, 3) in pixels, c cut to 0 to 1; all 0 where that is 0, not found.

    Raises:
        UnreadablePoses: a position in no frame, or a c that is not from `lowest` to `highest`.
    """
    xy, c = joints[:, :2], joints[:, 2]
    if not (np.abs(xy) < MAX_PX).all():
        raise UnreadablePoses(f"{where}: a joint is at {np.abs(xy).max()} px, which is in no frame")
    if not ((c >= lowest) & (c <= highest)).all():
        raise UnreadablePoses(
            f"{where}: c is from {c.min()} to {c.max()}; expected {lowest:g} to {highest:g}"
        )
    cut = np.column_stack([xy, c.clip(0.0, 1.0)])
    return np.where(cut[:, 2:] == 0, 0, cut).astype(np.float32)


def track_number(where: str, key: str, number: Any) -> int | None:
    """The number of a person's track, if there is one.

    Raises:
        UnreadablePoses: something else is there.
    """
    if number is None or (type(number) is int and 0 <= number < 2**63):
        return number
    raise UnreadablePoses(f"{where}: {key} must be a whole number from 0, got {brief(number)}")
