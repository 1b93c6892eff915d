"""RGBPose-Conv3D's settings, and the views that it takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from posemill.errors import InputError
from posemill.models.base import Model, ViewShapes, require_size, view_shape
from posemill.models.rgbpose.lateral import Direction
from posemill.models.rgbpose.network import POSE_BLOCKS, RGB_BLOCKS, Pathway, RgbPoseNetwork
from posemill.models.stage_blocks import stage_blocks
from posemill.settings import setting

PIXELS = 4
"""Of pictures for a pixel of the poses' volume, along each side (table 12: 224 and 56)."""
_COLOURS = 3
_LEAST_PX = 8
"""Of a volume's sides, that a pixel is left."""


@dataclass(frozen=True)
class RgbPoseModel(Model):
    """RGBPose-Conv3D: early and late fusion of pictures and of volumes of joints.

    The published views have 8 pictures of 224 x 224 px and 17 x 32 x 56 x 56 volumes, or
    16 pictures and 48 frames of poses: any whole number of them for each picture.
    Without the classifiers it has 35.99 M parameters. `posemill merge` makes weights to
    begin with of a model of pictures and one of poses.
    """

    name: ClassVar[str] = "rgbpose"
    recipes: ClassVar[tuple[str, ...]] = ("rgbpose",)

    lateral: Direction = setting("both", "which pathway tells the other; none: late fusion alone")
    rgb_base: int = setting(64, "channels of the pictures' first layer", low=1, high=512)
    rgb_blocks: str = setting("", "of its four stages, like 3,4,6,3; nothing: as published")
    pose_base: int = setting(32, "channels of the poses' first layer", low=1, high=512)
    pose_blocks: str = setting("", "of its three stages, like 4,6,3; nothing: as published")
    dropout: float = setting(0.5, "before each classifier", low=0.0, high=0.95)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._pathways()

    def network(self, shapes: ViewShapes, num_classes: int) -> RgbPoseNetwork:
        frame_dims = ("time", "y", "x", "colour")
        pictures, *picture_hw, colours = view_shape(self, shapes, "frames", frame_dims)
        volume_dims = ("keypoint", "time", "y", "x")
        num_joints, poses, *pose_hw = view_shape(self, shapes, "volume", volume_dims)
        ratio = self._ratio(pictures, poses)
        self._require_pictures(picture_hw, colours, pose_hw)
        # Normalisation takes two values or more: two pixels, or as many pictures.
        least_px = _LEAST_PX if pictures > 1 else _LEAST_PX + 1
        require_size(self, (pose_hw[0], pose_hw[1]), least_px)
        return RgbPoseNetwork(
            num_joints,
            num_classes,
            *self._pathways(),
            lateral=self.lateral,
            ratio=ratio,
            dropout=self.dropout,
        )

    def _pathways(self) -> tuple[Pathway, Pathway]:
        """Of pictures and of poses; raises InputError of blocks that cannot be."""
        rgb = stage_blocks(self, "rgb_blocks", RGB_BLOCKS, "the pictures' pathway")
        pose = stage_blocks(self, "pose_blocks", POSE_BLOCKS, "the poses' pathway")
        return Pathway(self.rgb_base, rgb), Pathway(self.pose_base, pose)

    def _ratio(self, pictures: int, poses: int) -> int:
        """Frames of poses for each picture."""
        if pictures == 0 or poses % pictures or poses < pictures:
            raise InputError(
                f"the model {self.name} takes as many frames of poses for every picture, and a "
                f"view has {pictures} pictures and {poses} frames of poses; expected a multiple, "
                "as the published 8 and 32, or 16 and 48: materialize or train with other lengths"
            )
        return poses // pictures

    def _require_pictures(self, picture_hw: list[int], colours: int, pose_hw: list[int]) -> None:
        if colours != _COLOURS:
            raise InputError(
                f"the model {self.name} takes frames of {_COLOURS} colours, and those of a view "
                f"have {colours}; use features of the recipe {' or '.join(self.recipes)}"
            )
        if picture_hw != [PIXELS * size for size in pose_hw]:
            height, width = picture_hw
            raise InputError(
                f"the model {self.name} takes pictures {PIXELS} times as high and wide as the "
                f"poses' volume, and a view has pictures of {height} x {width} px and volumes of "
                f"{pose_hw[0]} x {pose_hw[1]} px; for these pictures volumes of "
                f"{height / PIXELS:g} x {width / PIXELS:g} px are expected, as 56 for 224"
            )
