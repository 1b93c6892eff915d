"""Frames alone, for networks of appearance: what the others are compared to and start from.

Frames are sampled as PoseConv3D's (Duan et al., CVPR 2022, section 3.2; table 17 for RGB).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from posemill.schema import Int64, PoseSequence, Skeleton, UInt8
from posemill.settings import setting
from posemill.transforms.geometry import Box, frame_box, random_resized_box
from posemill.transforms.geometry.boxes import AREA, RATIO
from posemill.transforms.outputs import OutputSpec
from posemill.transforms.pictures import mirror_pictures, show_box
from posemill.transforms.recipes.base import Arrays
from posemill.transforms.recipes.canvas import VALID_HW, valid_hw_array
from posemill.transforms.recipes.crops import (
    CANVAS_HW,
    CANVAS_MEANING,
    canvas_part,
    check_crop,
    clip_box,
    crop_box,
    put_on_canvas,
)
from posemill.transforms.recipes.draws import PICTURE_DRAW_MEANING, PictureDraw
from posemill.transforms.recipes.specs import FRAME_INDEX, FRAMES, frame_index_spec, frames_spec
from posemill.transforms.recipes.views import PictureRecipe
from posemill.transforms.sample import Sample
from posemill.transforms.sampling import bin_candidates, pick_candidates, uniform_test_clips


@dataclass(frozen=True)
class RgbClipRecipe(PictureRecipe):
    """Frames alone, of the whole picture or of a square around everybody.

    `frames` (time, picture_y, picture_x, colour), and `frame_index` (time).

    * draw=test: along `view`, the clips of PoseConv3D's test; region=frame shows the
      centre crop, 1.2 MB a clip of 8 frames, region=subjects the square, 1.6 MB;
    * draw=cache: several frames of each segment, drawn from at load. region=frame keeps
      them whole on a canvas, with `valid_hw`, 8.4 MB, and crops at random;
      region=subjects keeps the square, 4.7 MB, and crops and resizes at random.

    The square is 1.25 times as large as what the joints of the frames shown span, and
    where that is too little, the whole frame between black bars.
    """

    name: ClassVar[str] = "rgb-clip"
    version: ClassVar[int] = 1

    draw: PictureDraw = setting("test", PICTURE_DRAW_MEANING)
    region: Literal["frame", "subjects"] = setting("frame", "all of the frame, or where people are")
    length: int = setting(8, "frames in a view", low=1, high=1024, unit="frames")
    views: int = setting(1, "clips of the video, with draw=test", low=1, high=64, unit="views")
    candidates: int = setting(3, "frames kept of a segment, with draw=cache", low=1, high=256)
    short_side: int = setting(256, "of the picture before the crop", low=1, high=4096, unit="px")
    crop: int = setting(224, "side of the square that is cropped", low=1, high=4096, unit="px")
    canvas_hw: tuple[int, int] = setting(CANVAS_HW, CANVAS_MEANING, low=1, high=4096, unit="px")
    area: tuple[float, float] = setting(
        AREA, "share of region=subjects that a training view shows", low=0.01, high=1.0
    )
    aspect: tuple[float, float] = setting(
        RATIO, "width by height of what it shows of region=subjects", low=0.1, high=10.0
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check_crop(self.name, self.crop, self.short_side)

    def outputs(self, target: Skeleton) -> tuple[OutputSpec, ...]:  # noqa: ARG002  (no joints)
        if self.draw == "test":
            sizes = {"view": self.views, "time": self.length}
            return frames_spec(self._stored_hw, "clips", **sizes), frame_index_spec(**sizes)
        sizes = {"time": self.length * self.candidates}
        frames = frames_spec(self._stored_hw, f"{self.candidates} of each segment", **sizes)
        return frames, frame_index_spec(**sizes), VALID_HW

    def view_outputs(self, target: Skeleton) -> tuple[OutputSpec, ...]:  # noqa: ARG002
        side = self._test_side if self.draw == "test" else self.crop
        return (frames_spec((side, side), "a clip", time=self.length),)

    def picture_frames(self, pose: PoseSequence, rng: np.random.Generator) -> Int64:
        return np.unique(self._numbers(pose.num_frames, rng))

    def render(self, sample: Sample, rng: np.random.Generator) -> Arrays:
        pose, size_hw = sample.pose, self._shown_hw(sample.pose)
        beside: Arrays = {VALID_HW.name: valid_hw_array(size_hw)} if self.draw == "cache" else {}
        if pose.num_frames == 0:
            return beside
        numbers = self._numbers(pose.num_frames, rng)
        shown = self.crop_pictures(sample, numbers, self._shown_box(pose, numbers), size_hw)
        return {FRAMES: put_on_canvas(shown, self._stored_hw), FRAME_INDEX: numbers, **beside}

    def draw_view(
        self,
        arrays: Arrays,
        target: Skeleton,  # noqa: ARG002
        rng: np.random.Generator,
        *,
        flip: float,
    ) -> tuple[Arrays, bool]:
        self.require_training_views()
        frames = self._cut(arrays, self.crop, rng)
        mirrored = bool(rng.random() < flip)
        return {FRAMES: mirror_pictures(frames) if mirrored else frames}, mirrored

    def fixed_views(
        self,
        arrays: Arrays,
        target: Skeleton,  # noqa: ARG002
        *,
        mirrored: bool,
    ) -> Arrays:
        cached = self.draw == "cache"
        frames = self._cut(arrays, self._test_side)[None] if cached else arrays[FRAMES]
        return {FRAMES: mirror_pictures(frames) if mirrored else frames}

    def _numbers(self, num_frames: int, rng: np.random.Generator) -> Int64:
        """(V, T) of test views, or (T C,) of the frames that a cache keeps."""
        if self.draw == "test":
            return uniform_test_clips(num_frames, self.length, self.views, rng)
        return bin_candidates(num_frames, self.length, self.candidates).reshape(-1)

    @property
    def _test_side(self) -> int:
        return self.short_side if self.region == "subjects" else self.crop

    @property
    def _stored_hw(self) -> tuple[int, int]:
        if self.draw == "cache" and self.region == "frame":
            return self.canvas_hw
        return self._test_side, self._test_side

    def _shown_hw(self, pose: PoseSequence) -> tuple[int, int]:
        """Of what is stored, the part that shows something."""
        if self.draw == "cache" and self.region == "frame":
            return canvas_part(pose.width, pose.height, self.short_side, self.canvas_hw)
        return self._stored_hw

    def _shown_box(self, pose: PoseSequence, numbers: Int64) -> Box:
        """The part of the frame that it shows."""
        if self.region == "subjects":
            return clip_box(pose, np.unique(numbers))
        if self.draw == "cache":
            return frame_box(pose.width, pose.height)
        return crop_box((pose.height, pose.width), self.short_side, self.crop, None)

    def _cut(self, arrays: Arrays, side: int, rng: np.random.Generator | None = None) -> UInt8:
        """(T, side, side, 3) of cached frames: at random, or without a generator as in tests."""
        picked = pick_candidates(self.length, self.candidates, rng)
        height, width = arrays[VALID_HW.name].tolist()
        box = frame_box(width, height)
        if self.region == "frame":
            box = crop_box((height, width), self.short_side, self.crop, rng)
        elif rng is not None:
            box = random_resized_box(box, rng, area=self.area, ratio=self.aspect)
        return show_box(arrays[FRAMES][picked, :height, :width], box, (side, side))
