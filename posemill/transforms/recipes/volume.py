"""PoseConv3D's joint volume: uniformly sampled frames, cropped to the subjects.

The geometry is that of its test time: a square crop, stretched to the size
asked for. Duan et al., "Revisiting Skeleton-based Action Recognition", CVPR
2022, section 3.2 and appendix B.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from posemill.schema import Float32, Int64, PoseSequence, Skeleton
from posemill.transforms.clips import gather_frames
from posemill.transforms.geometry import map_to, subject_box
from posemill.transforms.outputs import OutputSpec, quantise
from posemill.transforms.rasterize import Combine, draw_joints, erase_joints
from posemill.transforms.recipes.base import Arrays, Recipe
from posemill.transforms.recipes.checks import check_length, check_maps
from posemill.transforms.recipes.settings import require
from posemill.transforms.sampling import uniform_test_clips


@dataclass(frozen=True)
class VolumeRecipe(Recipe):
    """`volume` (view, keypoint, time, y, x) and `frame_index` (view, time)."""

    name: ClassVar[str] = "volume"
    version: ClassVar[int] = 1

    length: int = 48
    """Frames in a view, T."""
    views: int = 1
    """Clips drawn from the video, 1 to 10; they share one crop."""
    size_hw: tuple[int, int] = (64, 64)
    sigma: float = 0.6
    """Of the Gaussians, in px of the volume."""
    combine: Combine = "max"
    """How people meet; a "sum" exceeds 1 and is kept as float16."""

    def __post_init__(self) -> None:
        check_length(self.name, "length", self.length)
        require(self.name, 1 <= self.views <= 10, "views", self.views, "from 1 to 10")
        check_maps(self.name, "size_hw", self.size_hw, self.sigma, self.combine)

    def outputs(self, skeleton: Skeleton) -> tuple[OutputSpec, ...]:
        return self._outputs(skeleton.num_keypoints)

    def __call__(self, pose: PoseSequence, rng: np.random.Generator) -> Arrays:
        maps, index = self._outputs(pose.num_keypoints)
        if pose.num_frames == 0:
            return {maps.name: maps.zeros(), index.name: index.zeros()}
        frames = uniform_test_clips(pose.num_frames, self.length, self.views, rng)
        volume = self._draw(pose, frames, maps)
        return {maps.name: volume, index.name: quantise(frames, index)}

    def _draw(self, pose: PoseSequence, frames: Int64, spec: OutputSpec) -> Float32:
        frame_ptr = pose.frame_ptr
        # One crop for all views, around whoever is in any of their frames.
        shown, _ = gather_frames(frame_ptr, np.unique(frames))
        box = subject_box(pose.xy_px[shown], pose.score[shown], pose.width, pose.height)
        xy = map_to(pose.xy_px, box, self.size_hw)
        stored = np.empty(spec.shape, spec.dtype)
        scratch = np.zeros(spec.shape[1:], np.float32)
        for view, indices in enumerate(frames):
            rows, ptr = gather_frames(frame_ptr, indices)
            clip = xy[rows], pose.score[rows], ptr, scratch
            draw_joints(*clip, sigma=self.sigma, combine=self.combine)
            stored[view] = quantise(scratch, spec)
            erase_joints(*clip, sigma=self.sigma)
        return stored

    def _outputs(self, num_keypoints: int) -> tuple[OutputSpec, OutputSpec]:
        bounded = self.combine == "max"
        maps = OutputSpec(
            name="volume",
            dims=("view", "keypoint", "time", "y", "x"),
            shape=(self.views, num_keypoints, self.length, *self.size_hw),
            dtype="uint8" if bounded else "float16",
            scale_factor=1.0 / 255.0 if bounded else None,
            description="Gaussian joint maps of uniformly sampled frames, cropped to the subjects",
        )
        index = OutputSpec(
            name="frame_index",
            dims=("view", "time"),
            shape=(self.views, self.length),
            dtype="int32",
            description="number of each frame in the clip",
        )
        return maps, index
