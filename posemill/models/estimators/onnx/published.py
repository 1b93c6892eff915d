"""RTMO's published weights: ONNX files in zip files, next to their checkpoints.

YOLO-pose's come as checkpoints of its own package only, under the AGPL, so they have no
table: whoever has them exports an ONNX file with that package.
"""

from __future__ import annotations

from posemill.models.estimators.weights.published import (
    PublishedFile,
    PublishedWeights,
    WebFile,
)

_FOLDER = "https://download.openmmlab.com/mmpose/v1/projects/rtmo/onnx_sdk/"
_TABLE = "https://github.com/open-mmlab/mmpose/tree/main/projects/rtmo"


def _rtmo(letter: str, file: str, precision: float, *, default: bool = False) -> PublishedWeights:
    return PublishedWeights(
        estimator="rtmo",
        name=f"rtmo-{letter}",
        licence="Apache-2.0",
        accuracy=f"COCO val2017 AP {precision}",
        accuracy_source=_TABLE,
        source=WebFile(f"{_FOLDER}{file}.zip"),
        files=(PublishedFile("end2end.onnx", member="*end2end.onnx"),),
        entry="end2end.onnx",
        install="pip install 'posemill[onnx]'",
        note="trained on AI Challenger, COCO, CrowdPose, Halpe, MPII, PoseTrack18, sub-JHMDB",
        default=default,
    )


PUBLISHED = (
    _rtmo("t", "rtmo-t_8xb32-600e_body7-416x416-f48f75cb_20231219", 57.4),
    _rtmo("s", "rtmo-s_8xb32-600e_body7-640x640-dac2bf74_20231211", 68.6),
    _rtmo("m", "rtmo-m_16xb16-600e_body7-640x640-39e78cc4_20231211", 72.6, default=True),
    _rtmo("l", "rtmo-l_16xb16-600e_body7-640x640-b37118ce_20231211", 74.8),
)
