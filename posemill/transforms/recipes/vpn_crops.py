"""VPN's two inputs: windows of pictures cropped to a person, and that person's joints.

Das et al., "VPN: Learning Video-Pose Embedding for Activities of Daily
Living", ECCV 2020, section 3.1 and 4.2; windows as in its published code.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from posemill.schema import Int64, PoseSequence, Skeleton
from posemill.settings import setting
from posemill.transforms.geometry import Box
from posemill.transforms.outputs import OutputSpec
from posemill.transforms.people import keep_rows, track_order
from posemill.transforms.pictures import mirror_pictures
from posemill.transforms.recipes.base import Arrays
from posemill.transforms.recipes.crops import clip_box
from posemill.transforms.recipes.draws import PICTURE_DRAW_MEANING, PictureDraw
from posemill.transforms.recipes.specs import (
    FRAMES,
    PICTURE_INDEX,
    frames_spec,
    picture_index_spec,
)
from posemill.transforms.recipes.views import PictureRecipe
from posemill.transforms.recipes.vpn import VpnPoseRecipe
from posemill.transforms.sample import Sample
from posemill.transforms.sampling import vpn_test_windows


@dataclass(frozen=True)
class VpnCropsRecipe(VpnPoseRecipe, PictureRecipe):
    """VPN: windows of pictures cropped to a person, and the joints of that person.

    `frames` (view, picture, picture_y, picture_x, colour) with `picture_index` (view,
    picture), `poses` and `frame_index`. Pictures and poses are of frames of their own.

    * draw=test: `views` windows from the clip's first to its last, 96 MB a clip of ten,
      each seen with the same `poses` (space, keypoint, time);
    * draw=cache: `windows` windows, 29 MB a clip of three, and the candidates of `vpn-pose`;
      a window and a pose of each chunk are drawn at load. The published code starts a
      window at any frame: the more windows are kept, the nearer to that.

    A window is 64 frames, every other one of a clip of more than 128. All pictures of a
    clip show one square, 1.25 times as large as what the joints of the most present
    person span in the whole clip, and the whole frame between black bars where that is too
    little.
    """

    name: ClassVar[str] = "vpn-crops"
    version: ClassVar[int] = 1

    draw: PictureDraw = setting("test", PICTURE_DRAW_MEANING)
    pictures: int = setting(64, "in a window", low=1, high=1024, unit="frames")
    size: int = setting(224, "side of a picture", low=1, high=4096, unit="px")
    views: int = setting(10, "windows of the clip, with draw=test", low=1, high=64)
    windows: int = setting(3, "windows of the clip, with draw=cache", low=1, high=256)

    def outputs(self, target: Skeleton) -> tuple[OutputSpec, ...]:
        sizes = {"view": self._num_windows, "picture": self.pictures}
        frames = frames_spec((self.size, self.size), "windows around a person", **sizes)
        return frames, picture_index_spec(**sizes), *super().outputs(target)

    def view_outputs(self, target: Skeleton) -> tuple[OutputSpec, ...]:
        hw = self.size, self.size
        frames = frames_spec(hw, "a window around a person", picture=self.pictures)
        return frames, *super().view_outputs(target)

    def picture_frames(self, pose: PoseSequence, rng: np.random.Generator) -> Int64:  # noqa: ARG002
        return np.unique(self._window_frames(pose.num_frames))

    def render(self, sample: Sample, rng: np.random.Generator) -> Arrays:
        pose = sample.pose
        if pose.num_frames == 0:
            return {}
        numbers = self._window_frames(pose.num_frames)
        box = _person_box(pose)
        return {
            FRAMES: self.crop_pictures(sample, numbers, box, (self.size, self.size)),
            PICTURE_INDEX: numbers,
            **super().render(sample, rng),
        }

    def draw_view(
        self, arrays: Arrays, target: Skeleton, rng: np.random.Generator, *, flip: float
    ) -> tuple[Arrays, bool]:
        self.require_training_views()
        frames = arrays[FRAMES][int(rng.integers(self.windows))]
        beside, mirrored = super().draw_view(arrays, target, rng, flip=flip)
        return {FRAMES: mirror_pictures(frames) if mirrored else frames, **beside}, mirrored

    def fixed_views(self, arrays: Arrays, target: Skeleton, *, mirrored: bool) -> Arrays:
        frames = arrays[FRAMES]
        if self.draw == "cache":
            frames = frames[self.windows // 2][None]
        poses = super().fixed_views(arrays, target, mirrored=mirrored)["poses"]
        return {
            FRAMES: mirror_pictures(frames) if mirrored else frames,
            "poses": np.repeat(poses, len(frames), axis=0),
        }

    @property
    def _num_windows(self) -> int:
        return self.windows if self.draw == "cache" else self.views

    def _window_frames(self, num_frames: int) -> Int64:
        """(V, pictures)."""
        return vpn_test_windows(num_frames, self.pictures, self._num_windows)


def _person_box(pose: PoseSequence) -> Box:
    """The square around the most present person in all frames."""
    person = keep_rows(pose, np.isin(pose.slot, track_order(pose)[:1]))
    return clip_box(person, np.arange(pose.num_frames))
