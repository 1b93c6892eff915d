"""PARNet's network: branches of pose, motion, relation and appearance, and a head for each."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from posemill.models.base import ATTENTION, LOGITS, PoseNetwork
from posemill.models.losses import classification_loss
from posemill.models.parnet.appearance import SpatialAppearance
from posemill.models.parnet.layers import linear
from posemill.models.parnet.multi_pose import TemporalMultiPose
from posemill.models.parnet.relation import PoseAwareRelation

BRANCH_LOGITS = f"{LOGITS}/"
"""Begins the names of the logits (B, M) of each branch's own head."""
_JOINED = "joined"


class ParnetNetwork(PoseNetwork):
    """Branches, their vectors joined as H (equation 20), and a head for H and for each.

    A single branch is H, and has one head.

    Args:
        poses: makes the branches pose and motion.
        pictures: makes maps F_4e and F_5b of frames (B, T, H, W, 3) in 0..255.
        relation: of F_4e and the poses; appearance: of F_5b.
        num_classes: M.

    What is None is left out.
    """

    classifier: nn.ModuleDict

    def __init__(
        self,
        poses: TemporalMultiPose | None,
        pictures: nn.Module | None,
        relation: PoseAwareRelation | None,
        appearance: SpatialAppearance | None,
        num_classes: int,
    ) -> None:
        super().__init__()
        self.poses = poses
        self.pictures = pictures
        self.relation = relation
        self.appearance = appearance
        sizes = self._sizes()
        heads = {_JOINED: sum(sizes.values()), **(sizes if len(sizes) > 1 else {})}
        self.classifier = nn.ModuleDict(
            {name: linear(size, num_classes) for name, size in heads.items()}
        )

    def forward(self, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Logits of H and of each branch, and where the network looked.

        Args:
            values: `poses` (B, T, N, 14, 2), `frames` (B, T, H, W, 3), or one of them.

        Returns:
            `LOGITS` and `BRANCH_LOGITS`... (B, M); `ATTENTION` persons (B, T, N) and
            places (B, T, h, w), of sum 1 in each frame.
        """
        branches, looks = self._branches(values)
        joined = torch.cat(list(branches.values()), dim=1)  # H, eq. 20
        out = {LOGITS: self.classifier[_JOINED](joined)}
        for name, features in branches.items():
            if name in self.classifier:
                out[f"{BRANCH_LOGITS}{name}"] = self.classifier[name](features)
        return out | {f"{ATTENTION}{name}": weights for name, weights in looks.items()}

    def loss(self, outputs: Mapping[str, Tensor], labels: Tensor) -> Tensor:
        """The losses of all heads, added up (equation 21; its last term is weight decay)."""
        heads = [name for name in outputs if name == LOGITS or name.startswith(BRANCH_LOGITS)]
        return torch.stack([classification_loss(outputs[name], labels) for name in heads]).sum()

    def _sizes(self) -> dict[str, int]:
        """Of each branch's vector; 3072 in all, as published."""
        sizes: dict[str, int] = {}
        if self.poses is not None:
            sizes |= {"pose": self.poses.out_features, "motion": self.poses.out_features}
        if self.relation is not None:
            sizes["relation"] = self.relation.out_features
        if self.appearance is not None:
            sizes["appearance"] = self.appearance.out_features
        return sizes

    def _branches(
        self, values: Mapping[str, Tensor]
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Vectors of the branches, in the order of H, and weights to look at."""
        branches: dict[str, Tensor] = {}
        looks: dict[str, Tensor] = {}
        fused = None
        if self.poses is not None:
            made = self.poses(values["poses"])
            branches |= {"pose": made.pose, "motion": made.motion}
            fused = made.fused
            if made.weights is not None:
                looks["persons"] = made.weights
        if self.pictures is not None:
            middle, last = self.pictures(values["frames"])
            if self.relation is not None:
                branches["relation"], looks["places"] = self.relation(fused, middle)
            if self.appearance is not None:
                branches["appearance"] = self.appearance(last)
        return branches, looks
