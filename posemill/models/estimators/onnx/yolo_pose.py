"""YOLO-pose (Ultralytics YOLOv8, YOLO11, YOLO26), as exported by its package.

The one output is either (B, 56, cells): centre x, y, width, height and score of a
person, then x, y and visibility of 17 keypoints, all in pixels of the input, scores and
visibility in [0, 1] already (ultralytics/nn/modules/head.py, `Pose`); or, of networks
that need no suppression and of those exported with it, (B, people, 57): left, top,
right, bottom, score, class and the same keypoints (`Pose.postprocess`, and `NMSModel` in
engine/exporter.py), with rows of zeros after the last person. Pictures go in as RGB in
[0, 1]. Its coordinates are those of COCO's annotations, which number pixels, at the scale of
the input.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from posemill.models.estimators.onnx.heads import Candidates, Family, HeadSettings, Shape
from posemill.schema import Float32

_NUM_VALUES = 17 * 3
_CELL_ROWS = 5 + _NUM_VALUES
_PERSON_COLUMNS = 6 + _NUM_VALUES


@dataclass(frozen=True, slots=True)
class YoloCells:
    """A candidate in each cell, people several times; satisfies `heads.Head`."""

    @property
    def overlapping(self) -> bool:
        return True

    def candidates(self, outputs: Sequence[Float32], min_score: float) -> list[Candidates]:
        return [_from_cells(cells[:, cells[4] >= min_score].T) for cells in outputs[0]]


@dataclass(frozen=True, slots=True)
class YoloPeople:
    """Everybody once; satisfies `heads.Head`."""

    @property
    def overlapping(self) -> bool:
        return False

    def candidates(self, outputs: Sequence[Float32], min_score: float) -> list[Candidates]:
        # Rows of zeros follow the last person, also where a score of 0 would do.
        return [
            _people(rows[(rows[:, 4] >= min_score) & (rows[:, 4] > 0)], keypoints_from=6)
            for rows in outputs[0]
        ]


def _from_cells(cells: Float32) -> Candidates:
    """Rows (N, 56) with a centre and a size."""
    half = cells[:, 2:4] / 2
    corners = np.concatenate([cells[:, :2] - half, cells[:, :2] + half, cells[:, 4:]], 1)
    return _people(corners, keypoints_from=5)


def _people(rows: Float32, keypoints_from: int) -> Candidates:
    joints = rows[:, keypoints_from:].reshape(-1, 17, 3)
    return Candidates(rows[:, :4], rows[:, 4], joints[..., :2], joints[..., 2])


def recognise(
    shapes: Sequence[Shape], metadata: Mapping[str, str]
) -> YoloCells | YoloPeople | None:
    """The head, from the shape of a network's output; None where it is no YOLO-pose's.

    A detector of 52 classes has 56 rows, too; the metadata of Ultralytics tell it apart.
    """
    other_task = metadata.get("task", "pose") != "pose"
    other_keypoints = metadata.get("kpt_shape", "[17, 3]").strip("[]()") != "17, 3"
    if len(shapes) != 1 or len(shapes[0]) != 3 or other_task or other_keypoints:
        return None
    if shapes[0][2] == _PERSON_COLUMNS:
        return YoloPeople()
    return YoloCells() if shapes[0][1] == _CELL_ROWS else None


# Both thresholds are those that its own prediction takes.
YOLO_POSE = Family(
    name="yolo-pose",
    expected="one output (batch, 56, cells) or (batch, people, 57), of 17 keypoints",
    recognise=recognise,
    bgr=False,
    brightest=1.0,
    any_rectangle=True,
    settings=HeadSettings(min_score=0.25, max_overlap=0.7),
)
