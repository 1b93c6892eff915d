"""The vocabulary: videos, clips, skeletons and pose sequences.

Conventions, everywhere in posemill:

* `xy_px` is in source pixels; pixel centres lie on integers, so the leftmost
  column is x = 0 and a horizontal flip maps x to (width - 1) - x.
* `score` lies in [0, 1]; 0 means *not detected*, and the joint's `xy_px` then
  carries no meaning.
* Intervals are half open, `[start_seconds, end_seconds)`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import isfinite
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]
UInt8 = npt.NDArray[np.uint8]


MAX_ID_LENGTH = 255
# Ends of lines, whatever else moves a cursor, and halves of characters, which UTF-8 lacks.
_NOT_IN_IDS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_NOT_IN_PATHS = {"", ".", ".."}


def require_id(what: str, id_: str) -> None:
    """Refuse an id that could not stand in a path, a log line and a listing alike.

    Raises:
        ValueError: empty, over 255 characters, a control character, or a path
            that is absolute, ends in a slash or has an empty, `.` or `..` part.
    """
    if not id_:
        raise ValueError(f"a {what} needs an id, got an empty one")
    if len(id_) > MAX_ID_LENGTH:
        raise ValueError(
            f"the id of a {what} has {len(id_)} characters, at most {MAX_ID_LENGTH} are taken: "
            f"{id_[:40]!r}..."
        )
    if _NOT_IN_IDS.search(id_):
        raise ValueError(
            f"the id of a {what} has a control character or one that is not UTF-8: {id_!r}"
        )
    if not _NOT_IN_PATHS.isdisjoint(id_.split("/")):
        raise ValueError(
            f"the id of a {what} must be a plain relative path, without `.`, `..` and empty parts "
            f"and without a slash at an end, got {id_!r}"
        )


class VideoStatus(StrEnum):
    """What became of a video."""

    OK = "ok"
    EMPTY = "empty"  # decoded, and nobody in it
    MISSING = "missing"  # its file is not there: normal for Kinetics
    DAMAGED = "damaged"  # what was readable is kept
    QUARANTINED = "quarantined"  # set aside, with a reason and a message
    VOID = "void"  # its stored data was found damaged and given up: to be made again

    @property
    def has_frames(self) -> bool:
        """Whether the store holds decoded frames (perhaps without people) of such a video."""
        return self in (VideoStatus.OK, VideoStatus.EMPTY, VideoStatus.DAMAGED)


class Part(NamedTuple):
    """A named part of the body: joints that move together."""

    name: str
    joints: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Skeleton:
    """Joint names and how they hang together.

    Raises:
        ValueError: a limb, a mirror or a part names a joint that does not
            exist, `mirror` is not its own inverse, or a joint is in two parts.
    """

    name: str
    keypoints: tuple[str, ...]
    limbs: tuple[tuple[int, int], ...]
    mirror: tuple[int, ...]
    """For each joint, the joint that it becomes when the picture is flipped."""
    parts: tuple[Part, ...] = ()
    """Head, torso, arms and legs as they are jittered together; a joint is in one part at most."""

    def __post_init__(self) -> None:
        num_keypoints = len(self.keypoints)
        if len(set(self.keypoints)) != num_keypoints:
            raise ValueError(f"skeleton {self.name}: two joints share a name: {self.keypoints}")
        if sorted(self.mirror) != list(range(num_keypoints)):
            raise ValueError(
                f"skeleton {self.name}: mirror must be a permutation of 0..{num_keypoints - 1}, "
                f"got {self.mirror}"
            )
        if any(self.mirror[partner] != joint for joint, partner in enumerate(self.mirror)):
            raise ValueError(f"skeleton {self.name}: mirror applied twice must change nothing")
        for limb in self.limbs:
            if not all(0 <= joint < num_keypoints for joint in limb) or limb[0] == limb[1]:
                raise ValueError(
                    f"skeleton {self.name}: limb {limb} must join two of {num_keypoints} joints"
                )
        in_parts = [joint for part in self.parts for joint in part.joints]
        if len(set(in_parts)) != len(in_parts) or not set(in_parts) <= set(range(num_keypoints)):
            raise ValueError(
                f"skeleton {self.name}: parts must hold each of {num_keypoints} joints once at "
                f"most, got {self.parts}"
            )

    @property
    def num_keypoints(self) -> int:
        return len(self.keypoints)


@dataclass(frozen=True, slots=True)
class Video:
    """One file, or the span of it that is decoded: the unit of extraction.

    Raises:
        ValueError: an id that `require_id` refuses, an empty uri, or a span
            that ends before it starts.
    """

    id: str
    """From the path below the dataset's root, e.g. `train/wave_left/0001`."""
    uri: str
    """Where the bytes are; a relative path is relative to the catalog's root."""
    num_bytes: int
    identity: str
    """Of the file's content: size, modification time, hash of its first and last MiB."""
    duration_seconds: float | None = None
    start_seconds: float = 0.0
    end_seconds: float | None = None

    def __post_init__(self) -> None:
        require_id("video", self.id)
        if not self.uri:
            raise ValueError(f"video {self.id} needs a uri, got an empty one")
        if self.end_seconds is not None and self.end_seconds <= self.start_seconds:
            raise ValueError(
                f"video {self.id}: the span [{self.start_seconds}, {self.end_seconds}) s is empty"
            )


@dataclass(frozen=True, slots=True)
class TimedLabel:
    """A class name, over a part of the clip or (without times) over all of it."""

    name: str
    start_seconds: float | None = None
    end_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class TimedBox:
    """Where an annotated person is at one moment, in fractions of the frame's width and height.

    Raises:
        ValueError: it leaves the frame, has no area, or no finite time.
    """

    seconds: float
    left: float
    top: float
    right: float
    bottom: float

    def __post_init__(self) -> None:
        if not isfinite(self.seconds):
            raise ValueError(f"a box needs a time in seconds, got {self.seconds}")
        if not (0.0 <= self.left < self.right <= 1.0 and 0.0 <= self.top < self.bottom <= 1.0):
            raise ValueError(
                "a box needs 0 <= left < right <= 1 and 0 <= top < bottom <= 1, in fractions of "
                f"the frame, got {self.left}, {self.top}, {self.right}, {self.bottom}"
            )


@dataclass(frozen=True, slots=True)
class Clip:
    """A view of a video: one row of the features.

    Raises:
        ValueError: an id that `require_id` refuses, no video, or a span that
            ends before it starts.
    """

    id: str
    video_id: str
    start_seconds: float = 0.0
    end_seconds: float | None = None
    labels: tuple[TimedLabel, ...] = ()
    mirror_label: str | None = None
    """The class that this clip shows when flipped; None where no mirror is declared."""
    splits: Mapping[str, str] = field(default_factory=dict)
    """Name of a split to the clip's subset in it, e.g. `{"default": "train"}`."""
    boxes: tuple[TimedBox, ...] = ()
    """Of the one person whom the labels are about (AVA); none where they are about everybody."""

    def __post_init__(self) -> None:
        require_id("clip", self.id)
        if not self.video_id:
            raise ValueError(f"clip {self.id} needs a video's id, got an empty one")
        if self.end_seconds is not None and self.end_seconds <= self.start_seconds:
            raise ValueError(
                f"clip {self.id}: the span [{self.start_seconds}, {self.end_seconds}) s is empty"
            )
        object.__setattr__(self, "splits", MappingProxyType(dict(self.splits)))


@dataclass(frozen=True, slots=True)
class PoseSequence:
    """All persons of all decoded frames of one video, ragged: P rows over F frames.

    Rows are ordered by frame. `slot` numbers a person through time (a track);
    two rows of a frame never share a slot.

    Raises:
        ValueError: shapes that disagree, rows out of frame order, a slot twice
            in a frame, a score outside [0, 1], or a detected joint without
            finite coordinates.
    """

    skeleton: str
    xy_px: Float32  # (P, K, 2)
    score: Float32  # (P, K)
    frame: Int64  # (P,) number of the decoded frame, in [0, F)
    slot: Int64  # (P,) number of the person's track
    pts_seconds: npt.NDArray[np.float64]  # (F,) time of each decoded frame
    width: int
    height: int
    frames_declared: int
    """What the container's header claims; never to be trusted."""
    xyz_m: Float32 | None = None
    """(P, K, 3) true 3-D positions in metres, where the source has them; y points down."""

    def __post_init__(self) -> None:
        self._check_shapes()
        if self.num_rows:
            self._check_order()
            self._check_values()

    def _check_shapes(self) -> None:
        num_rows, num_keypoints = self.score.shape
        if self.xy_px.shape != (num_rows, num_keypoints, 2):
            raise ValueError(
                f"xy_px must be ({num_rows}, {num_keypoints}, 2), got {self.xy_px.shape}"
            )
        if self.xyz_m is not None and self.xyz_m.shape != (num_rows, num_keypoints, 3):
            raise ValueError(
                f"xyz_m must be ({num_rows}, {num_keypoints}, 3), got {self.xyz_m.shape}"
            )
        for name, rows in (("frame", self.frame), ("slot", self.slot)):
            if rows.shape != (num_rows,):
                raise ValueError(f"{name} must be ({num_rows},), got {rows.shape}")
        if self.width <= 0 or self.height <= 0:
            raise ValueError(f"a frame of {self.width} x {self.height} px cannot be")

    def _check_order(self) -> None:
        if np.any(np.diff(self.frame) < 0) or self.frame[0] < 0:
            raise ValueError("rows must be ordered by frame, from 0 on")
        if self.frame[-1] >= len(self.pts_seconds):
            raise ValueError(
                f"frame {self.frame[-1]} has no time: {len(self.pts_seconds)} were decoded"
            )
        if not ((np.diff(self.frame) == 0) & (np.diff(self.slot) <= 0)).any():
            return  # the usual order, by frame and slot, in which none can be twice
        by_slot = np.lexsort((self.slot, self.frame))
        same = (np.diff(self.frame[by_slot]) == 0) & (np.diff(self.slot[by_slot]) == 0)
        if same.any():
            frame = self.frame[by_slot][1:][same][0]
            raise ValueError(f"two rows of frame {frame} share a slot")

    def _check_values(self) -> None:
        if not (self.score.min() >= 0.0 and self.score.max() <= 1.0):
            raise ValueError(
                f"scores must lie in [0, 1], got [{self.score.min()}, {self.score.max()}]"
            )
        if not _finite_where(self.xy_px, self.score):
            raise ValueError("a detected joint (score > 0) has coordinates that are not finite")
        if self.xyz_m is not None and not _finite_where(self.xyz_m, self.score):
            raise ValueError("a detected joint (score > 0) has a 3-D position that is not finite")

    @property
    def num_frames(self) -> int:
        return len(self.pts_seconds)

    @property
    def num_rows(self) -> int:
        return len(self.score)

    @property
    def num_keypoints(self) -> int:
        return int(self.score.shape[1])

    @property
    def frame_ptr(self) -> Int64:
        """(F + 1,): the rows of frame f are `frame_ptr[f] : frame_ptr[f + 1]`."""
        return np.searchsorted(self.frame, np.arange(self.num_frames + 1)).astype(np.int64)


def _finite_where(values: Float32, score: Float32) -> bool:
    """Whether the values (P, K, D) of all joints with a score are finite."""
    # All of them, as mostly, is told in a tenth of the time.
    return bool(np.isfinite(values).all() or np.isfinite(values[score > 0]).all())
