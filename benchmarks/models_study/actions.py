"""Clips of made-up actions as an estimator would report them, straight from triplets.

Somebody acts before a hand-held camera, turned by up to 40 degrees; in some
clips a bystander stands beside. Every clip has its own generator, made of the
seed and the clip's id, and in it one for the actor, one for the bystander and
one for the camera: so a clip is the same whatever else is made, and its actor
is the same in every context. Bodies of train and test differ, see
`posemill.fixtures.body`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from models_study.motions import CLASSES, perform
from models_study.noise import Noise, observe
from posemill.fixtures.actions import stand
from posemill.fixtures.body import Subset, sample_body
from posemill.fixtures.camera import Camera
from posemill.fixtures.kinematics import Float64, PoseTrack, coco_joints, pose_body
from posemill.schema import PoseSequence
from posemill.transforms.seeding import clip_generator
from posemill.transforms.skeletons import COCO_17

SIZE_PX = 320
FRAMES = (40, 90)
FPS = 25.0
MAX_YAW = np.radians(40.0)
_FOCAL_PX = 1.6 * SIZE_PX
_TYPICAL_STATURE_M = 1.72


@dataclass(frozen=True, slots=True)
class Context:
    """Who else is in the picture."""

    bystander: float
    """Probability that somebody stands beside."""
    agrees: float
    """Probability that they stand on the class's side: in the picture left of the actor for the
    first class of a pair, right for the second."""


ALONE = Context(bystander=0.0, agrees=0.5)
PLAIN = Context(bystander=0.35, agrees=0.5)
MISLEADING = Context(bystander=1.0, agrees=0.9)
WITH_CUE, AGAINST_CUE = Context(bystander=1.0, agrees=1.0), Context(bystander=1.0, agrees=0.0)


@dataclass(frozen=True, slots=True)
class ActionClip:
    """Which clip: the number-th of a class in a subset."""

    subset: Subset
    label: int
    number: int

    @property
    def id(self) -> str:
        return f"{self.subset}/{CLASSES[self.label]}/{self.number:03d}"

    def generators(self, seed: int) -> list[np.random.Generator]:
        """Of the actor, the bystander and the camera."""
        return clip_generator(seed, f"made-up actions: {self.id}").spawn(3)


def action_clips(subset: Subset, per_class: int) -> list[ActionClip]:
    """As many clips of each class."""
    return [
        ActionClip(subset, label, number)
        for label in range(len(CLASSES))
        for number in range(per_class)
    ]


def make_poses(
    clip: ActionClip,
    seed: int,
    context: Context = PLAIN,
    noise: Noise | None = None,
    frames: tuple[int, int] = FRAMES,
) -> PoseSequence:
    """What is seen of a clip: of `frames`, least and most, with one or two people."""
    noise = noise or Noise()
    actor, bystander, camera = clip.generators(seed)
    stage = _Stage.draw(camera, frames)
    people = [_seen(actor, _actor(actor, clip, stage), stage, noise)]
    if bystander.random() < context.bystander:
        agrees = bystander.random() < context.agrees
        side = -1.0 if (clip.label % 2 == 0) == agrees else 1.0
        people.append(_seen(bystander, _bystander(bystander, clip, stage, side), stage, noise))
    if camera.random() < 0.5:  # a track's number tells nothing
        people.reverse()
    return _sequence(people)


def clean_actor(clip: ActionClip, seed: int, frames: tuple[int, int] = FRAMES) -> Float64:
    """Joints (T, 17, 2) in px of who acts in `make_poses`, without any error."""
    actor, _, camera = clip.generators(seed)
    stage = _Stage.draw(camera, frames)
    return stage.project(_actor(actor, clip, stage))


@dataclass(frozen=True, slots=True)
class _Stage:
    """A camera that drifts, and where the actor stands before it."""

    camera: Camera
    num_frames: int
    actor_m: Float64  # (3,)

    @classmethod
    def draw(cls, rng: np.random.Generator, frames: tuple[int, int]) -> _Stage:
        num_frames = int(rng.integers(frames[0], frames[1] + 1))
        pan = np.linspace(-0.5, 0.5, num_frames)[:, None] * rng.uniform(-0.06, 0.06, 2) * SIZE_PX
        shake = np.cumsum(rng.normal(0.0, 0.001 * SIZE_PX, (num_frames, 2)), axis=0)
        camera = Camera(
            focal_px=_FOCAL_PX,
            height_m=rng.uniform(0.95, 1.15),
            pitch=rng.uniform(-0.04, 0.08),
            roll=rng.uniform(-0.04, 0.04),
            principal_xy_px=pan + shake + (SIZE_PX - 1) / 2,
        )
        share_of_height = rng.uniform(0.55, 0.7)
        depth = _FOCAL_PX * _TYPICAL_STATURE_M / (share_of_height * SIZE_PX)
        return cls(camera, num_frames, np.array([rng.uniform(-0.15, 0.15), 0.0, -depth]))

    def project(self, world_xyz_m: Float64) -> Float64:
        return self.camera.project(self.camera.to_camera(world_xyz_m))


def _actor(rng: np.random.Generator, clip: ActionClip, stage: _Stage) -> Float64:
    """Joints (T, 17, 3) of who acts, in the world."""
    track = perform(rng, clip.label, stage.num_frames)
    return _turned(rng, track, clip.subset) + stage.actor_m


def _bystander(rng: np.random.Generator, clip: ActionClip, stage: _Stage, side: float) -> Float64:
    """Joints (T, 17, 3) of somebody who stands a metre to the `side`, -1 left, of the actor."""
    beside = np.array([side * rng.uniform(0.8, 1.05), 0.0, rng.uniform(-0.5, 0.3)])
    joints = _turned(rng, stand(rng, stage.num_frames), clip.subset)
    return np.asarray(joints + stage.actor_m + beside)


def _turned(rng: np.random.Generator, track: PoseTrack, subset: Subset) -> Float64:
    """The joints (T, 17, 3) of a random body that moves along `track`, by up to MAX_YAW aside."""
    body = sample_body(rng, subset)
    track = replace(track, heading=track.heading + rng.uniform(-MAX_YAW, MAX_YAW))
    return coco_joints(pose_body(track, body), body)


def _seen(
    rng: np.random.Generator, world_xyz_m: Float64, stage: _Stage, noise: Noise
) -> tuple[Float64, Float64]:
    height_px = _FOCAL_PX * _TYPICAL_STATURE_M / -stage.actor_m[2]
    return observe(rng, stage.project(world_xyz_m), float(height_px), noise)


def _sequence(people: list[tuple[Float64, Float64]]) -> PoseSequence:
    """Rows ordered by frame, then by person."""
    xy_px = np.stack([xy for xy, _ in people], axis=1)  # (T, M, 17, 2)
    score = np.stack([score for _, score in people], axis=1)
    num_frames, num_people = xy_px.shape[:2]
    return PoseSequence(
        skeleton=COCO_17.name,
        xy_px=xy_px.reshape(-1, 17, 2).astype(np.float32),
        score=score.reshape(-1, 17).astype(np.float32),
        frame=np.repeat(np.arange(num_frames), num_people),
        slot=np.tile(np.arange(num_people), num_frames),
        pts_seconds=np.arange(num_frames) / FPS,
        width=SIZE_PX,
        height=SIZE_PX,
        frames_declared=num_frames,
    )
