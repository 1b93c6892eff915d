"""Ids of short clips: that of the video that they were cut out of, and their number in it."""

from __future__ import annotations

import re

_ID = re.compile(r"(.+)/(\d{4,})", re.DOTALL)


def short_clip_id(video: str, number: int) -> str:
    """`<video>/0003` of the fourth clip; more digits from the ten-thousandth on."""
    return f"{video}/{number:04d}"


def parse_clip_id(clip_id: str) -> tuple[str, int]:
    """The inverse of `short_clip_id`.

    Raises:
        ValueError: an id that it does not make.
    """
    match = _ID.fullmatch(clip_id)
    if match is None or short_clip_id(match[1], int(match[2])) != clip_id:
        raise ValueError(f"{clip_id!r} is no id of a clip that was cut out of a video")
    return match[1], int(match[2])
