"""PA3D's inputs: ten clips of T frames, in temporal order, on the uncropped canvas.

Joints (J), part affinity fields (P), an estimator's features (F), and the
differences of consecutive frames of each: Yan et al., "PA3D: Pose-Action 3D
Machine for Video Recognition", CVPR 2019, sections 3.1 and 4.2.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from posemill.errors import InputError
from posemill.schema import Int64, Skeleton
from posemill.settings import setting
from posemill.transforms.outputs import OutputSpec
from posemill.transforms.placed import PlacedPoses, place_nobody
from posemill.transforms.rasterize import draw_joints, draw_part_fields
from posemill.transforms.recipes.base import Arrays, Recipe
from posemill.transforms.recipes.canvas import (
    VALID_HW,
    canvas_setting,
    clear_outside,
    dense_maps_of,
    place_on_canvas,
    scale_to_canvas,
    valid_hw_array,
    valid_part,
)
from posemill.transforms.recipes.people import GaussianRecipe
from posemill.transforms.recipes.sources import SourceRecipe
from posemill.transforms.recipes.specs import FRAME_INDEX, frame_index_spec
from posemill.transforms.sample import DenseKind, Requirement, Sample
from posemill.transforms.sampling import PA3D_CLIPS, Span, pa3d_clips, pa3d_random_clip
from posemill.transforms.skeletons import get_skeleton
from posemill.transforms.tempposeconv import differences


@dataclass(frozen=True)
class CubeRecipe(Recipe):
    """A cube (time, channel, y, x) of F = 10 T frames, `frame_index` (time), `valid_hw`.

    Clip i is frames i T to (i + 1) T - 1, see `transforms.tempposeconv.pick_clip`;
    of differences it is i (T - 1) to (i + 1) (T - 1) - 1, and `frame_index` has
    the later of the two frames. With draw=train there is one clip, drawn at
    random: for rendering on the fly, where nine of ten would be made in vain.
    """

    draw: Literal["test", "train"] = setting(
        "test", "ten fixed clips, or one fresh training clip on the fly"
    )
    length: int = setting(8, "frames in a clip, T", low=1, high=4096, unit="frames")
    span: Span = setting("windows", "clips of consecutive frames, or each over the whole video")
    canvas_hw: tuple[int, int] = canvas_setting()

    modality: ClassVar[DenseKind]
    """Name of the cube."""
    of_differences: ClassVar[bool] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.of_differences and self.length < 2:
            raise InputError(
                f"recipe {self.name}: differences need clips of 2 frames or more, got length=1; "
                "the nearest is --set length=2"
            )

    @property
    def draws_anew(self) -> bool:
        return self.draw == "train"

    @property
    def num_clips(self) -> int:
        """How many the cube holds, one after another."""
        return 1 if self.draws_anew else PA3D_CLIPS

    def configuration(self) -> dict[str, Any]:
        stored = super().configuration()
        if not self.draws_anew:  # stores that were made before it was a setting are the same
            del stored["settings"]["draw"]
        return stored

    def clip_frames(self, num_frames: int, rng: np.random.Generator) -> Int64:
        """(clips, T) numbers of the frames that the cube shows, of a clip of one frame or more."""
        if self.draws_anew:
            return pa3d_random_clip(num_frames, self.length, rng, self.span)[None]
        return pa3d_clips(num_frames, self.length, self.span)

    @abstractmethod
    def channels_of(self, target: Skeleton) -> dict[str, int]:
        """Names and sizes of the cube's dimensions between time and y."""

    @abstractmethod
    def cube(self, sample: Sample, frames: Int64) -> npt.NDArray[Any]:
        """The maps (F, ..., H, W) of `frames` (F,): float32 values, or stored already."""

    def storage(self) -> dict[str, Any]:
        """dtype and scale of the stored cube, where it is not one of differences.

        float16 suits values of either sign: zero, which is most of a map, is exact.
        """
        return {"dtype": "float16"}

    def outputs(self, target: Skeleton) -> tuple[OutputSpec, ...]:
        channels = self.channels_of(target)
        gaps = 1 if self.of_differences else 0
        num_frames = self.num_clips * (self.length - gaps)
        maps = OutputSpec(
            name=f"{self.modality[:-1]}_differences" if self.of_differences else self.modality,
            dims=("time", *channels, "y", "x"),
            shape=(num_frames, *channels.values(), *self.canvas_hw),
            **({"dtype": "float16"} if self.of_differences else self.storage()),
            description=f"{self.modality} of {self._clips_in_words}, uncropped",
        )
        index = frame_index_spec(time=num_frames)
        return maps, index, VALID_HW

    @property
    def _clips_in_words(self) -> str:
        return "a clip at random" if self.draws_anew else "ten clips, one after another"

    def render(self, sample: Sample, rng: np.random.Generator) -> Arrays:
        pose, valid_hw = sample.pose, valid_part(sample.pose, self.canvas_hw)
        beside: Arrays = {VALID_HW.name: valid_hw_array(valid_hw)}
        if pose.num_frames == 0:
            return beside
        frames = self.clip_frames(pose.num_frames, rng)
        cube = self.cube(sample, frames.reshape(-1))
        clear_outside(cube, valid_hw)
        name = self.outputs(get_skeleton(pose.skeleton))[0].name
        if self.of_differences:
            frames, cube = frames[:, 1:], differences(cube, self.length)
        return {name: cube, FRAME_INDEX: frames.reshape(-1), **beside}


@dataclass(frozen=True)
class DrawnCubeRecipe(CubeRecipe, SourceRecipe):
    """A cube drawn from triplets, of all people together or apart; or the estimator's own."""

    def dense_channels(self, target: Skeleton) -> dict[DenseKind, int]:
        if self.source != "dense":
            return {}
        (num_channels,) = self.channels_of(target).values()
        return {self.modality: num_channels}

    def cube(self, sample: Sample, frames: Int64) -> npt.NDArray[Any]:
        target = get_skeleton(sample.pose.skeleton)
        if self.source == "dense":
            (num_channels,) = self.dense_channels(target).values()
            maps = dense_maps_of(sample, self.modality, frames, num_channels)
            return scale_to_canvas(maps, valid_part(sample.pose, self.canvas_hw), self.canvas_hw)
        *groups, num_channels = self.channels_of(target).values()
        # Differences of quantised maps would have twice their error.
        dtype = "float32" if self.of_differences else self.storage()["dtype"]
        maps = np.zeros((*groups, num_channels, len(frames), *self.canvas_hw), dtype)
        by_group = maps.reshape(-1, *maps.shape[-4:])
        for part, out in zip(self.groups(sample), by_group, strict=True):
            self.draw_maps(place_on_canvas(part, self.canvas_hw, frames), target, out)
        return np.moveaxis(maps, -3, 0)

    @abstractmethod
    def draw_maps(self, placed: PlacedPoses, target: Skeleton, out: npt.NDArray[Any]) -> None:
        """Draw people on the canvas, of the skeleton `target`, into zeros (channels, F, H, W)."""


@dataclass(frozen=True)
class JointCubeRecipe(DrawnCubeRecipe, GaussianRecipe):
    """PA3D's J: joint maps of ten clips in temporal order.

    `joints` (time, keypoint, y, x), `frame_index`, `valid_hw`.
    """

    name: ClassVar[str] = "tempposeconv-j"
    version: ClassVar[int] = 2
    modality: ClassVar[DenseKind] = "joints"

    def channels_of(self, target: Skeleton) -> dict[str, int]:
        return {**self.group_sizes(), "keypoint": target.num_keypoints}

    def storage(self) -> dict[str, Any]:
        return GaussianRecipe.storage(self)

    def place_people(self, sample: Sample, rng: np.random.Generator) -> PlacedPoses:
        pose = sample.pose
        if pose.num_frames == 0:
            valid_hw = valid_part(pose, self.canvas_hw)
            num_frames = self.num_clips * self.length
            return place_nobody(num_frames, pose.num_keypoints, self.canvas_hw, valid_hw)
        frames = self.clip_frames(pose.num_frames, rng).reshape(-1)
        return place_on_canvas(pose, self.canvas_hw, frames)

    def draw_maps(
        self,
        placed: PlacedPoses,
        target: Skeleton,  # noqa: ARG002  (joints are numbered as they are)
        out: npt.NDArray[Any],
    ) -> None:
        draw_joints(placed.xy_px, placed.score, placed.frame_ptr, out, **self.gaussians())


@dataclass(frozen=True)
class PartCubeRecipe(DrawnCubeRecipe):
    """PA3D's P: part affinity fields of ten clips in temporal order.

    `parts` (time, part, y, x), x and y of each limb in turn, `frame_index`, `valid_hw`.
    """

    name: ClassVar[str] = "tempposeconv-p"
    version: ClassVar[int] = 1
    modality: ClassVar[DenseKind] = "parts"

    half_width: float = setting(
        1.0, "of a limb's support, from its axis", low=0.1, high=100.0, unit="px"
    )
    weighted: bool = setting(False, "vectors as long as the fainter joint's score, not of length 1")
    fields: int = setting(
        0,
        "limbs of the estimator's own fields, with source=dense; 0: the skeleton's",
        low=0,
        high=4096,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.fields and self.source != "dense":
            raise InputError(
                f"recipe {self.name}: fields={self.fields} tells of the estimator's own maps; set "
                "source=dense, too, or leave it out"
            )

    def configuration(self) -> dict[str, Any]:
        stored = super().configuration()
        if not self.fields:  # stores that were made before it was a setting are the same
            del stored["settings"]["fields"]
        return stored

    def channels_of(self, target: Skeleton) -> dict[str, int]:
        return {**self.group_sizes(), "part": 2 * (self.fields or len(target.limbs))}

    def draw_maps(self, placed: PlacedPoses, target: Skeleton, out: npt.NDArray[Any]) -> None:
        draw_part_fields(
            placed.xy_px,
            placed.score,
            placed.frame_ptr,
            target.limbs,
            out,
            half_width=self.half_width,
            weighted=self.weighted,
        )


@dataclass(frozen=True)
class FeatureCubeRecipe(CubeRecipe):
    """PA3D's F: features of the estimator's network of ten clips in temporal order.

    `features` (time, channel, y, x), `frame_index`, `valid_hw`. They do not
    know left from right, so they cannot be flipped.
    """

    name: ClassVar[str] = "tempposeconv-f"
    version: ClassVar[int] = 1
    modality: ClassVar[DenseKind] = "features"

    channels: int = setting(128, "of the features that were kept", low=1, high=4096)

    @property
    def requires(self) -> frozenset[Requirement]:
        return super().requires | {"dense"}

    def channels_of(self, target: Skeleton) -> dict[str, int]:  # noqa: ARG002  (of any skeleton)
        return {"channel": self.channels}

    def dense_channels(self, target: Skeleton) -> dict[DenseKind, int]:  # noqa: ARG002
        return {self.modality: self.channels}

    def cube(self, sample: Sample, frames: Int64) -> npt.NDArray[Any]:
        maps = dense_maps_of(sample, self.modality, frames, self.channels)
        return scale_to_canvas(maps, valid_part(sample.pose, self.canvas_hw), self.canvas_hw)


@dataclass(frozen=True)
class JointDifferencesRecipe(JointCubeRecipe):
    """PA3D's J difference: how joint maps change from frame to frame.

    `joint_differences` (time, keypoint, y, x), `frame_index`, `valid_hw`.
    """

    name: ClassVar[str] = "tempposeconv-jdiff"
    version: ClassVar[int] = 1
    of_differences: ClassVar[bool] = True


@dataclass(frozen=True)
class PartDifferencesRecipe(PartCubeRecipe):
    """PA3D's P difference: how part affinity fields change from frame to frame.

    `part_differences` (time, part, y, x), `frame_index`, `valid_hw`.
    """

    name: ClassVar[str] = "tempposeconv-pdiff"
    version: ClassVar[int] = 1
    of_differences: ClassVar[bool] = True


@dataclass(frozen=True)
class FeatureDifferencesRecipe(FeatureCubeRecipe):
    """PA3D's F difference: how features change from frame to frame.

    `feature_differences` (time, channel, y, x), `frame_index`, `valid_hw`.
    """

    name: ClassVar[str] = "tempposeconv-fdiff"
    version: ClassVar[int] = 1
    of_differences: ClassVar[bool] = True
