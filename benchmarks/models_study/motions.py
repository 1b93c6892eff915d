"""Twelve made-up actions in six pairs, as joint angles; a pair differs in one factor.

| pair | classes | the factor |
|---|---|---|
| sit | sit down, stand up | direction of time |
| order | raise an arm then kick, kick then raise | order of two movements |
| wave | forearm waves, straight arm sways | which joint bends |
| squat | two squats, four | count (and speed), in the same time |
| pump | two arm pumps, four and a half | count, in the same time |
| hold | an arm is held, it swings about there | whether it moves |

Everything else is drawn from the same distributions in both classes of a pair.
The acting side is the left here; `perform` takes either with equal chance.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from posemill.fixtures.actions import bump, phases, sit_down, stand, sway
from posemill.fixtures.kinematics import Float64, PoseTrack

LEFT = 0
ABDUCTION, _FLEXION, _OUTWARD, ELBOW = range(4)


def sit_or_stand(rng: np.random.Generator, num_frames: int, second: bool) -> PoseTrack:
    """Sitting down, or the same backwards."""
    track = replace(sit_down(rng, num_frames), arms=_hanging_arms(rng, num_frames))
    return track.backwards() if second else track


def raise_and_kick(rng: np.random.Generator, num_frames: int, second: bool) -> PoseTrack:
    """An arm goes up and down in one half, a leg in the other; `second` kicks first."""
    starts = rng.uniform(0.02, 0.1), rng.uniform(0.5, 0.58)
    arm_start, leg_start = starts[::-1] if second else starts
    length, phase, track = rng.uniform(0.36, 0.42), phases(num_frames), _upright(rng, num_frames)
    up = bump(phase, arm_start, arm_start + length, rng.uniform(1.4, 2.0))
    kick = bump(phase, leg_start, leg_start + length, rng.uniform(1.4, 2.0))
    high = np.radians(rng.uniform([125, -10, -10, 5], [165, 12, 30, 30]))
    legs = track.legs.copy()
    legs[:, LEFT, 0] += np.radians(rng.uniform(55, 85)) * kick
    legs[:, LEFT, 1] += np.radians(rng.uniform(5, 20)) * kick
    legs[:, LEFT, 2] += np.radians(rng.uniform(5, 25)) * kick
    support = np.tile([0.0, 1.0], (num_frames, 1))
    return _move_arm(replace(track, legs=legs, support=support), high, up)


def wave_or_sway(rng: np.random.Generator, num_frames: int, second: bool) -> PoseTrack:
    """The hand of an arm held sideways swings, from the elbow or, `second`, from the shoulder."""
    swing = np.radians(rng.uniform(24, 36)) * _swings(rng, num_frames)
    aside = np.radians(rng.uniform([75, -10, 75, 5], [105, 15, 100, 15]))
    angles = np.tile(aside, (num_frames, 1))
    raised = np.radians(rng.uniform(30, 40))  # mean direction of what swings, above the rest
    angles[:, ABDUCTION if second else ELBOW] += raised + swing
    return _move_arm(_upright(rng, num_frames), angles, np.ones(num_frames))


def squat(rng: np.random.Generator, num_frames: int, second: bool) -> PoseTrack:
    """Two squats or, `second`, four."""
    track, down = _upright(rng, num_frames), _repeats(rng, num_frames, 4.0 if second else 2.0)
    flexion = np.radians(rng.uniform(50, 75)) * down
    legs, torso, arms = track.legs.copy(), track.torso.copy(), track.arms.copy()
    legs[:, :, 0] += flexion[:, None]
    legs[:, :, 2] += 1.8 * flexion[:, None]
    torso[:, 0] += 0.4 * flexion
    arms[:, :, 1] += rng.uniform(0.0, 0.9) * flexion[:, None]
    return replace(track, legs=legs, torso=torso, arms=arms)


def pump(rng: np.random.Generator, num_frames: int, second: bool) -> PoseTrack:
    """A bent arm is stretched upwards twice or, `second`, four times and a half."""
    up = _repeats(rng, num_frames, 4.5 if second else 2.0)
    bent = np.radians(rng.uniform([60, -10, 75, 85], [80, 15, 95, 110]))
    high = np.radians(rng.uniform([140, -10, 75, 5], [165, 15, 95, 20]))
    angles = bent + up[:, None] * (high - bent)
    return _move_arm(_upright(rng, num_frames), angles, np.ones(num_frames))


def hold_or_oscillate(rng: np.random.Generator, num_frames: int, second: bool) -> PoseTrack:
    """An arm is held somewhere or, `second`, swings about there from the shoulder."""
    angles = np.tile(np.radians(rng.uniform([60, -10, -10, 5], [130, 15, 30, 40])), (num_frames, 1))
    swing = np.radians(rng.uniform(14, 24)) * _swings(rng, num_frames)
    angles[:, ABDUCTION] += swing if second else 0.0
    return _move_arm(_upright(rng, num_frames), angles, np.ones(num_frames))


@dataclass(frozen=True, slots=True)
class Pair:
    """Two classes that differ in one factor."""

    name: str
    classes: tuple[str, str]
    motion: Callable[[np.random.Generator, int, bool], PoseTrack]
    """Of a generator, frames, and whether it is the second class."""


PAIRS: tuple[Pair, ...] = (
    Pair("sit", ("sit_down", "stand_up"), sit_or_stand),
    Pair("order", ("raise_then_kick", "kick_then_raise"), raise_and_kick),
    Pair("wave", ("forearm_wave", "straight_arm_sway"), wave_or_sway),
    Pair("squat", ("squat_2", "squat_4"), squat),
    Pair("pump", ("pump_2", "pump_4_5"), pump),
    Pair("hold", ("hold", "oscillate"), hold_or_oscillate),
)
CLASSES: tuple[str, ...] = tuple(name for pair in PAIRS for name in pair.classes)


def perform(rng: np.random.Generator, label: int, num_frames: int) -> PoseTrack:
    """A performance of class number `label`, by the left or the right side."""
    number, second = divmod(label, 2)
    track = PAIRS[number].motion(rng, num_frames, bool(second))
    return track.mirrored() if rng.random() < 0.5 else track


def _upright(rng: np.random.Generator, num_frames: int) -> PoseTrack:
    return replace(stand(rng, num_frames), arms=_hanging_arms(rng, num_frames))


def _hanging_arms(rng: np.random.Generator, num_frames: int) -> Float64:
    """Both arms (T, 2, 4) down, in radians, and their sway."""
    low = rng.uniform([4, -12, -15, 4], [20, 15, 25, 35], (2, 4))
    return np.radians(low) + sway(rng, num_frames, (2, 4), np.radians(2.5))


def _move_arm(track: PoseTrack, target: Float64, amount: Float64) -> PoseTrack:
    """The acting arm moved towards `target` (..., 4) radians by `amount` (T,), with its sway."""
    arms, wobble = track.arms.copy(), track.arms[:, LEFT] - track.arms[:, LEFT].mean(axis=0)
    arms[:, LEFT] += amount[:, None] * (target + wobble - arms[:, LEFT])
    return replace(track, arms=arms)


def _swings(rng: np.random.Generator, num_frames: int) -> Float64:
    """(T,) in [-1, 1]: 2.5 to 4 swings from any phase on."""
    cycles, offset = rng.uniform(2.5, 4.0), rng.uniform(0.0, 2 * np.pi)
    return np.sin(2 * np.pi * cycles * phases(num_frames) + offset)


def _repeats(rng: np.random.Generator, num_frames: int, count: float) -> Float64:
    """(T,) in [0, 1]: up and down `count` times in nearly the whole clip; a half ends up."""
    start, stop = rng.uniform(0.0, 0.08), rng.uniform(0.92, 1.0)
    along = np.clip((phases(num_frames) - start) / (stop - start), 0.0, 1.0)
    return 0.5 - 0.5 * np.cos(2 * np.pi * count * along)
