"""Annotations and results of COCO keypoints: one person each.

Sources: "Data format" and "Results format" of cocodataset.org: v is 0 where a joint was not
labelled, 1 where it is hidden and 2 where it is seen, which is no confidence; of results the third
number is the detector's own. Positions are whole pixels counted from 0, as
facebookresearch/detectron2 has it too (data/datasets/coco.py). open-mmlab/mmpose and posemill's
own export write confidences as `keypoint_scores`, PoseTrack's labels tell `track_id`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

from posemill.errors import UnreadablePoses
from posemill.schema import Float32, Skeleton
from posemill.storage.formats.json_text import brief
from posemill.storage.formats.keypoint_list import (
    found_joints,
    number_list,
    track_number,
    triplets,
)

PERSON = 1
_TOLD = "other joints are told by --set joints"


@dataclass(frozen=True, slots=True)
class Labelled:
    """A person of whom some joint is known."""

    joints: Float32
    """(K, 3) x, y and score, 0 where a joint is not known."""
    track: int | None


def labelled(
    where: str, value: Any, skeleton: Skeleton, categories: Collection[Any], *, result: bool
) -> Labelled | None:
    """The person of an annotation, or of a result; None where it is of another category than
    `categories`, of a crowd, a box alone, or without joints. Hidden joints count as seen.

    Raises:
        UnreadablePoses: it is none.
    """
    if not isinstance(value, dict):
        raise UnreadablePoses(f"{where}: expected an object, got {brief(value)}")
    category = value.get("category_id", PERSON)
    if isinstance(category, list | dict) or category not in categories or value.get("iscrowd"):
        return None
    if "keypoints" not in value:
        return None
    joints = triplets(where, value["keypoints"], (skeleton.num_keypoints,), _TOLD)
    if not result:
        joints[:, 2] = _scores(where, joints[:, 2], value.get("keypoint_scores"))
    found = found_joints(where, joints)
    if not found[:, 2].any():
        return None
    return Labelled(found, track_number(where, "track_id", value.get("track_id")))


def _scores(where: str, visibility: Any, scores: Any) -> Any:
    """(K,) 1 where a joint is visible or hidden, or its confidence where there is one."""
    if not np.isin(visibility, (0, 1, 2)).all():
        wrong = visibility[~np.isin(visibility, (0, 1, 2))][0]
        raise UnreadablePoses(
            f"{where}: v is {wrong}; expected 0, 1 or 2; confidences are read from "
            "keypoint_scores, or from a list of results"
        )
    if scores is None:
        return (visibility > 0).astype(np.float64)
    found = number_list(where, scores, (len(visibility),), "keypoint_scores, one a joint", _TOLD)
    return np.where(visibility > 0, found, 0)
