"""PA3D's joint input: ten clips of T frames, in temporal order, on the uncropped canvas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, get_args

import numpy as np

from posemill.schema import PoseSequence, Skeleton
from posemill.transforms.clips import gather_frames
from posemill.transforms.outputs import OutputSpec, quantise_all
from posemill.transforms.rasterize import Combine
from posemill.transforms.recipes.base import Arrays, Recipe
from posemill.transforms.recipes.canvas import VALID_HW, place_on_canvas
from posemill.transforms.recipes.checks import check_choice, check_length, check_maps
from posemill.transforms.sampling import PA3D_CLIPS, Span, pa3d_clips
from posemill.transforms.tempposeconv import joint_cube


@dataclass(frozen=True)
class TempPoseConvJointsRecipe(Recipe):
    """`joints` (time, keypoint, y, x) of F = 10 T frames, `frame_index` (time), `valid_hw`.

    Clip i is frames i T to (i + 1) T - 1, see `transforms.tempposeconv.pick_clip`.
    """

    name: ClassVar[str] = "tempposeconv-j"
    version: ClassVar[int] = 1

    length: int = 8
    """Frames in a clip, T."""
    span: Span = "windows"
    """Clips of consecutive frames, or clips that each span the whole video."""
    canvas_hw: tuple[int, int] = (64, 86)
    sigma: float = 1.0
    """Of the joints' Gaussians, in px of the canvas."""
    combine: Combine = "max"
    """How people meet; a "sum" exceeds 1 and is kept as float16."""

    def __post_init__(self) -> None:
        check_length(self.name, "length", self.length)
        check_choice(self.name, "span", self.span, get_args(Span))
        check_maps(self.name, "canvas_hw", self.canvas_hw, self.sigma, self.combine)

    def outputs(self, skeleton: Skeleton) -> tuple[OutputSpec, ...]:
        return self._outputs(skeleton.num_keypoints)

    def __call__(
        self,
        pose: PoseSequence,
        rng: np.random.Generator,  # noqa: ARG002  (nothing here is random)
    ) -> Arrays:
        specs = self._outputs(pose.num_keypoints)
        xy, valid_hw = place_on_canvas(pose, self.canvas_hw)
        if pose.num_frames == 0:
            return {spec.name: spec.zeros() for spec in specs} | {VALID_HW.name: valid_hw}
        frames = pa3d_clips(pose.num_frames, self.length, self.span).reshape(-1)
        rows, ptr = gather_frames(pose.frame_ptr, frames)
        cube = joint_cube(
            xy[rows],
            pose.score[rows],
            ptr,
            sigma=self.sigma,
            size_hw=self.canvas_hw,
            combine=self.combine,
        )
        cube[..., valid_hw[0] :, :] = 0.0
        cube[..., valid_hw[1] :] = 0.0
        values: Arrays = {"joints": cube, "frame_index": frames, "valid_hw": valid_hw}
        return quantise_all(values, specs)

    def _outputs(self, num_keypoints: int) -> tuple[OutputSpec, ...]:
        bounded = self.combine == "max"
        num_frames = PA3D_CLIPS * self.length
        maps = OutputSpec(
            name="joints",
            dims=("time", "keypoint", "y", "x"),
            shape=(num_frames, num_keypoints, *self.canvas_hw),
            dtype="uint8" if bounded else "float16",
            scale_factor=1.0 / 255.0 if bounded else None,
            description="Gaussian joint maps of ten clips, one after another, uncropped",
        )
        index = OutputSpec(
            name="frame_index",
            dims=("time",),
            shape=(num_frames,),
            dtype="int32",
            description="number of each frame in the clip",
        )
        return maps, index, VALID_HW
