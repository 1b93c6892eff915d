"""PoseConv3D's joint and limb volumes: sampled frames, cropped to the subjects.

Duan et al., "Revisiting Skeleton-based Action Recognition", CVPR 2022,
section 3.2 and appendix B; the geometry is that of its published code.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from posemill.schema import Int64, PoseSequence, Skeleton
from posemill.settings import setting
from posemill.transforms.clips import gather_frames
from posemill.transforms.geometry import Box, random_resized_box, subject_box
from posemill.transforms.outputs import OutputSpec
from posemill.transforms.placed import PlacedPoses, join_frames, place_nobody, place_pose
from posemill.transforms.rasterize import draw_joints, draw_limbs
from posemill.transforms.recipes.base import Arrays
from posemill.transforms.recipes.draws import DRAW_MEANING, Draw
from posemill.transforms.recipes.people import GaussianRecipe
from posemill.transforms.recipes.specs import FRAME_INDEX, frame_index_spec
from posemill.transforms.sample import Sample
from posemill.transforms.sampling import uniform_clip, uniform_test_clips
from posemill.transforms.seeding import view_generators
from posemill.transforms.skeletons import get_skeleton


@dataclass(frozen=True)
class _VolumeRecipe(GaussianRecipe):
    """What joint and limb volumes share: frames, crop, and the order of dimensions.

    * draw=test: the clips of PoseConv3D's test, in one crop around everybody;
    * draw=cache: training clips, each in its own crop, for a loader to crop again
      (`resample.resize_window`: approximate, as pixels are interpolated);
    * draw=train: training clips, each in a random resized crop.
    """

    draw: Draw = setting("test", DRAW_MEANING)
    length: int = setting(48, "frames in a view, T", low=1, high=4096, unit="frames")
    views: int = setting(1, "clips drawn from the video", low=1, high=64, unit="views")
    size_hw: tuple[int, int] = setting((64, 64), "height and width", low=1, high=1024, unit="px")
    sigma: float = setting(0.6, "of the Gaussians on the maps", low=0.1, high=100.0, unit="px")
    area: tuple[float, float] = setting(
        (0.56, 1.0), "share of the crop that draw=train keeps, least and most", low=0.01, high=1.0
    )
    aspect: tuple[float, float] = setting(
        (0.75, 4 / 3), "width by height of what draw=train keeps", low=0.1, high=10.0
    )

    map_name: ClassVar[str]
    """Of the dimension of maps: keypoint or limb."""

    @property
    def draws_anew(self) -> bool:
        return self.draw == "train"

    @abstractmethod
    def num_maps(self, target: Skeleton) -> int:
        """Joints or limbs."""

    @abstractmethod
    def draw_maps(self, placed: PlacedPoses, target: Skeleton, out: npt.NDArray[Any]) -> None:
        """Draw people of the skeleton `target` into zeros (maps, T, H, W)."""

    def outputs(self, target: Skeleton) -> tuple[OutputSpec, ...]:
        per_view = (self.num_maps(target), self.length, *self.size_hw)
        maps = OutputSpec(
            name="volume",
            dims=("view", *self.group_sizes(), self.map_name, "time", "y", "x"),
            shape=(self.views, *self.group_sizes().values(), *per_view),
            **self.storage(),
            description=self._description(),
        )
        index = frame_index_spec(view=self.views, time=self.length)
        return maps, index

    def render(self, sample: Sample, rng: np.random.Generator) -> Arrays:
        pose = sample.pose
        if pose.num_frames == 0:
            return {}
        target = get_skeleton(pose.skeleton)
        spec, _ = self.outputs(target)
        frames, boxes = self._plan_views(pose, rng)
        volume = np.zeros(spec.shape, spec.dtype)
        groups = self.groups(sample)
        by_group = volume.reshape(self.views, len(groups), *volume.shape[-4:])
        for view, box in enumerate(boxes):
            for part, out in zip(groups, by_group[view], strict=True):
                self.draw_maps(self._place_view(part, box, frames[view]), target, out)
        return {"volume": volume, FRAME_INDEX: frames}

    def place_people(self, sample: Sample, rng: np.random.Generator) -> PlacedPoses:
        pose = sample.pose
        if pose.num_frames == 0:
            num_frames = self.views * self.length
            return place_nobody(num_frames, pose.num_keypoints, self.size_hw, self.size_hw)
        views = zip(*self._plan_views(pose, rng), strict=True)
        return join_frames([self._place_view(pose, box, frames) for frames, box in views])

    def _place_view(self, pose: PoseSequence, box: Box, frames: Int64) -> PlacedPoses:
        return place_pose(pose, box, self.size_hw, self.size_hw, frames)

    def _description(self) -> str:
        text = f"Gaussian {self.map_name} maps of sampled frames, cropped to the subjects"
        return f"{text}; approximate when cropped again" if self.draw == "cache" else text

    def _plan_views(self, pose: PoseSequence, rng: np.random.Generator) -> tuple[Int64, list[Box]]:
        """Frames (V, T) and the crop of every view."""
        if self.draw == "test":
            frames = uniform_test_clips(pose.num_frames, self.length, self.views, rng)
            return frames, [self._crop(pose, np.unique(frames))] * self.views
        clips, boxes = [], []
        for view_rng in view_generators(rng, self.views):
            clips.append(uniform_clip(pose.num_frames, self.length, view_rng))
            box = self._crop(pose, np.unique(clips[-1]))
            if self.draw == "train":
                box = random_resized_box(box, view_rng, area=self.area, ratio=self.aspect)
            boxes.append(box)
        return np.stack(clips), boxes

    def _crop(self, pose: PoseSequence, frames: Int64) -> Box:
        rows, _ = gather_frames(pose.frame_ptr, frames)
        height, width = self.size_hw
        return subject_box(
            pose.xy_px[rows], pose.score[rows], pose.width, pose.height, aspect=width / height
        )


@dataclass(frozen=True)
class VolumeRecipe(_VolumeRecipe):
    """PoseConv3D: joints as Gaussian maps over time, cropped to the subjects.

    `volume` (view, keypoint, time, y, x), and `frame_index` (view, time).
    """

    name: ClassVar[str] = "volume"
    version: ClassVar[int] = 2
    map_name: ClassVar[str] = "keypoint"

    def num_maps(self, target: Skeleton) -> int:
        return target.num_keypoints

    def draw_maps(
        self,
        placed: PlacedPoses,
        target: Skeleton,  # noqa: ARG002  (joints are numbered as they are)
        out: npt.NDArray[Any],
    ) -> None:
        draw_joints(placed.xy_px, placed.score, placed.frame_ptr, out, **self.gaussians())


@dataclass(frozen=True)
class LimbVolumeRecipe(_VolumeRecipe):
    """PoseConv3D: the skeleton's limbs as Gaussian maps over time, cropped to the subjects.

    `volume` (view, limb, time, y, x), and `frame_index` (view, time).
    """

    name: ClassVar[str] = "limb-volume"
    version: ClassVar[int] = 1
    map_name: ClassVar[str] = "limb"

    def num_maps(self, target: Skeleton) -> int:
        return len(target.limbs)

    def draw_maps(self, placed: PlacedPoses, target: Skeleton, out: npt.NDArray[Any]) -> None:
        people = placed.xy_px, placed.score, placed.frame_ptr
        draw_limbs(*people, target.limbs, out, **self.gaussians())
