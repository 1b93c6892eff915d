"""Sequences for graph networks: joints or bones, where they are or how they move.

In the layout of ST-GCN (Yan et al., AAAI 2018), as the four streams of Shi et
al. (Multi-Stream Adaptive Graph Convolutional Networks, TIP 2020), but for one
thing: bones are those of the skeleton's limbs, L of them, where they take one
for each joint of a tree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from posemill.schema import Float32, Int64, PoseSequence, Skeleton
from posemill.settings import setting
from posemill.transforms.outputs import OutputSpec
from posemill.transforms.people import padded_people
from posemill.transforms.recipes.base import Arrays, Recipe
from posemill.transforms.recipes.draws import DRAW_MEANING, Draw
from posemill.transforms.recipes.specs import FRAME_INDEX, frame_index_spec, require_xyz
from posemill.transforms.sample import Requirement, Sample
from posemill.transforms.sampling import uniform_clip, uniform_test_clips
from posemill.transforms.seeding import view_generators
from posemill.transforms.sequences import (
    bones,
    graph_sequence,
    motion,
    normalise_2d,
    normalise_3d,
)
from posemill.transforms.skeletons import get_skeleton

Stream = Literal["joint", "bone", "joint-motion", "bone-motion"]


@dataclass(frozen=True)
class GraphSequenceRecipe(Recipe):
    """Joints, bones or their motion, in the layout of graph networks.

    `sequence` (view, channel, time, keypoint or limb, person), and `frame_index`
    (view, time). Channels are x, y and score of 2-D poses, in [-1, 1] over the frame; or x, y
    and z of 3-D poses, around the first root and in torso lengths. Motion is
    that to the next frame of the video, whatever frames are sampled.

    * draw=test: the fixed clips of uniform sampling;
    * draw=cache and draw=train: random clips, of which a cache keeps several.
    """

    name: ClassVar[str] = "graph-sequence"
    version: ClassVar[int] = 1

    draw: Draw = setting("test", DRAW_MEANING)
    space: Literal["2d", "3d"] = setting("2d", "x, y and score; or x, y, z, where poses have it")
    stream: Stream = setting("joint", "what is told of the body")
    length: int = setting(100, "frames in a view, T", low=1, high=4096, unit="frames")
    views: int = setting(1, "clips drawn from the video", low=1, high=64, unit="views")
    max_people: int = setting(2, "the most present tracks", low=1, high=64, unit="people")

    @property
    def requires(self) -> frozenset[Requirement]:
        return super().requires | ({"pose3d"} if self.space == "3d" else set())

    @property
    def draws_anew(self) -> bool:
        return self.draw == "train"

    def outputs(self, target: Skeleton) -> tuple[OutputSpec, ...]:
        of_bones = self.stream.startswith("bone")
        sizes = {
            "view": self.views,
            "channel": 3,
            "time": self.length,
            "limb" if of_bones else "keypoint": (
                len(target.limbs) if of_bones else target.num_keypoints
            ),
            "person": self.max_people,
        }
        sequence = OutputSpec(
            name="sequence",
            dims=tuple(sizes),
            shape=tuple(sizes.values()),
            dtype="float32",
            description=f"{self.stream} stream, {self.space}; what is missing is 0",
        )
        return sequence, frame_index_spec(view=self.views, time=self.length)

    def render(self, sample: Sample, rng: np.random.Generator) -> Arrays:
        pose = sample.pose
        if pose.num_frames == 0:
            return {}
        frames = self._frames(pose.num_frames, rng)
        positions, score = self._stream(pose)
        views = [graph_sequence(positions[clip], score[clip]) for clip in frames]
        return {"sequence": np.stack(views), FRAME_INDEX: frames}

    def _frames(self, num_frames: int, rng: np.random.Generator) -> Int64:
        if self.draw == "test":
            return uniform_test_clips(num_frames, self.length, self.views, rng)
        generators = view_generators(rng, self.views)
        return np.stack([uniform_clip(num_frames, self.length, each) for each in generators])

    def _stream(self, pose: PoseSequence) -> tuple[Float32, Float32]:
        """Of all frames (F, M, K or L, D), with their scores."""
        skeleton = get_skeleton(pose.skeleton)
        positions, score = self._normalised(pose, skeleton)
        if self.stream.startswith("bone"):
            positions, score = bones(positions, score, skeleton)
        return motion(positions, score) if self.stream.endswith("motion") else (positions, score)

    def _normalised(self, pose: PoseSequence, skeleton: Skeleton) -> tuple[Float32, Float32]:
        people = padded_people(pose, np.arange(pose.num_frames), self.max_people)
        if self.space == "2d":
            flat = normalise_2d(people.xy_px, people.score, pose.width, pose.height)
            return flat, people.score
        xyz = require_xyz(self.name, people.xyz_m)
        return normalise_3d(xyz, people.score, skeleton), people.score
