"""VPN's pose tensors: the first person's joints in t_p frames.

Das et al., "VPN: Learning Video-Pose Embedding for Activities of Daily
Living", ECCV 2020, section 3.1 and 4.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from posemill.schema import Float32, Int64, PoseSequence, Skeleton
from posemill.settings import setting
from posemill.transforms.outputs import OutputSpec
from posemill.transforms.people import padded_people
from posemill.transforms.recipes.base import Arrays
from posemill.transforms.recipes.draws import DRAW_MEANING, Draw
from posemill.transforms.recipes.specs import (
    FRAME_INDEX,
    frame_index_spec,
    require_xyz,
    score_spec,
    stored_scores,
)
from posemill.transforms.recipes.views import ViewRecipe
from posemill.transforms.sample import Requirement, Sample
from posemill.transforms.sampling import bin_candidates, pick_candidates, vpn_frames
from posemill.transforms.sequences import flip_vpn_poses, vpn_poses, vpn_root
from posemill.transforms.skeletons import get_skeleton


@dataclass(frozen=True)
class VpnPoseRecipe(ViewRecipe):
    """VPN: one person's joints around the root of the first frame.

    `poses` (space, keypoint, time), x, y and z of the most present track, and `frame_index`.

    * draw=test: the middle frame of each of t_p equal chunks;
    * draw=train: a random one of each;
    * draw=cache: `poses` (time, keypoint, space) of several frames of each chunk,
      not centred yet, and `score`; drawn from and centred at load.

    2-D poses are in units of the frame's height, and their z is 0.
    """

    name: ClassVar[str] = "vpn-pose"
    version: ClassVar[int] = 1

    draw: Draw = setting("test", DRAW_MEANING)
    space: Literal["2d", "3d"] = setting("2d", "pixels with z = 0, or true positions in metres")
    length: int = setting(20, "chunks of the video, t_p", low=1, high=4096, unit="frames")
    candidates: int = setting(5, "frames kept of a chunk, with draw=cache", low=1, high=256)

    @property
    def requires(self) -> frozenset[Requirement]:
        return super().requires | ({"pose3d"} if self.space == "3d" else set())

    @property
    def draws_anew(self) -> bool:
        return self.draw == "train"

    def outputs(self, target: Skeleton) -> tuple[OutputSpec, ...]:
        if self.draw != "cache":
            return self._view_spec(target), frame_index_spec(time=self.length)
        sizes = {"time": self.length * self.candidates, "keypoint": target.num_keypoints}
        poses = self._poses_spec({**sizes, "space": 3}, "")
        return poses, score_spec(**sizes), frame_index_spec(time=sizes["time"])

    def view_outputs(self, target: Skeleton) -> tuple[OutputSpec, ...]:
        return (self._view_spec(target),)

    def render(self, sample: Sample, rng: np.random.Generator) -> Arrays:
        pose = sample.pose
        if pose.num_frames == 0:
            return {}
        if self.draw == "cache":
            frames = bin_candidates(pose.num_frames, self.length, self.candidates).reshape(-1)
            xyz, score = self._first_person(pose, frames)
            return {"poses": xyz, "score": stored_scores(score), FRAME_INDEX: frames}
        frames = vpn_frames(pose.num_frames, self.length, rng if self.draws_anew else None)
        xyz, score = self._first_person(pose, frames)
        root = vpn_root(get_skeleton(pose.skeleton))
        return {"poses": vpn_poses(xyz, score, root), FRAME_INDEX: frames}

    def draw_view(
        self, arrays: Arrays, target: Skeleton, rng: np.random.Generator, *, flip: float
    ) -> tuple[Arrays, bool]:
        self.require_training_views()
        poses = self.view_poses(arrays, target, rng)
        mirrored = bool(rng.random() < flip)
        return {"poses": flip_vpn_poses(poses, target.mirror) if mirrored else poses}, mirrored

    def fixed_views(self, arrays: Arrays, target: Skeleton, *, mirrored: bool) -> Arrays:
        poses = self.view_poses(arrays, target, None)[None]
        return {"poses": flip_vpn_poses(poses, target.mirror) if mirrored else poses}

    def view_poses(
        self, arrays: Arrays, target: Skeleton, rng: np.random.Generator | None
    ) -> Float32:
        """(3, K, t_p): drawn of what is cached, without a generator as in tests; else as stored."""
        poses: Float32 = arrays["poses"]
        if self.draw != "cache":
            return poses
        picked = pick_candidates(self.length, self.candidates, rng)
        return vpn_poses(poses[picked], arrays["score"][picked], vpn_root(target))

    def _first_person(self, pose: PoseSequence, frames: Int64) -> tuple[Float32, Float32]:
        """(T, K, 3) and scores (T, K), zeros where a joint is missing."""
        people = padded_people(pose, frames, max_people=1)
        score = people.score[:, 0]
        if self.space == "3d":
            xyz = require_xyz(self.name, people.xyz_m)[:, 0]
        else:
            flat = people.xy_px[:, 0] / np.float32(pose.height)
            xyz = np.concatenate([flat, np.zeros((*flat.shape[:-1], 1), np.float32)], axis=-1)
        return np.where(score[..., None] > 0, xyz, np.float32(0.0)), score

    def _view_spec(self, target: Skeleton) -> OutputSpec:
        sizes = {"space": 3, "keypoint": target.num_keypoints, "time": self.length}
        return self._poses_spec(sizes, ", less the first frame's root")

    def _poses_spec(self, sizes: dict[str, int], root: str) -> OutputSpec:
        unit = "metres" if self.space == "3d" else "frame heights"
        return OutputSpec(
            name="poses",
            dims=tuple(sizes),
            shape=tuple(sizes.values()),
            dtype="float32",
            description=f"x, y, z of the most present person in {unit}{root}; missing joints are 0",
        )
