"""The PoTion network: six convolutions over images of joint motion.

Choutas, Weinzaepfel, Revaud, Schmid: "PoTion: Pose MoTion Representation for
Action Recognition", CVPR 2018, section 4.2. Its input stacks, for each of J
joints and C time channels, the coloured maps U, the intensity I = sum_c U and
the normalised maps N = U / (I + 1) (equations 2 to 5 there): J (2C + 1) planes.
Duan et al., "Revisiting Skeleton-based Action Recognition", CVPR 2022,
table 10, count 4.75 M parameters and 0.60 G multiply-accumulates for J = 17,
C = 4 on 56 x 56 pixels, which this network has without its classifier.

Shah et al., "Pose and Joint-Aware Action Recognition", WACV 2022, table 7, set a
deeper one beside JMRN: "three convolutional layers" more, "increasing the number
of parameters in the baseline to match that of our model". Which three is not said.
One more in each block, depth=3, gives 7.818 M for J = 18, C = 3, amid JMRN's
7.296 M to 8.205 M; three more in the last block alone would give 11.8 M.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from posemill.models.backbones.action_cnn import MIN_SIZE_PX, action_trunk
from posemill.models.base import LOGITS, Model, PoseNetwork, ViewShapes, require_size, view_shape
from posemill.settings import setting

EPSILON = 1.0  # of N = U / (I + epsilon), PoTion's equation 5


@dataclass(frozen=True)
class PotionModel(Model):
    """PoTion: one network over the joints' ways through time, U, I and N stacked."""

    name: ClassVar[str] = "potion"
    recipes: ClassVar[tuple[str, ...]] = ("potion",)

    width: int = setting(128, "channels of the first block", low=1, high=1024)
    dropout: float = setting(0.25, "after every convolution", low=0.0, high=0.95)
    depth: int = setting(
        2, "convolutions of each block; 3 is JMRN's deeper baseline", low=1, high=8
    )

    def network(self, shapes: ViewShapes, num_classes: int) -> PotionCNN:
        keypoints, channels, height, width = view_shape(
            self, shapes, "u", ("keypoint", "channel", "y", "x")
        )
        require_size(self, (height, width), MIN_SIZE_PX)
        in_channels = potion_channels(keypoints, channels)
        return PotionCNN(in_channels, num_classes, self.width, self.dropout, self.depth)


def potion_channels(num_keypoints: int, num_time_channels: int) -> int:
    """J (2C + 1): how many planes `potion_planes` stacks."""
    return num_keypoints * (2 * num_time_channels + 1)


def potion_planes(u: Tensor) -> Tensor:
    """U ‖ I ‖ N, (B, J (2C + 1), H, W), from the coloured maps U, (B, J, C, H, W) in [0, 1].

    It runs on the device of `u`, so that only U travels there.
    """
    intensity = u.sum(dim=2, keepdim=True)  # (B, J, 1, H, W)
    normalised = u / (intensity + EPSILON)  # (B, J, C, H, W)
    return torch.cat([u.flatten(1, 2), intensity.flatten(1, 2), normalised.flatten(1, 2)], dim=1)


class PotionCNN(PoseNetwork):
    """Three blocks of `depth` 3x3 convolutions, then an average and a classifier.

    Raises:
        ValueError: a size below 1, or a dropout outside [0, 1).
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        width: int = 128,
        dropout: float = 0.25,
        depth: int = 2,
    ) -> None:
        super().__init__()
        if min(in_channels, num_classes, width, depth) < 1 or not 0.0 <= dropout < 1.0:
            raise ValueError(
                "sizes must be at least 1 and dropout in [0, 1), got "
                f"{in_channels=}, {num_classes=}, {width=}, {dropout=}, {depth=}"
            )
        self.features = action_trunk(in_channels, width, dropout, depth)
        self.classifier = nn.Linear(4 * width, num_classes)
        nn.init.xavier_uniform_(self.classifier.weight)
        nn.init.zeros_(self.classifier.bias)

    def forward(self, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Logits of `u` (B, J, C, H, W), PoTion's U."""
        maps: Tensor = self.features(potion_planes(values["u"]))  # (B, 4 width, H/8, W/8)
        return {LOGITS: self.classifier(maps.mean(dim=(2, 3)))}
