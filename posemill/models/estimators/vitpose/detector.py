"""RT-DETR: frames to the boxes of people.

Source: Y. Zhao et al., "DETRs Beat YOLOs on Real-time Object Detection", CVPR 2024;
the networks are those of transformers. It sees a frame stretched to a square, in
[0, 1], and needs no suppression of doubles.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from posemill.errors import EnvironmentFault, WeightsUnavailable
from posemill.models.devices import to_device
from posemill.models.estimators.vitpose.folder import CONFIG, ModelFolder
from posemill.models.estimators.vitpose.loading import load_network
from posemill.schema import Float32, UInt8

_CLASSES = {"rt_detr": "RTDetrForObjectDetection", "rt_detr_v2": "RTDetrV2ForObjectDetection"}


class PersonDetector:
    """Finds the boxes of people."""

    def __init__(self, path: Path, threshold: float, device: torch.device, *, exact: bool) -> None:
        """Raises:
        WeightsUnavailable: the folder does not hold RT-DETR with a class of persons.
        """
        self.folder = ModelFolder.open(path, "RT-DETR", _CLASSES)
        self._net = load_network(self.folder, _CLASSES[self.folder.model_type], device)
        self._person = _person_class(self.folder, self._net.config.id2label)
        self._threshold = threshold
        self._device = device
        self._mixed = device.type == "cuda" and not exact

    def boxes(self, pictures: UInt8) -> list[Float32]:
        """For each of (B, S, S, 3) stretched frames (N, 4) left, top, right and bottom in
        fractions of the frame, surest first.

        Call it in `devices.inference`.

        Raises:
            EnvironmentFault: the network puts out what is no number.
        """
        pixels = to_device(pictures, self._device).float().div_(255)
        logits, boxes = self._output(pixels)
        score = logits[..., self._person].sigmoid().cpu().numpy()
        centre, size = np.split(boxes.cpu().numpy(), 2, axis=-1)
        corners = np.concatenate([centre - size / 2, centre + size / 2], axis=-1)
        return [self._chosen(*found) for found in zip(corners, score, strict=True)]

    def _chosen(self, corners: Float32, score: Float32) -> Float32:
        surest = np.argsort(-score, kind="stable")
        return np.asarray(corners[surest[score[surest] >= self._threshold]], np.float32)

    def _output(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        if self._mixed:
            with torch.autocast(self._device.type, torch.float16):
                found = self._net(pixels)
            if _all_finite(found):
                return found.logits.float(), found.pred_boxes.float()
        # Halves overflow where floats do not.
        found = self._net(pixels)
        if not _all_finite(found):
            raise EnvironmentFault(
                f"RT-DETR puts out values that are no numbers: the weights in {self.folder.path} "
                "are not whole, or the device fails"
            )
        return found.logits, found.pred_boxes


def stretched(frame: UInt8, side: int) -> UInt8:
    """A frame (H, W, 3) as the detector sees it: (side, side, 3)."""
    shrinks = side < max(frame.shape[:2])
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(frame, (side, side), interpolation=how), np.uint8)


def _all_finite(found: Any) -> bool:
    return bool(torch.isfinite(found.logits).all() and torch.isfinite(found.pred_boxes).all())


def _person_class(folder: ModelFolder, names: dict[int, str]) -> int:
    for number, name in names.items():
        if name.lower() == "person":
            return number
    raise WeightsUnavailable(
        f"{folder.path / CONFIG} names no class 'person' among {len(names)}; give a detector that "
        "was trained on COCO or Objects365"
    )
