"""Ragged poses as one array in which everybody has a place in every frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from posemill.schema import Int64, PoseSequence

MAX_ITEM_BYTES = 1 << 30
"""Of one item's array in which everybody has a place in every frame."""


@dataclass(frozen=True, slots=True, eq=False)
class Tracks:
    """Where the rows of a sequence are in arrays of M people and T frames."""

    slots: Int64
    """(M,) number of each track, those that matter most first."""
    num_frames: int
    rows: Int64
    """(R,) the rows of these tracks."""
    person: Int64
    """(R,) place of each row's track in `slots`."""
    frame: Int64
    """(R,) frame of each row."""

    def spread(self, values: npt.NDArray[Any], fill: float) -> npt.NDArray[Any]:
        """(M, T, ...) of the rows' values (P, ...); `fill` where somebody is absent."""
        shape = (len(self.slots), self.num_frames, *values.shape[1:])
        out = np.full(shape, fill, values.dtype)
        out[self.person, self.frame] = values[self.rows]
        return out


def find_tracks(pose: PoseSequence, max_people: int = 0) -> Tracks:
    """The tracks of a sequence, at most `max_people` where that is not 0.

    Where nobody is, one track without rows: tools take no array of 0 people.
    """
    slots = np.unique(pose.slot)[: max_people or None].astype(np.int64)
    rows = np.flatnonzero(np.isin(pose.slot, slots))
    return Tracks(
        slots=slots if len(slots) else np.zeros(1, np.int64),
        num_frames=pose.num_frames,
        rows=rows.astype(np.int64),
        person=np.searchsorted(slots, pose.slot[rows]).astype(np.int64),
        frame=pose.frame[rows],
    )


def too_large(pose: PoseSequence, max_people: int, num_dims: int) -> str | None:
    """Why an item's arrays of floats are not made; None where they are.

    `num_dims` numbers are kept of each joint.
    """
    num_people = max(1, len(np.unique(pose.slot)))
    if max_people:
        num_people = min(num_people, max_people)
    num_bytes = 4 * num_people * pose.num_frames * pose.num_keypoints * num_dims
    if num_bytes <= MAX_ITEM_BYTES:
        return None
    return (
        f"{num_people} tracks in {pose.num_frames} frames take {num_bytes / 1e9:,.1f} GB as one "
        f"array, at most {MAX_ITEM_BYTES / 1e9:.1f} GB are made; keep fewer with --set people=N"
    )
