"""Boxes around people as annotators draw them: now and then a little beyond the frame."""

from __future__ import annotations

from posemill.schema import TimedBox


def box_in_frame(
    seconds: float, left: float, top: float, right: float, bottom: float
) -> tuple[TimedBox, bool]:
    """What of a box lies in the frame, and whether a part of it does not.

    Edges are fractions of the frame's width and height, as in `TimedBox`.

    Raises:
        ValueError: nothing of it lies in the frame, or it has no area.
    """
    edges = (left, top, right, bottom)
    inside = tuple(min(max(edge, 0.0), 1.0) for edge in edges)
    return TimedBox(seconds, *inside), inside != edges
