"""The joint selector: which joints tell the action, of what all of them do (table 10)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from posemill.models.base import ATTENTION

JOINT_WEIGHTS = f"{ATTENTION}joints"
"""w (B, J) in [0, 1] of the joint selector, in what a network with one returns."""


class JointSelector(nn.Module):
    """w (B, J) of the joints' motion, averaged over space, (B, J, features).

    The table has a 1x1 convolution before the average. Both are linear, so averaging
    first gives the same for 1 / (H W) of the work.

    Args:
        num_joints: J.
        features: channels of r.
        gumbel_temperature: tau of sigmoid((logit + g1 - g2) / tau) with Gumbel noise
            g1, g2 at training, and none at evaluation (supplement, on Mimetics;
            Jang et al., ICLR 2017); None for a plain sigmoid.
    """

    def __init__(
        self, num_joints: int, features: int, gumbel_temperature: float | None = None
    ) -> None:
        super().__init__()
        self.gumbel_temperature = gumbel_temperature
        self.gather = nn.Linear(num_joints * features, features)
        nn.init.kaiming_normal_(self.gather.weight, nonlinearity="relu")
        self.select = nn.Linear(features, num_joints)

    def forward(self, motion: Tensor) -> Tensor:
        logits: Tensor = self.select(self.gather(motion.flatten(1)).relu())  # (B, J)
        if self.gumbel_temperature is None:
            return logits.sigmoid()
        noise = _gumbel(logits) - _gumbel(logits) if self.training else 0.0
        return ((logits + noise) / self.gumbel_temperature).sigmoid()


def _gumbel(like: Tensor) -> Tensor:
    """Draws of Gumbel(0, 1): -log of an exponential draw, in float32 whatever `like` is."""
    return -torch.empty_like(like, dtype=torch.float32).exponential_().log()
