"""ViTPose: crops of people to heatmaps of their joints.

Source: Y. Xu et al., "ViTPose: Simple Vision Transformer Baselines for Human Pose
Estimation", NeurIPS 2022; the networks are those of transformers.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from posemill.errors import EnvironmentFault, InputError, WeightsUnavailable
from posemill.models.devices import to_device
from posemill.models.estimators.vitpose.folder import CONFIG, ModelFolder
from posemill.models.estimators.vitpose.loading import load_network
from posemill.models.estimators.vitpose.settings import VitposeSettings
from posemill.schema import Float32, UInt8
from posemill.transforms.skeletons import COCO_17

MODEL_TYPES = ("vitpose",)
# Of ImageNet, in [0, 1]: what the weights were trained with.
_MEAN = (0.485, 0.456, 0.406)
_STD = (0.229, 0.224, 0.225)


class PoseNetwork:
    """The network and its sizes."""

    def __init__(
        self, path: Path, settings: VitposeSettings, device: torch.device, *, exact: bool
    ) -> None:
        """`exact` takes one crop at a time, in float32.

        Raises:
            WeightsUnavailable: the folder does not hold ViTPose with COCO's joints.
            InputError: the weights have no experts of that number.
        """
        self.folder = ModelFolder.open(path, "ViTPose", MODEL_TYPES)
        self._net = load_network(self.folder, "VitPoseForPoseEstimation", device)
        self._device = device
        self._flip = settings.flip
        self._people = 1 if exact else settings.people_per_forward
        self._mixed = device.type == "cuda" and not exact
        self._expert = _expert(self._net.config, settings.dataset_index)
        self._mean = torch.tensor(_MEAN, device=device).view(1, 3, 1, 1)
        self._std = torch.tensor(_STD, device=device).view(1, 3, 1, 1)
        self._mirror = torch.tensor(COCO_17.mirror, device=device)
        num_joints = self._net.config.num_labels
        if num_joints != COCO_17.num_keypoints:
            raise WeightsUnavailable(
                f"{path / CONFIG} is of a network for {num_joints} joints, expected COCO's "
                f"{COCO_17.num_keypoints}; give weights that were trained on COCO"
            )

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height of a crop."""
        height, width = self._net.config.backbone_config.image_size
        return width, height

    def heatmaps(self, crops: UInt8) -> Float32:
        """(P, H, W, 3) crops to (P, 17, h, w) heatmaps, on the CPU.

        Call it in `devices.inference`.

        Raises:
            EnvironmentFault: the network puts out what is no number.
        """
        height, width = (side // 4 for side in crops.shape[1:3])
        parts = [self._forward(part) for part in _chunks(crops, self._people)]
        if not parts:
            return np.zeros((0, COCO_17.num_keypoints, height, width), np.float32)
        maps = torch.cat(parts).cpu()
        if not bool(torch.isfinite(maps).all()):
            raise EnvironmentFault(
                f"ViTPose puts out values that are no numbers: the weights in {self.folder.path} "
                "are not whole, or the device fails"
            )
        return maps.numpy()

    def _forward(self, crops: UInt8) -> Tensor:
        pictures = (to_device(crops, self._device).float().div_(255) - self._mean) / self._std
        maps = self._maps(pictures)
        if not self._flip:
            return maps
        mirrored = self._maps(pictures.flip(-1))[:, self._mirror].flip(-1)
        return (maps + mirrored) / 2

    def _maps(self, pictures: Tensor) -> Tensor:
        expert = None
        if self._expert is not None:
            expert = torch.full((len(pictures),), self._expert, device=self._device)
        maps: Tensor
        if self._mixed:
            with torch.autocast(self._device.type, torch.float16):
                maps = self._net(pictures, dataset_index=expert).heatmaps.float()
            if bool(torch.isfinite(maps).all()):
                return maps
        # Halves overflow where floats do not.
        maps = self._net(pictures, dataset_index=expert).heatmaps
        return maps


def _expert(config: Any, dataset_index: int) -> int | None:
    """Which of the experts is asked; None where there is but one."""
    num_experts = config.backbone_config.num_experts
    if dataset_index >= num_experts:
        raise InputError(
            f"these weights have {num_experts} experts, so vitpose's dataset_index must be below "
            f"that, got {dataset_index}"
        )
    return dataset_index if num_experts > 1 else None


def _chunks(crops: UInt8, size: int) -> Iterator[UInt8]:
    yield from (crops[start : start + size] for start in range(0, len(crops), size))
