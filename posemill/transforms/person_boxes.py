"""Where annotated people are at any moment, from boxes that were drawn at some."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass

import numpy as np
import numpy.typing as npt

from posemill.schema import Float32, TimedBox

Float64 = npt.NDArray[np.float64]

GAP_SECONDS = 1.0
"""Between boxes of a person no further apart the person is taken to move steadily. AVA has one a
second: a longer gap means that one is missing between, as after a cut or behind somebody."""
_ROUNDING = 1e-6  # seconds: times that were shifted to the start of a video are not exact


@dataclass(frozen=True, slots=True)
class BoxTrack:
    """The boxes of one person: T moments, rising."""

    seconds: Float64  # (T,)
    edges: Float64  # (T, 4) left, top, right, bottom in fractions of the frame

    def at(self, seconds: float) -> Float64 | None:
        """The box (4,) at a moment; None where the person is not known to be.

        Between two boxes `GAP_SECONDS` apart at most it is interpolated linearly. At the
        ends, and into a longer gap, a box is held for half of that: boxes that were each
        given as a person of their own, one a second, so follow each other without overlap.
        """
        after = int(np.searchsorted(self.seconds, seconds, side="right"))
        before = after - 1
        if before >= 0 and after < len(self.seconds):
            first, last = self.seconds[[before, after]]
            if last - first <= GAP_SECONDS + _ROUNDING:
                share = (seconds - first) / (last - first)
                return np.asarray((1 - share) * self.edges[before] + share * self.edges[after])
        if before >= 0 and seconds - self.seconds[before] < GAP_SECONDS / 2:
            return np.asarray(self.edges[before])
        if after < len(self.seconds) and self.seconds[after] - seconds <= GAP_SECONDS / 2:
            return np.asarray(self.edges[after])
        return None


@dataclass(frozen=True, slots=True)
class PersonBoxes:
    """The annotated people of one video."""

    tracks: tuple[BoxTrack, ...]

    @classmethod
    def of_clips(cls, clips: Iterable[Sequence[TimedBox]]) -> PersonBoxes:
        """The people whom the clips of a video are about, in the clips' order.

        Clips that share a box, its time and all edges, are about the same person: data
        sets have a clip for each label, or clips that overlap.
        """
        people: list[set[tuple[float, ...]]] = []
        for clip in clips:
            boxes = {astuple(box) for box in clip}
            same = [person for person in people if not person.isdisjoint(boxes)]
            for person in same[1:]:
                people.remove(person)
            if same:
                same[0].update(boxes, *same[1:])
            elif boxes:
                people.append(boxes)
        return cls(tuple(map(_track, people)))

    def at(self, seconds: float, size_wh: tuple[int, int]) -> Float32:
        """The people's boxes (N, 4) in a frame: left, top, right and bottom in its pixels.

        Args:
            seconds: the frame's time in the video.
            size_wh: of the frame as it is decoded. Its edges lie at -1/2 and at its size - 1/2.
        """
        found = [box for track in self.tracks if (box := track.at(seconds)) is not None]
        fractions = np.stack(found) if found else np.zeros((0, 4))
        return np.asarray(fractions * [*size_wh, *size_wh] - 0.5, np.float32)


def _track(boxes: Iterable[tuple[float, ...]]) -> BoxTrack:
    """Of several boxes at one moment the first in order is taken."""
    rows = np.array(sorted(boxes))
    seconds, first = np.unique(rows[:, 0], return_index=True)
    return BoxTrack(seconds, rows[first, 1:])
