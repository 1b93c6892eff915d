"""A video whose frames are to be found again by the numbers and times of its poses."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from math import prod

import numpy as np
import numpy.typing as npt

from posemill.schema import Int64, PoseSequence, UInt8, Video, VideoStatus
from posemill.storage.identity import describe_change, is_same_file
from posemill.storage.poses import VideoEntry
from posemill.storage.video import Frame, FrameOptions
from posemill.storage.video.facts import PtsSource
from posemill.storage.video.shape import fitted

_MICROSECONDS = 1e6


class NoPictures(Exception):
    """The frames of a video cannot be had, or are not those that its poses are of."""

    def __init__(self, status: VideoStatus, message: str, identity: str = "") -> None:
        """`identity` is of the file while which is there it cannot be otherwise; see `Unmade`."""
        super().__init__(message)
        self.status, self.identity = status, identity


class Mismatch(Exception):
    """The frames of a file are not those that its poses are of."""


@dataclass(frozen=True, slots=True)
class Search:
    """Which frames are decoded, and which of them are wanted."""

    start_seconds: float
    options: FrameOptions
    microseconds: Int64 | None
    """(N,) times of the wanted frames, rising; None goes by their numbers alone."""
    numbers: Int64
    """(N,) of the wanted frames, rising, counted from the first one that is decoded; -1 where
    that is unknown, and times alone tell."""


@dataclass(frozen=True, slots=True)
class PosedVideo:
    """What is known of a video by its poses.

    Extracted poses have the file's identity and the times of its frames. Imported ones know
    neither: their frames are numbered as the video's, all of which must have been looked at.
    """

    video: Video
    """Where it is, as `VideoPlaces` tells."""
    entry: VideoEntry
    pose: PoseSequence
    """Of the whole video."""
    options: FrameOptions | None
    """With which the poses were extracted; None for imported ones."""

    @property
    def frame_bytes(self) -> int:
        """Of a decoded frame, as far as the poses tell."""
        size = self.pose.width, self.pose.height
        return 3 * prod(fitted(size, None if self.options is None else self.options.long_edge))

    def require_same(self, identity: str) -> None:
        """Raises:
        NoPictures: the poses are of another file than that of this identity.
        """
        before = self.entry.identity
        if self.options is not None and not is_same_file(before, identity, ignore_times=True):
            raise NoPictures(
                VideoStatus.QUARANTINED,
                f"video changed: {self.video.uri}: {describe_change(before, identity)}",
                identity,
            )

    def search(self, numbers: Int64) -> Search:
        """How the frames `numbers` (N,) of the poses, rising, are found.

        A decoder seeks to the first where the container's own times tell frames apart; else
        it begins where the poses do.
        """
        start = self.video.start_seconds
        if self.options is None:
            return Search(start, FrameOptions(), None, numbers)
        times = _microseconds(self.pose.pts_seconds[numbers])
        if not self._can_seek:
            return Search(start, self.options, times, numbers)
        every = replace(self.options, frame_step=1, fps=None)
        is_every = every == self.options
        counted = numbers - numbers[0] if is_every else np.full_like(numbers, -1)
        # Stored times are rounded: the frame itself may be half a microsecond earlier.
        return Search(max(start, float(times[0] - 1) / _MICROSECONDS), every, times, counted)

    @property
    def _can_seek(self) -> bool:
        # Times that were counted depend on where the count began, what is decoded after damage on
        # where decoding did.
        by_container = self.entry.pts_source == PtsSource.CONTAINER
        return by_container and self.entry.status is not VideoStatus.DAMAGED

    def pick(
        self, frames: Iterable[Frame], search: Search, room: Callable[[UInt8], UInt8]
    ) -> UInt8:
        """The wanted frames (N, h, w, 3); stops after the last of them where that is safe.

        Args:
            frames: as the decoder gives them.
            room: makes the array (N, h, w, 3) for frames like the first that is wanted.

        Raises:
            Mismatch: they are not the frames of the poses.
        """
        if search.microseconds is None:
            return self._pick_by_number(frames, search.numbers, room)
        return self._pick_by_time(frames, search.microseconds, search.numbers, room)

    def _pick_by_time(
        self,
        frames: Iterable[Frame],
        times: Int64,
        numbers: Int64,
        room: Callable[[UInt8], UInt8],
    ) -> UInt8:
        taken = 0
        rgb: UInt8 | None = None
        for frame in frames:
            late = _microseconds(frame.pts_seconds) - times[taken]
            if late < 0:
                continue
            if late > 0 or numbers[taken] not in (-1, frame.index):
                break
            rgb = room(frame.rgb) if rgb is None else rgb
            rgb[taken] = frame.rgb
            taken += 1
            if taken == len(times):
                return rgb
        raise Mismatch(f"there is none at {times[taken] / _MICROSECONDS:.3f} s, where a pose is")

    def _pick_by_number(
        self, frames: Iterable[Frame], numbers: Int64, room: Callable[[UInt8], UInt8]
    ) -> UInt8:
        place = {int(number): row for row, number in enumerate(numbers)}
        count = 0
        rgb: UInt8 | None = None
        for frame in frames:  # to the end: their number is all that can be compared
            count += 1
            if (row := place.get(frame.index)) is not None:
                rgb = room(frame.rgb) if rgb is None else rgb
                rgb[row] = frame.rgb
        if rgb is None or count != self.pose.num_frames:
            raise Mismatch(f"{self.pose.num_frames} poses, {count} frames")
        return rgb


def _microseconds(seconds: float | npt.NDArray[np.float64]) -> Int64:
    """As pose stores keep times."""
    return np.rint(np.asarray(seconds) * _MICROSECONDS).astype(np.int64)
