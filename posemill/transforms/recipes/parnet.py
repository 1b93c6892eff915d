"""PARNet's poses: four people in sixteen frames, in units of the picture that goes with them.

Cui et al., "Pose-Appearance Relational Modeling for Video Action Recognition",
sections III and IV; frames and crop are those of its pictures, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from posemill.errors import InputError
from posemill.schema import Float32, Int64, PoseSequence, Skeleton
from posemill.settings import setting
from posemill.transforms.clips import map_pose
from posemill.transforms.geometry import Box, frame_box, map_to, short_side_hw
from posemill.transforms.outputs import OutputSpec
from posemill.transforms.people import padded_people
from posemill.transforms.recipes.base import Arrays
from posemill.transforms.recipes.canvas import VALID_HW, valid_hw_array
from posemill.transforms.recipes.crops import check_crop, crop_box
from posemill.transforms.recipes.draws import DRAW_MEANING, Draw
from posemill.transforms.recipes.specs import (
    FRAME_INDEX,
    frame_index_spec,
    score_spec,
    stored_scores,
)
from posemill.transforms.recipes.views import ViewRecipe
from posemill.transforms.sample import Sample
from posemill.transforms.sampling import bin_candidates, parnet_frames, pick_candidates
from posemill.transforms.sequences import flip_parnet_poses, parnet_poses
from posemill.transforms.skeletons import PARNET_14


@dataclass(frozen=True)
class ParnetRecipe(ViewRecipe):
    """PARNet: four people's joints in sixteen frames.

    `poses` (time, person, keypoint, space), x and y in [0, 1] inside the crop, and `frame_index`.

    * draw=test: the middle frame of each segment, in the centre crop;
    * draw=train: a random frame of each segment, in a random crop;
    * draw=cache: `poses` of several frames of each segment in px of the whole
      picture at its short side, `score`, and `valid_hw`; drawn from and cropped at load.
    """

    name: ClassVar[str] = "parnet"
    version: ClassVar[int] = 1

    skeleton: str = setting(PARNET_14.name, "joints of the output, a skeleton's name or own")
    draw: Draw = setting("test", DRAW_MEANING)
    length: int = setting(16, "segments, and frames of a view", low=1, high=1024, unit="frames")
    max_people: int = setting(4, "the most present tracks", low=1, high=64, unit="people")
    short_side: int = setting(256, "of the picture before the crop", low=1, high=4096, unit="px")
    crop: int = setting(224, "side of the square crop", low=1, high=4096, unit="px")
    candidates: int = setting(5, "frames kept of a segment, with draw=cache", low=1, high=256)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.skeleton != PARNET_14.name:
            raise InputError(
                f"recipe {self.name}: skeleton must be {PARNET_14.name}, whose parts PARNet "
                f"encodes, got {self.skeleton}; leave the setting out"
            )
        check_crop(self.name, self.crop, self.short_side)

    @property
    def draws_anew(self) -> bool:
        return self.draw == "train"

    def outputs(self, target: Skeleton) -> tuple[OutputSpec, ...]:
        if self.draw != "cache":
            return *self.view_outputs(target), frame_index_spec(time=self.length)
        joints = self._joint_sizes(target, self.length * self.candidates)
        where = f"px of the picture at short side {self.short_side}"
        index = frame_index_spec(time=joints["time"])
        return self._poses_spec(joints, where), score_spec(**joints), index, VALID_HW

    def view_outputs(self, target: Skeleton) -> tuple[OutputSpec, ...]:
        return (self._poses_spec(self._joint_sizes(target, self.length), "crops"),)

    def render(self, sample: Sample, rng: np.random.Generator) -> Arrays:
        size_hw = self.picture_hw(sample.pose)
        pose = map_pose(sample.pose, frame_box(sample.pose.width, sample.pose.height), size_hw)
        cached = self.draw == "cache"
        beside: Arrays = {VALID_HW.name: valid_hw_array(size_hw)} if cached else {}
        if pose.num_frames == 0:
            return beside
        frames = self.frame_numbers(pose.num_frames, rng)
        people = padded_people(pose, frames, self.max_people)
        if cached:
            seen = people.score > 0
            poses = np.where(seen[..., None], people.xy_px, np.float32(0.0))
            beside |= {"score": stored_scores(people.score)}
        else:
            box = self.view_box(size_hw, rng if self.draws_anew else None)
            poses = self._cropped(people.xy_px, people.score, box)
        return {"poses": poses, FRAME_INDEX: frames, **beside}

    def draw_view(
        self, arrays: Arrays, target: Skeleton, rng: np.random.Generator, *, flip: float
    ) -> tuple[Arrays, bool]:
        self.require_training_views()
        view = {"poses": arrays["poses"]} if self.draws_anew else self._cut(arrays, rng)
        mirrored = bool(rng.random() < flip)
        return (self.mirror(view, target) if mirrored else view), mirrored

    def fixed_views(self, arrays: Arrays, target: Skeleton, *, mirrored: bool) -> Arrays:
        view = self._cut(arrays, None) if self.draw == "cache" else arrays
        names = [spec.name for spec in self.view_outputs(target)]
        views = {name: view[name][None] for name in names}
        return self.mirror(views, target) if mirrored else views

    def picture_hw(self, pose: PoseSequence) -> tuple[int, int]:
        """Height and width of the picture, of which a view is a crop."""
        return short_side_hw(pose.width, pose.height, self.short_side)

    def frame_numbers(self, num_frames: int, rng: np.random.Generator) -> Int64:
        """(time,): which frames are rendered, of a clip of one or more."""
        if self.draw == "cache":
            kept = bin_candidates(num_frames, self.length, self.candidates, bins="floor")
            return kept.reshape(-1)
        return parnet_frames(num_frames, self.length, rng if self.draws_anew else None)

    def view_box(self, picture_hw: tuple[int, int], rng: np.random.Generator | None) -> Box:
        """The square of the picture that a view shows; without a generator, in tests."""
        return crop_box(picture_hw, self.short_side, self.crop, rng)

    def cut(self, arrays: Arrays, picked: Int64, box: Box) -> Arrays:
        """The view of cached arrays that shows `box` of the picture in the frames `picked`."""
        return {"poses": self._cropped(arrays["poses"][picked], arrays["score"][picked], box)}

    def mirror(self, view: Arrays, target: Skeleton) -> Arrays:
        """A view, or several along a first dimension, as a mirror shows it."""
        return {"poses": flip_parnet_poses(view["poses"], target.mirror)}

    def _cut(self, arrays: Arrays, rng: np.random.Generator | None) -> Arrays:
        height, width = arrays[VALID_HW.name].tolist()
        picked = pick_candidates(self.length, self.candidates, rng)
        return self.cut(arrays, picked, self.view_box((height, width), rng))

    def _cropped(self, xy_px: Float32, score: npt.NDArray[Any], box: Box) -> Float32:
        xy = map_to(xy_px, box, (self.crop, self.crop))
        return parnet_poses(xy, score, self.crop, num_people=self.max_people)

    def _joint_sizes(self, target: Skeleton, num_frames: int) -> dict[str, int]:
        keypoints = target.num_keypoints
        return {"time": num_frames, "person": self.max_people, "keypoint": keypoints}

    def _poses_spec(self, joints: dict[str, int], where: str) -> OutputSpec:
        return OutputSpec(
            name="poses",
            dims=(*joints, "space"),
            shape=(*joints.values(), 2),
            dtype="float32",
            description=f"x and y in {where}; missing joints and people are (0, 0)",
        )
