"""PoseConv3D: 3-D convolutions over volumes of joint or limb maps.

Duan et al., "Revisiting Skeleton-based Action Recognition", CVPR 2022, section 3.3
and table 11; the initialisation is that of its published code.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from posemill.models.backbones.c3d import c3d
from posemill.models.backbones.layers3d import Backbone
from posemill.models.backbones.slowonly import slowonly
from posemill.models.backbones.x3d import x3d
from posemill.models.base import Model, ViewShapes, require_size, view_shape
from posemill.models.pooled import PooledNetwork
from posemill.models.stage_blocks import stage_blocks
from posemill.settings import setting


@dataclass(frozen=True, slots=True)
class _Published:
    """A backbone as table 11 has it."""

    build: Callable[[int, int, Sequence[int]], Backbone]
    base: int
    blocks: tuple[int, ...]
    least_px: int
    """Of height and width, that 2 x 2 are left, enough for a batch of one frame."""


_BACKBONES = {
    "slowonly": _Published(slowonly, base=32, blocks=(4, 6, 3), least_px=9),
    "slowonly-wd": _Published(slowonly, base=64, blocks=(4, 6, 3), least_px=9),
    "slowonly-hr": _Published(slowonly, base=32, blocks=(3, 4, 6, 3), least_px=17),
    "c3d": _Published(c3d, base=32, blocks=(1, 1, 2, 2, 2), least_px=16),
    "c3d-s": _Published(c3d, base=32, blocks=(1, 1, 2, 2), least_px=16),
    "x3d": _Published(x3d, base=24, blocks=(5, 11, 7), least_px=17),
    "x3d-s": _Published(x3d, base=24, blocks=(2, 5, 3), least_px=17),
}


@dataclass(frozen=True)
class PoseConv3dModel(Model):
    """PoseConv3D: a backbone over a volume (joints or limbs, T, H, W) of any length T.

    The published volumes are 17 x 48 x 56 x 56, and 112 pixels a side for slowonly-hr.
    """

    name: ClassVar[str] = "poseconv3d"
    recipes: ClassVar[tuple[str, ...]] = ("volume", "limb-volume")

    backbone: Literal["slowonly", "slowonly-wd", "slowonly-hr", "c3d", "c3d-s", "x3d", "x3d-s"] = (
        setting("slowonly", "of table 11: wd is wider, hr for larger maps, s shallower")
    )
    base: int = setting(0, "channels of the first layer; 0: as published", low=0, high=512)
    blocks: str = setting("", "how many each stage has, like 4,6,3; nothing: as published")
    dropout: float = setting(0.5, "before the classifier", low=0.0, high=0.95)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._blocks()

    def network(self, shapes: ViewShapes, num_classes: int) -> PoseConv3d:
        dims = ("keypoint or limb", "time", "y", "x")
        in_channels, _, height, width = view_shape(self, shapes, "volume", dims)
        published = _BACKBONES[self.backbone]
        require_size(self, (height, width), published.least_px)
        backbone = published.build(in_channels, self.base or published.base, self._blocks())
        return PoseConv3d(backbone, num_classes, self.dropout)

    def _blocks(self) -> tuple[int, ...]:
        """Of each stage; raises InputError of other than as many as published."""
        return stage_blocks(self, "blocks", _BACKBONES[self.backbone].blocks, self.backbone)


class PoseConv3d(PooledNetwork):
    """Logits of `volume` (B, K, T, H, W)."""

    reads = "volume"
