"""PoTion and JMRN: joints' ways through time on the uncropped canvas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from posemill.schema import Float32, Skeleton
from posemill.settings import setting
from posemill.transforms.outputs import OutputSpec
from posemill.transforms.placed import PlacedPoses
from posemill.transforms.potion import encode_maps, jmrn_p, potion_s, potion_u
from posemill.transforms.recipes.base import Arrays
from posemill.transforms.recipes.canvas import (
    VALID_HW,
    all_dense_maps,
    canvas_setting,
    clear_outside,
    place_on_canvas,
    scale_to_canvas,
    valid_hw_array,
    valid_part,
)
from posemill.transforms.recipes.people import GaussianRecipe
from posemill.transforms.recipes.sources import SourceRecipe
from posemill.transforms.sample import DenseKind, Sample

NUM_FRAMES = OutputSpec(
    name="num_frames", dims=(), shape=(), dtype="int32", description="frames of the clip, T"
)


@dataclass(frozen=True)
class TimeEncodedRecipe(GaussianRecipe, SourceRecipe):
    """What PoTion and JMRN share: S on the canvas, of all frames."""

    channels: int = setting(3, "of the time encoding, C", low=2, high=64)
    canvas_hw: tuple[int, int] = canvas_setting()

    def encode(self, sample: Sample) -> tuple[Float32, Arrays]:
        """S (..., K, C, H, W), led by the groups of people, and the outputs beside it."""
        valid_hw = valid_part(sample.pose, self.canvas_hw)
        dense = self.source == "dense"
        s = self._encode_dense(sample) if dense else self._encode_triplets(sample)
        clear_outside(s, valid_hw)
        num_frames = np.array(sample.pose.num_frames, np.int32)
        return s, {NUM_FRAMES.name: num_frames, VALID_HW.name: valid_hw_array(valid_hw)}

    def place_people(
        self,
        sample: Sample,
        rng: np.random.Generator,  # noqa: ARG002  (nothing here is random)
    ) -> PlacedPoses:
        return place_on_canvas(sample.pose, self.canvas_hw)

    def dense_channels(self, target: Skeleton) -> dict[DenseKind, int]:
        return {"joints": target.num_keypoints} if self.source == "dense" else {}

    def map_dims(self) -> tuple[str, ...]:
        return (*self.group_sizes(), "keypoint", "channel", "y", "x")

    def map_shape(self, target: Skeleton) -> tuple[int, ...]:
        return (*self.group_sizes().values(), target.num_keypoints, self.channels, *self.canvas_hw)

    def _encode_triplets(self, sample: Sample) -> Float32:
        parts = []
        for group in self.groups(sample):
            placed = place_on_canvas(group, self.canvas_hw)
            parts.append(
                potion_s(
                    placed.xy_px,
                    placed.score,
                    placed.frame_ptr,
                    num_channels=self.channels,
                    size_hw=self.canvas_hw,
                    **self.gaussians(),
                )
            )
        return parts[0] if self.people == "all" else np.stack(parts)

    def _encode_dense(self, sample: Sample) -> Float32:
        pose = sample.pose
        maps = all_dense_maps(sample, "joints", pose.num_keypoints)
        s = encode_maps(maps, self.channels)
        # Sums of scaled maps are scaled sums of maps, so only S is scaled, not every frame.
        return scale_to_canvas(s, valid_part(pose, self.canvas_hw), self.canvas_hw)


@dataclass(frozen=True)
class PotionRecipe(TimeEncodedRecipe):
    """PoTion: every joint's way through time, in channels that fade from one to the next.

    `u` (keypoint, channel, y, x), `maximum` (keypoint, channel), `num_frames`, `valid_hw`.
    Of its values (`outputs.dequantise`), `potion.derive_potion` makes the
    network's input; S and all that is made of S come back by `potion.recover_s`.
    """

    name: ClassVar[str] = "potion"
    version: ClassVar[int] = 2

    def outputs(self, target: Skeleton) -> tuple[OutputSpec, ...]:
        dims, shape = self.map_dims(), self.map_shape(target)
        maps = OutputSpec(
            name="u",
            dims=dims,
            shape=shape,
            dtype="uint8",
            scale_factor=1.0 / 255.0,
            description="PoTion's U = S / (max_xy S + 1e-4) on the uncropped canvas",
        )
        maximum = OutputSpec(
            name="maximum",
            dims=dims[:-2],
            shape=shape[:-2],
            dtype="float32",
            description="max_xy S: S = U (maximum + 1e-4)",
        )
        return maps, maximum, NUM_FRAMES, VALID_HW

    def render(
        self,
        sample: Sample,
        rng: np.random.Generator,  # noqa: ARG002  (nothing here is random)
    ) -> Arrays:
        s, beside = self.encode(sample)
        u, maximum = potion_u(s)
        return {"u": u, "maximum": maximum, **beside}


@dataclass(frozen=True)
class JmrnRecipe(TimeEncodedRecipe):
    """JMRN: every joint's way through time, over the greatest value that it could reach.

    `p` (keypoint, channel, y, x), `num_frames`, `valid_hw`, of COCO's 17 joints and the neck.
    In float16, not in uint8 steps of a map's own peak: a joint that moves over
    300 frames leaves .01 where one that rests leaves 1, and both count. People
    apart (people=box) are JMRN's input on AVA: the others are extra channels.
    """

    name: ClassVar[str] = "jmrn"
    version: ClassVar[int] = 1

    skeleton: str = setting("coco-17-neck", "joints of the output, a skeleton's name or own")

    def outputs(self, target: Skeleton) -> tuple[OutputSpec, ...]:
        maps = OutputSpec(
            name="p",
            dims=self.map_dims(),
            shape=self.map_shape(target),
            dtype="float16",
            description="JMRN's p = S_c / sum_t o_c(t) on the uncropped canvas",
        )
        return maps, NUM_FRAMES, VALID_HW

    def render(
        self,
        sample: Sample,
        rng: np.random.Generator,  # noqa: ARG002  (nothing here is random)
    ) -> Arrays:
        s, beside = self.encode(sample)
        return {"p": jmrn_p(s, sample.pose.num_frames), **beside}
