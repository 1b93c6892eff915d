"""The multi-pose encoding layer: five body parts of a person to one vector (figure 5)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from posemill.models.parnet.layers import linear
from posemill.transforms.skeletons import PARNET_PARTS

_HIDDEN = 32  # rows of W1
_ENCODED = 100  # rows of W2
_LIMBS = PARNET_PARTS[:-1]
_BODY = PARNET_PARTS[-1]


class PartEncoder(nn.Module):
    """p_m (..., features) of joints (..., 14, 2), x and y in units of the crop.

    The four limbs share their layers, as left and right and arms and legs have three
    joints each; the body has four, and layers of its own.
    """

    limb_joints: Tensor
    body_joints: Tensor

    def __init__(self, features: int) -> None:
        super().__init__()
        limbs = torch.tensor([limb.joints for limb in _LIMBS])
        self.register_buffer("limb_joints", limbs, persistent=False)
        self.register_buffer("body_joints", torch.tensor(_BODY.joints), persistent=False)
        self.limb = _part_layers(2 * limbs.shape[1])
        self.body = _part_layers(2 * len(_BODY.joints))
        self.pose = linear(_ENCODED * len(PARNET_PARTS), features, bias=False)

    def forward(self, joints: Tensor) -> Tensor:
        limbs: Tensor = self.limb(joints[..., self.limb_joints, :].flatten(-2))  # (..., 4, 100)
        body: Tensor = self.body(joints[..., self.body_joints, :].flatten(-2))  # (..., 100)
        encoded: Tensor = self.pose(torch.cat([limbs.flatten(-2), body], dim=-1))
        return encoded


def _part_layers(coordinates: int) -> nn.Sequential:
    """tanh(W2 relu(W1 l) + b) (equation 11)."""
    return nn.Sequential(
        linear(coordinates, _HIDDEN, bias=False),
        nn.ReLU(inplace=True),
        linear(_HIDDEN, _ENCODED),
        nn.Tanh(),
    )
