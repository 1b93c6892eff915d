"""A narrow RGBPose-Conv3D and views for it: 32 x 32 px pictures, 8 x 8 px volumes."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import Tensor, nn

from posemill.models.create import create_model
from posemill.models.rgbpose import RgbPoseNetwork

Network = TypeVar("Network", bound=nn.Module)
JOINTS = 3
CLASSES = 4
NARROW = {"rgb_base": "2", "rgb_blocks": "1,1,2,1", "pose_base": "4", "pose_blocks": "1,2,1"}


def tiny_shapes(pictures: int = 2, poses: int = 6, size_px: int = 8) -> dict[str, tuple[int, ...]]:
    side = 4 * size_px
    return {"frames": (pictures, side, side, 3), "volume": (JOINTS, poses, size_px, size_px)}


def tiny_network(
    lateral: str = "both", shapes: dict[str, tuple[int, ...]] | None = None, **settings: str
) -> RgbPoseNetwork:
    """Its branches count from the start, which at first are nothing."""
    torch.manual_seed(3)
    model = create_model("rgbpose", {**NARROW, "lateral": lateral, "dropout": "0", **settings})
    network = model.network(shapes or tiny_shapes(), CLASSES)
    assert isinstance(network, RgbPoseNetwork)
    return opened(network)


def opened(network: Network) -> Network:
    """Every normalisation's scale drawn anew, and the statistics that it keeps."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm3d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.running_mean, -0.2, 0.2)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    return network


def tiny_views(
    batch: int, shapes: dict[str, tuple[int, ...]] | None = None, seed: int = 1
) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    made = shapes or tiny_shapes()
    return {
        "frames": 255 * torch.rand(batch, *made["frames"], generator=generator),
        "volume": torch.rand(batch, *made["volume"], generator=generator),
    }
