"""Whose joints a map shows: everybody's, one person's, or a labelled one's beside the others'."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from posemill.schema import Float32, Int64, PoseSequence, TimedBox

People = Literal["all", "each", "box"]


class PaddedPeople(NamedTuple):
    """The joints of M tracks in T frames; who is absent has scores of 0 and coordinates of 0."""

    xy_px: Float32  # (T, M, K, 2)
    score: Float32  # (T, M, K)
    xyz_m: Float32 | None  # (T, M, K, 3)


def split_people(
    pose: PoseSequence, people: People, max_people: int, boxes: Sequence[TimedBox] = ()
) -> tuple[PoseSequence, ...]:
    """The poses that each group of maps shows; every part keeps all frames.

    * `all`: everybody together, one part;
    * `each`: `max_people` parts, one for each of the first tracks (`track_order`),
      empty where there are fewer;
    * `box`: the person of `boxes` (`boxed_track`) and all others, two parts,
      as JMRN takes AVA (its supplement).

    Raises:
        ValueError: an unknown `people`, or `max_people` below 1.
    """
    if max_people < 1:
        raise ValueError(f"max_people must be 1 or more, got {max_people}")
    if people == "all":
        return (pose,)
    if people == "each":
        slots = track_order(pose)[:max_people]
        return tuple(
            keep_rows(pose, pose.slot == (slots[m] if m < len(slots) else -1))
            for m in range(max_people)
        )
    if people == "box":
        labelled = pose.slot == boxed_track(pose, boxes)
        return keep_rows(pose, labelled), keep_rows(pose, ~labelled)
    raise ValueError(f"people must be 'all', 'each' or 'box', got {people!r}")


def keep_rows(pose: PoseSequence, rows: npt.NDArray[np.bool_] | Int64) -> PoseSequence:
    """`pose` with only some of its rows, by a mask (P,) or their numbers; all frames stay."""
    return replace(
        pose,
        xy_px=pose.xy_px[rows],
        score=pose.score[rows],
        frame=pose.frame[rows],
        slot=pose.slot[rows],
        xyz_m=None if pose.xyz_m is None else pose.xyz_m[rows],
    )


def track_order(pose: PoseSequence) -> Int64:
    """The slots of all tracks, the greatest sum of joint scores over the clip first.

    So somebody who is seen clearly and long comes before a passer-by. Equal
    sums go by the number of the slot.
    """
    slots, number = np.unique(pose.slot, return_inverse=True)
    weight = np.bincount(number, pose.score.sum(axis=1, dtype=np.float64), len(slots))
    return slots[np.argsort(-weight, kind="stable")].astype(np.int64)


def boxed_track(pose: PoseSequence, boxes: Sequence[TimedBox]) -> int:
    """The slot of the track that overlaps `boxes` most, or -1 where none does.

    Each box is compared, by intersection over union, with the extents of the
    detected joints of every person in the frame nearest in time.
    """
    overlap: dict[int, float] = {}
    for box in boxes:
        if pose.num_frames == 0:
            break
        frame = int(np.abs(pose.pts_seconds - box.seconds).argmin())
        for row in range(*pose.frame_ptr[frame : frame + 2]):
            shared = _overlap(pose.xy_px[row], pose.score[row], _pixels(box, pose))
            slot = int(pose.slot[row])
            overlap[slot] = overlap.get(slot, 0.0) + shared
    best = max(overlap, key=lambda slot: overlap[slot], default=-1)
    return best if overlap.get(best, 0.0) > 0.0 else -1


def padded_people(
    pose: PoseSequence, frames: npt.NDArray[np.integer], max_people: int
) -> PaddedPeople:
    """The joints of the first `max_people` tracks (`track_order`) in `frames` (T,), in that order.

    Raises:
        ValueError: `max_people` below 1.
        IndexError: a frame that the clip does not have.
    """
    if max_people < 1:
        raise ValueError(f"max_people must be 1 or more, got {max_people}")
    slots = track_order(pose)[:max_people]
    row_of = np.full((pose.num_frames, max_people), -1, np.int64)
    for m, slot in enumerate(slots):
        rows = np.flatnonzero(pose.slot == slot)
        row_of[pose.frame[rows], m] = rows
    row_of = row_of[frames]  # (T, M)
    return PaddedPeople(
        xy_px=_padded(pose.xy_px, row_of),
        score=_padded(pose.score, row_of),
        xyz_m=None if pose.xyz_m is None else _padded(pose.xyz_m, row_of),
    )


def _padded(values: Float32, row_of: Int64) -> Float32:
    out = np.zeros((*row_of.shape, *values.shape[1:]), np.float32)
    there = row_of >= 0
    out[there] = values[row_of[there]]
    return out


class _Extents(NamedTuple):
    left: float
    top: float
    right: float
    bottom: float

    @property
    def area(self) -> float:
        return max(self.right - self.left, 0.0) * max(self.bottom - self.top, 0.0)


def _pixels(box: TimedBox, pose: PoseSequence) -> _Extents:
    # Fractions count from the picture's edge, half a pixel before the first centre.
    width, height = pose.width, pose.height
    return _Extents(
        box.left * width - 0.5,
        box.top * height - 0.5,
        box.right * width - 0.5,
        box.bottom * height - 0.5,
    )


def _overlap(xy_px: Float32, score: Float32, box: _Extents) -> float:
    seen = xy_px[score > 0]
    if len(seen) == 0:
        return 0.0
    person = _Extents(*seen.min(axis=0).tolist(), *seen.max(axis=0).tolist())
    shared = _Extents(*map(max, person[:2], box[:2]), *map(min, person[2:], box[2:])).area
    return shared / (person.area + box.area - shared)
