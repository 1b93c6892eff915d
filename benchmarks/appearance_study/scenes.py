"""Clips of four classes that neither pictures nor poses alone can tell apart.

| class | object | motion |
|---|---|---|
| red | red | a forearm waves |
| blue | blue | a forearm waves |
| sit down | grey | sitting down |
| stand up | grey | the same, backwards |

The pictures show the object, two others of other colours and noise, and nobody:
all that they tell of the class is the object's colour. The poses of `red` and of
`blue` come of one call with no more than a number, and those of `stand up` are
poses of `sit down`, errors and all, played backwards; the object lies still, in the
box of all joints of the clip, which has no direction of time. So who knows the one
alone is right for two classes and guesses between the other two: 3 of 4 clips.
Recipes that crop by the poses add nothing to that as long as the crop is that of
all frames, or of frames drawn evenly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from models_study.actions import ALONE, SIZE_PX, ActionClip, clean_actor, make_poses
from models_study.motions import CLASSES as ACTIONS

from posemill.fixtures.body import Subset
from posemill.fixtures.kinematics import Float64
from posemill.schema import PoseSequence, UInt8
from posemill.transforms.sample import Pictures
from posemill.transforms.seeding import clip_generator

CLASSES = ("red", "blue", "sit_down", "stand_up")
BY_COLOUR, BY_MOTION = CLASSES[:2], CLASSES[2:]
FRAMES = 48
PICTURE_PX = 64
RADIUS_PX = 24.0
"""Of every object, in px of the poses."""
_APART_PX = 2 * RADIUS_PX + 2 * SIZE_PX / PICTURE_PX
"""Of the centres of two objects: two pixels of a picture lie between."""

Rgb = tuple[int, int, int]
_RED, _BLUE, _GREY = (200, 50, 50), (50, 50, 200), (125, 125, 125)
_COLOURS = dict(zip(CLASSES, (_RED, _BLUE, _GREY, _GREY), strict=True))
_OTHERS: tuple[Rgb, ...] = ((50, 170, 50), (190, 180, 50))
_WAVE, _SIT = ACTIONS.index("forearm_wave"), ACTIONS.index("sit_down")
_FRAME_RANGE = (FRAMES, FRAMES)


@dataclass(frozen=True, slots=True)
class SceneClip:
    """Which clip: the number-th of a class in a subset."""

    subset: Subset
    label: int
    number: int

    @property
    def id(self) -> str:
        return f"{self.subset}/{CLASSES[self.label]}/{self.number:03d}"

    @property
    def performance(self) -> ActionClip:
        """The clip's own: both classes of a pair take turns."""
        motion = _WAVE if CLASSES[self.label] in BY_COLOUR else _SIT
        return ActionClip(self.subset, motion, 2 * self.number + self.label % 2)


@dataclass(frozen=True, slots=True)
class Scene:
    """What is there of a clip."""

    pose: PoseSequence
    """Of one person, as an estimator would report them."""
    pictures: Pictures
    """Of every frame, 64 x 64 px."""
    place_px: Float64
    """(2,): where the object's centre is, in px of the poses."""


def scene_clips(subset: Subset, per_class: int) -> list[SceneClip]:
    """As many clips of each class."""
    return [
        SceneClip(subset, label, number)
        for label in range(len(CLASSES))
        for number in range(per_class)
    ]


def make_scene(clip: SceneClip, seed: int) -> Scene:
    """The poses and pictures of a clip, the same whatever else is made."""
    return stage_scene(CLASSES[clip.label], clip.performance, seed)


def stage_scene(name: str, performance: ActionClip, seed: int) -> Scene:
    """A performance of the motion of class `name`, and pictures that go with the class."""
    rng = clip_generator(seed, f"objects: {performance.id}")
    pose = make_poses(performance, seed, ALONE, frames=_FRAME_RANGE)
    place_px = _place_in(rng, clean_actor(performance, seed, _FRAME_RANGE))
    rgb = _pictures(rng, place_px, _COLOURS[name])
    shown = Pictures(np.arange(FRAMES), rgb)
    return Scene(_backwards(pose) if name == "stand_up" else pose, shown, place_px)


def clean_joints(clip: SceneClip, seed: int) -> Float64:
    """(T, 17, 2) in px, without any error."""
    joints = clean_actor(clip.performance, seed, _FRAME_RANGE)
    return joints[::-1] if CLASSES[clip.label] == "stand_up" else joints


def disc(place_px: Float64) -> npt.NDArray[np.bool_]:
    """(64, 64): the pixels of a picture that show an object at `place_px`."""
    scale = PICTURE_PX / SIZE_PX
    x, y = (place_px + 0.5) * scale - 0.5
    rows, columns = np.ogrid[:PICTURE_PX, :PICTURE_PX]
    inside: npt.NDArray[np.bool_] = np.hypot(columns - x, rows - y) <= RADIUS_PX * scale
    return inside


def _backwards(pose: PoseSequence) -> PoseSequence:
    """The same poses of the one person, the last one first."""
    return replace(pose, xy_px=pose.xy_px[::-1].copy(), score=pose.score[::-1].copy())


def _place_in(rng: np.random.Generator, joints_px: Float64) -> Float64:
    """Anywhere in the box of all joints (T, 17, 2) of a clip, and whole in the frame."""
    low, high = joints_px.min(axis=(0, 1)) + RADIUS_PX, joints_px.max(axis=(0, 1)) - RADIUS_PX
    place = low + rng.random(2) * np.maximum(high - low, 0.0)
    return np.asarray(np.clip(place, RADIUS_PX, SIZE_PX - 1 - RADIUS_PX))


def _pictures(rng: np.random.Generator, place_px: Float64, colour: Rgb) -> UInt8:
    """(T, 64, 64, 3): the object and the others before noise that stays, under noise that does
    not."""
    still = rng.normal(125.0, 40.0, (PICTURE_PX, PICTURE_PX, 3))
    places = [place_px]
    for other in _OTHERS:
        places.append(_place_apart(rng, places))
        still[disc(places[-1])] = other + rng.normal(0.0, 15.0, 3)
    still[disc(place_px)] = colour + rng.normal(0.0, 15.0, 3)
    noise = rng.standard_normal((FRAMES, *still.shape), dtype=np.float32)
    noisy = np.rint(still.astype(np.float32) + np.float32(20.0) * noise)
    return np.clip(noisy, 0.0, 255.0).astype(np.uint8)


def _place_apart(rng: np.random.Generator, taken: list[Float64]) -> Float64:
    """A place in the frame where an object covers none of those that are there."""
    while True:
        place = rng.uniform(RADIUS_PX, SIZE_PX - 1 - RADIUS_PX, 2)
        if all(np.hypot(*(place - each)) > _APART_PX for each in taken):
            return np.asarray(place)
