"""RTMO (Lu et al., "RTMO: Towards High-Performance One-Stage Real-Time Multi-Person Pose
Estimation", CVPR 2024) as exported by MMDeploy.

Its export (mmdeploy/codebase/mmpose/models/heads/rtmo_head.py) gives `dets` (B, N, 5), left,
top, right, bottom and score, and `keypoints` (B, N, 17, 3), x, y and visibility in [0, 1], in
pixels of the input. Pictures go in as BGR bytes, without a mean or a scale
(mmpose/configs/body_2d_keypoint/rtmo). Suppression is part of the graph, but of a batch every
frame gets as many rows as the fullest: they are filled up with the first and the last cell,
suppressed or not (mmdeploy/mmcv/ops/nms.py, `_select_nms_index`). So we suppress once more,
by the same overlap.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from posemill.models.estimators.onnx.heads import Candidates, Family, HeadSettings, Shape
from posemill.schema import Float32


@dataclass(frozen=True, slots=True)
class RtmoHead:
    """Reads boxes and keypoints; satisfies `heads.Head`."""

    boxes_output: int
    keypoints_output: int

    @property
    def overlapping(self) -> bool:
        return True

    def candidates(self, outputs: Sequence[Float32], min_score: float) -> list[Candidates]:
        boxes, keypoints = outputs[self.boxes_output], outputs[self.keypoints_output]
        found = []
        for rows, joints in zip(boxes, keypoints, strict=True):
            likely = rows[:, 4] >= min_score
            rows, joints = rows[likely], joints[likely]
            people = Candidates(rows[:, :4], rows[:, 4], joints[..., :2], joints[..., 2])
            found.append(people)
        return found


def recognise(shapes: Sequence[Shape], metadata: Mapping[str, str]) -> RtmoHead | None:
    """The head, from the shapes of a network's outputs; None where they are no RTMO's."""
    del metadata  # MMDeploy writes none
    by_rank = {len(shape): number for number, shape in enumerate(shapes)}
    if len(shapes) != 2 or set(by_rank) != {3, 4}:
        return None
    boxes, keypoints = shapes[by_rank[3]], shapes[by_rank[4]]
    if boxes[2] != 5 or keypoints[2:] != (17, 3) or boxes[:2] != keypoints[:2]:
        return None
    return RtmoHead(by_rank[3], by_rank[4])


# The overlap is that of its own configuration (test_cfg.nms_thr); the score that of MMPose's
# demos for people.
RTMO = Family(
    name="rtmo",
    expected="dets (batch, people, 5) and keypoints (batch, people, 17, 3)",
    recognise=recognise,
    bgr=True,
    brightest=255.0,
    any_rectangle=False,  # the export holds the cells of one size
    settings=HeadSettings(min_score=0.3, max_overlap=0.65),
)
