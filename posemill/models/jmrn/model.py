"""JMRN's settings, and the views that it takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import nn

from posemill.errors import InputError
from posemill.models.base import Model, ViewShapes, require_size, view_shape
from posemill.models.jmrn.encoding import DERIVED_FROM
from posemill.models.jmrn.extractor import SeparateExtractors, SharedExtractor
from posemill.models.jmrn.network import JmrnNetwork, projection_head
from posemill.models.jmrn.selector import JointSelector
from posemill.settings import setting

_MIN_SIZE_PX = 9  # three strided convolutions leave 2 x 2, enough for a batch of one


@dataclass(frozen=True)
class JmrnModel(Model):
    """JMRN: motion of each joint on its own, joints weighed, then reasoning over all.

    Of 18 joints, 3 channels and the default settings it has 8.205 M parameters
    without the classifier, the projection head's .049 M among them; 7.599 M with
    cdim=64 and 7.296 M with cdim=32, which the authors use for HMDB and Charades.

    Its arrays are `p` of the recipe jmrn, or of the recipe potion `u`, `maximum` and
    `num_frames`, from which it derives p. With people=box the others are extra channels.
    """

    name: ClassVar[str] = "jmrn"
    recipes: ClassVar[tuple[str, ...]] = ("jmrn", "potion")

    width: int = setting(128, "channels of the first convolution", low=1, high=1024)
    cdim: int = setting(128, "channels of each joint that are reasoned over", low=1, high=1024)
    dropout: float = setting(0.0, "after every convolution", low=0.0, high=0.95)
    extractor: Literal["shared", "separate"] = setting(
        "shared", "motion extractor of all joints, or a shallower one for each"
    )
    selector: Literal["sigmoid", "gumbel", "none"] = setting("sigmoid", "how joints are weighed")
    gumbel_temperature: float = setting(1.0, "of selector=gumbel, tau", low=0.01, high=100.0)
    contrast: bool = setting(True, "a projection head for the joint-contrastive loss")

    def network(self, shapes: ViewShapes, num_classes: int) -> JmrnNetwork:
        joints, channels, height, width = self._maps(shapes)
        require_size(self, (height, width), _MIN_SIZE_PX)
        features = 2 * self.width
        return JmrnNetwork(
            self._extractor(joints, channels),
            self._selector(joints, features),
            projection_head(features, self.width) if self.contrast else None,
            num_joints=joints,
            in_channels=channels,
            features=features,
            compressed=self.cdim,
            dropout=self.dropout,
            num_classes=num_classes,
        )

    def _extractor(self, joints: int, channels: int) -> nn.Module:
        if self.extractor == "shared":
            return SharedExtractor(channels, self.width, self.dropout)
        return SeparateExtractors(joints, channels, self.width, self.dropout)

    def _selector(self, joints: int, features: int) -> JointSelector | None:
        if self.selector == "none":
            return None
        tau = self.gumbel_temperature if self.selector == "gumbel" else None
        return JointSelector(joints, features, tau)

    def _maps(self, shapes: ViewShapes) -> tuple[int, int, int, int]:
        """J, channels of each joint, H and W, of p or of what p is derived from."""
        name = "u" if "u" in shapes and "p" not in shapes else "p"
        roles = ("role",) if len(shapes.get(name, ())) == 5 else ()
        dims = (*roles, "keypoint", "channel", "y", "x")
        *lead, joints, channels, height, width = view_shape(self, shapes, name, dims)
        if roles and lead != [2]:
            raise InputError(
                f"the model {self.name} takes 2 roles, a person and the others, and a view has "
                f"{lead[0]}; use features of people=box or people=all"
            )
        if name == "u":
            for each, rest in zip(DERIVED_FROM[1:], (dims[:-2], ()), strict=True):
                view_shape(self, shapes, each, rest)
        return joints, channels * (2 if roles else 1), height, width
