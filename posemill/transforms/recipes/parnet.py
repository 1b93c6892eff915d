"""PARNet's poses: four people in sixteen frames, in units of the picture that goes with them.

Cui et al., "Pose-Appearance Relational Modeling for Video Action Recognition",
sections III and IV; frames and crop are those of its pictures, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from posemill.errors import InputError
from posemill.schema import Float32, Int64, PoseSequence, Skeleton
from posemill.settings import setting
from posemill.transforms.clips import map_pose
from posemill.transforms.geometry import (
    Box,
    centre_crop_box,
    frame_box,
    map_to,
    random_crop_box,
    short_side_hw,
)
from posemill.transforms.outputs import OutputSpec
from posemill.transforms.people import padded_people
from posemill.transforms.recipes.base import Arrays, Recipe
from posemill.transforms.recipes.canvas import VALID_HW, valid_hw_array
from posemill.transforms.recipes.draws import DRAW_MEANING, Draw
from posemill.transforms.recipes.specs import (
    FRAME_INDEX,
    frame_index_spec,
    score_spec,
    stored_scores,
)
from posemill.transforms.sample import Sample
from posemill.transforms.sampling import bin_candidates, parnet_frames
from posemill.transforms.sequences import parnet_poses
from posemill.transforms.skeletons import PARNET_14


@dataclass(frozen=True)
class ParnetRecipe(Recipe):
    """PARNet: four people's joints in sixteen frames.

    `poses` (time, person, keypoint, space), x and y in [0, 1] inside the crop, and `frame_index`.

    * draw=test: the middle frame of each segment, in the centre crop;
    * draw=train: a random frame of each segment, in a random crop;
    * draw=cache: `poses` of several frames of each segment in px of the whole
      picture at its short side, `score`, and `valid_hw`. A loader draws with
      `sampling.pick_candidates`, crops with `geometry.random_crop_box` and
      ends with `sequences.parnet_poses`.
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
        if self.crop > self.short_side:
            raise InputError(
                f"recipe {self.name}: crop must be at most short_side={self.short_side} px, got "
                f"{self.crop}; the nearest is --set crop={self.short_side}"
            )

    @property
    def draws_anew(self) -> bool:
        return self.draw == "train"

    def outputs(self, target: Skeleton) -> tuple[OutputSpec, ...]:
        cached = self.draw == "cache"
        num_frames = self.length * (self.candidates if cached else 1)
        joints = {
            "time": num_frames,
            "person": self.max_people,
            "keypoint": target.num_keypoints,
        }
        where = f"px of the picture at short side {self.short_side}" if cached else "crops"
        poses = OutputSpec(
            name="poses",
            dims=(*joints, "space"),
            shape=(*joints.values(), 2),
            dtype="float32",
            description=f"x and y in {where}; missing joints and people are (0, 0)",
        )
        index = frame_index_spec(time=num_frames)
        if not cached:
            return poses, index
        score = score_spec(**joints)
        return poses, score, index, VALID_HW

    def render(self, sample: Sample, rng: np.random.Generator) -> Arrays:
        size_hw = short_side_hw(sample.pose.width, sample.pose.height, self.short_side)
        pose = map_pose(sample.pose, frame_box(sample.pose.width, sample.pose.height), size_hw)
        if pose.num_frames == 0:
            return (
                {VALID_HW.name: valid_hw_array((pose.height, pose.width))}
                if self.draw == "cache"
                else {}
            )
        if self.draw == "cache":
            return self._render_candidates(pose)
        fresh = rng if self.draw == "train" else None
        frames = parnet_frames(pose.num_frames, self.length, fresh)
        box = (
            centre_crop_box(pose.width, pose.height, self.crop)
            if fresh is None
            else random_crop_box(pose.width, pose.height, self.crop, fresh)
        )
        return {"poses": self._cropped(pose, frames, box), FRAME_INDEX: frames}

    def _cropped(self, pose: PoseSequence, frames: Int64, box: Box) -> Float32:
        people = padded_people(pose, frames, self.max_people)
        xy = map_to(people.xy_px, box, (self.crop, self.crop))
        return parnet_poses(xy, people.score, self.crop, num_people=self.max_people)

    def _render_candidates(self, pose: PoseSequence) -> Arrays:
        frames = bin_candidates(
            pose.num_frames, self.length, self.candidates, bins="floor"
        ).reshape(-1)
        people = padded_people(pose, frames, self.max_people)
        seen = people.score > 0
        return {
            "poses": np.where(seen[..., None], people.xy_px, np.float32(0.0)),
            "score": stored_scores(people.score),
            FRAME_INDEX: frames,
            VALID_HW.name: valid_hw_array((pose.height, pose.width)),
        }
