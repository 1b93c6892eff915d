"""PoTion and JMRN's input: U on the uncropped canvas, and what S, I, N and p need beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from posemill.schema import PoseSequence, Skeleton
from posemill.transforms.outputs import OutputSpec, quantise_all
from posemill.transforms.potion import potion_s, potion_u
from posemill.transforms.rasterize import Combine
from posemill.transforms.recipes.base import Arrays, Recipe
from posemill.transforms.recipes.canvas import VALID_HW, place_on_canvas
from posemill.transforms.recipes.checks import check_maps
from posemill.transforms.recipes.settings import require


@dataclass(frozen=True)
class PotionRecipe(Recipe):
    """`u` (keypoint, channel, y, x), `maximum` (keypoint, channel), `num_frames`, `valid_hw`.

    `transforms.potion` makes the network's input of them: `derive_potion(u)`
    or `derive_jmrn(u, maximum, num_frames)`.
    """

    name: ClassVar[str] = "potion"
    version: ClassVar[int] = 1

    channels: int = 3
    """Of the time encoding, C."""
    canvas_hw: tuple[int, int] = (64, 86)
    sigma: float = 1.0
    """Of the joints' Gaussians, in px of the canvas."""
    combine: Combine = "max"
    """How the people of a frame meet, before time is encoded."""

    def __post_init__(self) -> None:
        require(self.name, 2 <= self.channels <= 64, "channels", self.channels, "from 2 to 64")
        check_maps(self.name, "canvas_hw", self.canvas_hw, self.sigma, self.combine)

    def outputs(self, skeleton: Skeleton) -> tuple[OutputSpec, ...]:
        return self._outputs(skeleton.num_keypoints)

    def __call__(
        self,
        pose: PoseSequence,
        rng: np.random.Generator,  # noqa: ARG002  (nothing here is random)
    ) -> Arrays:
        xy, valid_hw = place_on_canvas(pose, self.canvas_hw)
        s = potion_s(
            xy,
            pose.score,
            pose.frame_ptr,
            num_channels=self.channels,
            sigma=self.sigma,
            size_hw=self.canvas_hw,
            combine=self.combine,
        )
        # Gaussians reach past the frame's edge; what is cropped and flipped ends there.
        s[..., valid_hw[0] :, :] = 0.0
        s[..., valid_hw[1] :] = 0.0
        u, maximum = potion_u(s)
        num_frames = np.array(pose.num_frames, np.int32)
        values = {"u": u, "maximum": maximum, "num_frames": num_frames, "valid_hw": valid_hw}
        return quantise_all(values, self._outputs(pose.num_keypoints))

    def _outputs(self, num_keypoints: int) -> tuple[OutputSpec, ...]:
        per_map = (num_keypoints, self.channels)
        maps = OutputSpec(
            name="u",
            dims=("keypoint", "channel", "y", "x"),
            shape=(*per_map, *self.canvas_hw),
            dtype="uint8",
            scale_factor=1.0 / 255.0,
            description="PoTion's U = S / (max_xy S + 1e-4) on the uncropped canvas",
        )
        maximum = OutputSpec(
            name="maximum",
            dims=("keypoint", "channel"),
            shape=per_map,
            dtype="float32",
            description="max_xy S: S = U (maximum + 1e-4)",
        )
        num_frames = OutputSpec(
            name="num_frames", dims=(), shape=(), dtype="int32", description="frames of the clip, T"
        )
        return maps, maximum, num_frames, VALID_HW
