"""Pictures for people: skeletons on frames, sheets of captioned cells, PNG files."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import cv2
import numpy as np

from posemill.errors import EnvironmentFault
from posemill.schema import Float32, Int64, Skeleton, UInt8

Colour = tuple[int, int, int]

LEFT: Colour = (255, 140, 40)
RIGHT: Colour = (60, 160, 255)
MIDDLE: Colour = (230, 230, 230)
# Of tracks, in turn: told apart by most colour-blind people (Okabe, Ito, 2008).
TRACKS: tuple[Colour, ...] = (
    *((230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66)),
    *((0, 114, 178), (213, 94, 0), (204, 121, 167)),
)
PAPER: Colour = (250, 250, 248)
INK: Colour = (40, 40, 44)

_SUBPIXEL_BITS = 4
_GAP_PX = 8
_CAPTION_PX = 20
_LEGEND_PX = 12
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_FONT_SCALE = 0.4


def draw_skeletons(
    rgb: UInt8,
    xy_px: Float32,
    score: Float32,
    slot: Int64,
    skeleton: Skeleton,
    min_score: float = 0.0,
) -> UInt8:
    """A copy of `rgb` (H, W, 3) with N people drawn on it.

    Limbs are orange on the person's left, blue on the right; joints go from
    red (score 0) over yellow to green (score 1); a frame in the track's colour
    with its number surrounds a person whose track is known.

    Args:
        xy_px: (N, K, 2) in px of `rgb`; score: (N, K); slot: (N,), -1 = no track.
        min_score: joints at or below it are not drawn, nor are their limbs.
    """
    picture = np.ascontiguousarray(rgb).copy()
    width_px = max(1, round(min(rgb.shape[:2]) / 160))
    for xy, joint_score, track in zip(xy_px, score, slot, strict=True):
        seen = joint_score > min_score
        if seen.any() and track >= 0:
            _draw_track(picture, xy[seen], int(track))
        for start, end in skeleton.limbs:
            if seen[start] and seen[end]:
                colour = limb_colour(skeleton, start, end)
                draw_line(picture, xy[start], xy[end], colour, width_px)
        for joint in np.flatnonzero(seen):
            draw_dot(picture, xy[joint], score_colour(float(joint_score[joint])), width_px + 1)
    return picture


def limb_colour(skeleton: Skeleton, start: int, end: int) -> Colour:
    """Orange where a limb has left joints only, or left and middle; blue likewise; else grey."""
    names = [skeleton.keypoints[joint] for joint in (start, end)]
    left = any(name.startswith("left_") for name in names)
    right = any(name.startswith("right_") for name in names)
    if left == right:
        return MIDDLE
    return LEFT if left else RIGHT


def score_colour(score: float) -> Colour:
    """From red at 0 over yellow at 1/2 to green at 1."""
    return round(255 * min(1.0, 2.0 - 2.0 * score)), round(255 * min(1.0, 2.0 * score)), 60


def draw_line(picture: UInt8, start: Float32, end: Float32, colour: Colour, width_px: int) -> None:
    """Draw on `picture` from `start` to `end`, (2,) in px."""
    cv2.line(
        picture, _fixed(start), _fixed(end), colour, width_px, cv2.LINE_AA, shift=_SUBPIXEL_BITS
    )


def draw_dot(picture: UInt8, centre: Float32, colour: Colour, radius_px: int) -> None:
    """Draw a full circle on `picture` around `centre`, (2,) in px."""
    radius = radius_px << _SUBPIXEL_BITS
    cv2.circle(picture, _fixed(centre), radius, colour, -1, cv2.LINE_AA, shift=_SUBPIXEL_BITS)


@dataclass(frozen=True, slots=True)
class Cell:
    """A picture (H, W, 3), RGB, and what is written below it."""

    picture: UInt8
    caption: str


def contact_sheet(title: str, cells: Sequence[Cell], columns: int, min_width_px: int = 0) -> UInt8:
    """All cells in rows of `columns`, RGB, below a title; cells are as large as the largest.

    Raises:
        ValueError: no cells, or columns below 1.
    """
    if not cells or columns < 1:
        raise ValueError(f"a sheet needs cells and columns, got {len(cells)} and {columns}")
    columns = min(columns, len(cells))
    height = max(cell.picture.shape[0] for cell in cells)
    width = max(cell.picture.shape[1] for cell in cells)
    pitch_y, pitch_x = height + _CAPTION_PX + _GAP_PX, width + _GAP_PX
    head = _CAPTION_PX + _GAP_PX
    rows = ceil(len(cells) / columns)
    sheet_width = max(columns * pitch_x + _GAP_PX, min_width_px)
    sheet = blank(rows * pitch_y + head, sheet_width, PAPER)
    write_text(sheet, title, (_GAP_PX, _CAPTION_PX), sheet.shape[1] - 2 * _GAP_PX)
    for number, cell in enumerate(cells):
        top = head + number // columns * pitch_y
        left = _GAP_PX + number % columns * pitch_x
        cell_height, cell_width = cell.picture.shape[:2]
        sheet[top : top + cell_height, left : left + cell_width] = cell.picture
        write_text(sheet, cell.caption, (left, top + height + _CAPTION_PX - 6), width)
    return sheet


def blank(height: int, width: int, colour: Colour) -> UInt8:
    """A picture (H, W, 3) of one colour."""
    return np.tile(np.array(colour, np.uint8), (height, width, 1))


def write_text(
    picture: UInt8, text: str, at_xy: tuple[int, int], width_px: int, scale: float = _FONT_SCALE
) -> None:
    """Write on `picture` from `at_xy`, the baseline's left end; cut off to fit `width_px`."""
    plain = text.encode("ascii", "replace").decode()  # the font has no more
    while plain and cv2.getTextSize(plain, _FONT, scale, 1)[0][0] > width_px:
        plain = plain[:-4].rstrip() + "..." if len(plain) > 4 else ""
    cv2.putText(picture, plain, at_xy, _FONT, scale, INK, 1, cv2.LINE_AA)


def legend(entries: Sequence[tuple[Colour, str]], width_px: int) -> UInt8:
    """A strip (., W, 3): squares of the colours and what they mean, broken into lines that fit."""
    places, left, line = [], _GAP_PX, 0
    for _, text in entries:
        wide = _LEGEND_PX + 6 + cv2.getTextSize(text, _FONT, _FONT_SCALE, 1)[0][0] + 2 * _GAP_PX
        if left > _GAP_PX and left + wide > width_px:
            left, line = _GAP_PX, line + 1
        places.append((left, line))
        left += wide
    strip = blank((line + 1) * _CAPTION_PX + _GAP_PX, width_px, PAPER)
    for (colour, text), (left, line) in zip(entries, places, strict=True):
        top = line * _CAPTION_PX + 3
        strip[top : top + _LEGEND_PX, left : left + _LEGEND_PX] = colour
        at = left + _LEGEND_PX + 6
        write_text(strip, text, (at, top + _LEGEND_PX - 2), width_px - at)
    return strip


def resize_to_width(rgb: UInt8, width_px: int) -> UInt8:
    """The picture in another width, its proportions kept."""
    height = max(1, round(rgb.shape[0] * width_px / rgb.shape[1]))
    shrinks = width_px < rgb.shape[1]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(rgb, (width_px, height), interpolation=method), dtype=np.uint8)


def png_bytes(rgb: UInt8) -> bytes:
    """The picture (H, W, 3) as a PNG file's bytes."""
    smallest = [cv2.IMWRITE_PNG_COMPRESSION, 9]
    done, encoded = cv2.imencode(".png", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), smallest)
    if not done:
        raise ValueError(f"a picture of shape {rgb.shape} cannot be encoded as PNG")
    return encoded.tobytes()


def write_png(path: Path, rgb: UInt8) -> Path:
    """Write a picture, its folder made where it is missing; returns `path`.

    Raises:
        EnvironmentFault: it cannot be written there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png_bytes(rgb))
    except OSError as error:
        raise EnvironmentFault(
            f"{path} cannot be written: {error.strerror or error}; choose another output folder"
        ) from error
    return path


def file_name(name: str, suffix: str) -> str:
    """A file name for any text, such as a video's id: readable, safe, different for each."""
    readable = re.sub(r"[^A-Za-z0-9._-]+", "_", name).strip("._")[:80]
    return f"{readable}-{hashlib.sha256(name.encode()).hexdigest()[:8]}{suffix}"


def _draw_track(picture: UInt8, xy: Float32, track: int) -> None:
    colour = TRACKS[track % len(TRACKS)]
    height, width = picture.shape[:2]
    low = np.clip(xy.min(axis=0) - 4, 0, (width - 1, height - 1)).astype(int)
    high = np.clip(xy.max(axis=0) + 4, 0, (width - 1, height - 1)).astype(int)
    top_left, bottom_right = (int(low[0]), int(low[1])), (int(high[0]), int(high[1]))
    cv2.rectangle(picture, top_left, bottom_right, colour, 1)
    baseline = (top_left[0], max(top_left[1] - 3, 10))
    cv2.putText(picture, str(track), baseline, _FONT, _FONT_SCALE, colour, 1, cv2.LINE_AA)


def _fixed(xy: Float32) -> tuple[int, int]:
    # Far outside the picture OpenCV's fixed point would overflow.
    x, y = np.clip(xy, -8192.0, 8192.0) * (1 << _SUBPIXEL_BITS)
    return round(float(x)), round(float(y))
