"""PARNet's two inputs: sixteen frames and the poses in them, in one crop.

Cui et al., "Pose-Appearance Relational Modeling for Video Action Recognition",
section IV.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from posemill.schema import Int64, PoseSequence, Skeleton
from posemill.settings import setting
from posemill.transforms.geometry import Box, frame_box
from posemill.transforms.outputs import OutputSpec
from posemill.transforms.pictures import mirror_pictures, show_box
from posemill.transforms.recipes.base import Arrays
from posemill.transforms.recipes.crops import (
    CANVAS_HW,
    CANVAS_MEANING,
    canvas_part,
    crop_box,
    put_on_canvas,
)
from posemill.transforms.recipes.draws import PICTURE_DRAW_MEANING, PictureDraw
from posemill.transforms.recipes.parnet import ParnetRecipe
from posemill.transforms.recipes.specs import FRAME_INDEX, FRAMES, frames_spec
from posemill.transforms.recipes.views import PictureRecipe
from posemill.transforms.sample import Sample


@dataclass(frozen=True)
class ParnetFramesRecipe(ParnetRecipe, PictureRecipe):
    """PARNet: sixteen frames, and four people's joints in the very same frames and crop.

    `frames` (time, picture_y, picture_x, colour), and what `parnet` has: `poses`
    (time, person, keypoint, space), x and y in [0, 1] inside the crop, and `frame_index`.

    * draw=test: the middle frame of each segment, in the centre crop, 2.4 MB a clip;
    * draw=cache: several frames of each segment, whole, on a canvas, 17 MB, with
      `poses` in px of it, `score`, and `valid_hw`; drawn from and cropped at load.

    The paper trains with "random cropping and scaling" without a range: here the crop's side
    is uniform in `scale` of `crop`, then resized to it.
    """

    name: ClassVar[str] = "parnet-frames"
    version: ClassVar[int] = 1

    draw: PictureDraw = setting("test", PICTURE_DRAW_MEANING)
    candidates: int = setting(3, "frames kept of a segment, with draw=cache", low=1, high=256)
    canvas_hw: tuple[int, int] = setting(CANVAS_HW, CANVAS_MEANING, low=1, high=4096, unit="px")
    scale: tuple[float, float] = setting(
        (0.75, 1.0), "side of a training view's square, least and most, by crop", low=0.1, high=1.0
    )

    def outputs(self, target: Skeleton) -> tuple[OutputSpec, ...]:
        if self.draw != "cache":
            return super().outputs(target)
        num_frames = self.length * self.candidates
        frames = frames_spec(self.canvas_hw, "frames of each segment, whole", time=num_frames)
        return frames, *super().outputs(target)

    def view_outputs(self, target: Skeleton) -> tuple[OutputSpec, ...]:
        frames = frames_spec((self.crop, self.crop), "a crop of each segment", time=self.length)
        return frames, *super().view_outputs(target)

    def picture_frames(self, pose: PoseSequence, rng: np.random.Generator) -> Int64:
        return np.unique(self.frame_numbers(pose.num_frames, rng))

    def render(self, sample: Sample, rng: np.random.Generator) -> Arrays:
        pose = sample.pose
        arrays = super().render(sample, rng)
        if pose.num_frames == 0:
            return arrays
        if self.draw == "cache":
            box, size_hw = frame_box(pose.width, pose.height), self.picture_hw(pose)
        else:
            box = crop_box((pose.height, pose.width), self.short_side, self.crop, None)
            size_hw = self.crop, self.crop
        frames = self.crop_pictures(sample, arrays[FRAME_INDEX], box, size_hw)
        if self.draw == "cache":
            frames = put_on_canvas(frames, self.canvas_hw)
        return {FRAMES: frames, **arrays}

    def picture_hw(self, pose: PoseSequence) -> tuple[int, int]:
        if self.draw == "cache":
            return canvas_part(pose.width, pose.height, self.short_side, self.canvas_hw)
        return super().picture_hw(pose)

    def view_box(self, picture_hw: tuple[int, int], rng: np.random.Generator | None) -> Box:
        side = self.crop
        if rng is not None:
            side = max(round(self.crop * rng.uniform(*self.scale)), 1)
        return crop_box(picture_hw, self.short_side, side, rng)

    def cut(self, arrays: Arrays, picked: Int64, box: Box) -> Arrays:
        height, width = arrays["valid_hw"].tolist()
        whole = arrays[FRAMES][picked, :height, :width]
        frames = show_box(whole, box, (self.crop, self.crop))
        return {FRAMES: frames, **super().cut(arrays, picked, box)}

    def mirror(self, view: Arrays, target: Skeleton) -> Arrays:
        return {FRAMES: mirror_pictures(view[FRAMES]), **super().mirror(view, target)}
