"""Which of a video's frames are taken. Pure: times in, decisions out."""

from __future__ import annotations

from math import floor, inf

_EARLY = 0.1  # of a step: containers round times, Matroska to milliseconds


class FramePicker:
    """Decides frame by frame, in order.

    With `frame_step` n the frames 0, n, 2n, ... of the span are taken. With
    `fps` r, the first frame of each interval [k - 0.1, k + 0.9) / r after the
    first frame: where the video has fewer frames than r a second, all of them.
    """

    def __init__(self, frame_step: int, fps: float | None) -> None:
        self._frame_step, self._fps = frame_step, fps
        self._seen = 0
        self._first_seconds = 0.0
        self._last_cell = -inf

    def takes(self, pts_seconds: float) -> bool:
        """Whether the next frame, at this time, is taken."""
        number, self._seen = self._seen, self._seen + 1
        if self._fps is None:
            return number % self._frame_step == 0
        if number == 0:
            self._first_seconds = pts_seconds
        cell = floor((pts_seconds - self._first_seconds) * self._fps + _EARLY)
        taken = cell > self._last_cell
        if taken:
            self._last_cell = cell
        return taken
