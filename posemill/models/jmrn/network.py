"""JMRN's network, put together from an extractor, a joint selector and a projection head."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn
from torch.nn import functional

from posemill.models.base import EMBEDDINGS, LOGITS, PoseNetwork
from posemill.models.jmrn.encoding import motion_maps
from posemill.models.jmrn.layers import convolution
from posemill.models.jmrn.selector import JOINT_WEIGHTS, JointSelector


class JmrnNetwork(PoseNetwork):
    """Each joint's motion on its own first, then reasoning over all of them (figure 1).

    Args:
        extractor: makes r (B, J, features, H/4, W/4) of maps (B, J, C, H, W).
        selector: makes w (B, J) of r's average over space; None for w = 1.
        projection: makes vectors (B, J, D) of r's average over space; None for
            a network that no contrastive loss trains.
        num_joints, in_channels: J and C.
        features: channels of r.
        compressed: c_dim, channels of each joint that the reasoning sees.
        dropout: after every convolution of the reasoning.
        num_classes: M.
    """

    def __init__(
        self,
        extractor: nn.Module,
        selector: JointSelector | None,
        projection: nn.Module | None,
        *,
        num_joints: int,
        in_channels: int,
        features: int,
        compressed: int,
        dropout: float,
        num_classes: int,
    ) -> None:
        super().__init__()
        self.normalise = nn.BatchNorm2d(num_joints * in_channels)  # of each joint its own
        self.extractor = extractor
        self.compress = nn.Sequential(*convolution(features, compressed, 1, dropout=dropout))
        self.selector = selector
        self.projection = projection
        wide = 2 * features
        self.reasoning = nn.Sequential(  # table 11
            *convolution(num_joints * compressed, wide, 1, dropout=dropout),
            *convolution(wide, wide, 3, stride=2, normalise=True, dropout=dropout),
            *convolution(wide, wide, 3, normalise=True, dropout=dropout),
        )
        self.classifier = nn.Linear(wide, num_classes)
        nn.init.xavier_uniform_(self.classifier.weight)
        nn.init.zeros_(self.classifier.bias)

    @property
    def gives_embeddings(self) -> bool:
        return self.projection is not None

    def forward(self, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Logits, the selector's `JOINT_WEIGHTS` (B, J), and at training `EMBEDDINGS`.

        Args:
            values: as `encoding.motion_maps` takes them.
        """
        out = {}
        r = self._motion(values)  # (B, J, features, H/4, W/4)
        averaged = r.mean(dim=(3, 4))  # (B, J, features)
        c: Tensor = self.compress(r.flatten(0, 1))  # (B J, compressed, H/4, W/4)
        c = c.reshape(*r.shape[:2], *c.shape[1:])
        if self.selector is not None:
            w: Tensor = self.selector(averaged)  # (B, J)
            c = c * w[:, :, None, None, None]  # (B, J, compressed, H/4, W/4)
            out[JOINT_WEIGHTS] = w
        maps: Tensor = self.reasoning(c.flatten(1, 2))  # (B, 2 features, H/8, W/8)
        out[LOGITS] = self.classifier(maps.mean(dim=(2, 3)))
        if self.projection is not None and self.training:
            out[EMBEDDINGS] = _unit(self.projection(averaged))
        return out

    def embed(self, values: Mapping[str, Tensor]) -> Tensor:
        """z (B, J, D), the unit vectors that the contrastive loss compares, of any mode.

        Raises:
            ValueError: the network has no projection head.
        """
        if self.projection is None:
            raise ValueError("the network has no projection head: build it with contrast=true")
        return _unit(self.projection(self._motion(values).mean(dim=(3, 4))))

    def _motion(self, values: Mapping[str, Tensor]) -> Tensor:
        p = motion_maps(values)  # (B, J, C, H, W)
        normalised: Tensor = self.normalise(p.flatten(1, 2))  # (B, J C, H, W)
        r: Tensor = self.extractor(normalised.reshape(p.shape))
        return r


def projection_head(features: int, size: int) -> nn.Sequential:
    """Two layers over the last dimension, from `features` to `size` (section 3.1)."""
    return nn.Sequential(nn.Linear(features, size), nn.ReLU(inplace=True), nn.Linear(size, size))


def _unit(vectors: Tensor) -> Tensor:
    return functional.normalize(vectors.float(), dim=-1)
