"""People and lists whose parts are coloured by their weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from posemill.pipelines.drawing import PAPER, Colour, blank, draw_dot, draw_line, write_text
from posemill.pipelines.preview.attention_heat import Scale, heat
from posemill.pipelines.preview.figures import Bools
from posemill.schema import Float32, Skeleton, UInt8

_LIMB: Colour = (130, 130, 136)
_LEAST_PX, _GREATEST_PX = 3, 9
"""Radii of joints."""
_LINE_PX, _NAMES_PX, _NUMBERS_PX = 16, 168, 48
_TAG_WH = 50, 14


def draw_weighted_joints(
    picture: UInt8, xy_px: Float32, seen: Bools, weights: Float32, scale: Scale, skeleton: Skeleton
) -> UInt8:
    """A copy of a picture with one person whose joints are the larger and lighter, the more
    they weigh; the heaviest lies on top.

    Args:
        xy_px: (K, 2) in px of `picture`; seen, weights: (K,).
    """
    drawn = picture.copy()
    for start, end in skeleton.limbs:
        if seen[start] and seen[end]:
            draw_line(drawn, xy_px[start], xy_px[end], _LIMB, 2)
    share = scale.share(weights)
    colours = heat(share)
    for joint in np.argsort(weights, kind="stable").tolist():
        if seen[joint]:
            radius = round(_LEAST_PX + (_GREATEST_PX - _LEAST_PX) * float(share[joint]))
            draw_dot(drawn, xy_px[joint], PAPER, radius + 1)
            draw_dot(drawn, xy_px[joint], _as_colour(colours[joint]), radius)
    return drawn


def draw_weighted_people(
    picture: UInt8, xy_px: Float32, seen: Bools, weights: Float32, scale: Scale, skeleton: Skeleton
) -> UInt8:
    """A copy of a picture with M people, each in the colour of its weight, which is written
    above its head behind its number; who is outside the picture gets none.

    Args:
        xy_px: (M, K, 2) in px of `picture`; seen: (M, K); weights: (M,).
    """
    drawn = picture.copy()
    there = np.flatnonzero(seen.any(axis=1))
    colours = heat(scale.share(weights))
    for person in sorted(there.tolist(), key=lambda number: float(weights[number])):
        joints = seen[person]
        _draw_stick_figure(drawn, xy_px[person], joints, _as_colour(colours[person]), skeleton)
    texts = {person: f"{person}: {weights[person]:.2f}" for person in there.tolist()}
    _tag_people(drawn, xy_px, seen, texts)
    return drawn


def draw_bars(names: Sequence[str], weights: Float32, width_px: int) -> UInt8:
    """A bar for each of K weights (K,), as long as it is great, with names and numbers."""
    picture = blank(len(names) * _LINE_PX, width_px, PAPER)
    colours = heat(Scale.of(weights).share(weights))
    full = max(float(weights.max()), 1e-12)
    longest = width_px - _NAMES_PX - _NUMBERS_PX
    for line, (name, weight) in enumerate(zip(names, weights.tolist(), strict=True)):
        top, base = line * _LINE_PX, line * _LINE_PX + _LINE_PX - 4
        end = _NAMES_PX + max(round(longest * max(weight, 0.0) / full), 1)
        write_text(picture, name, (4, base), _NAMES_PX - 8)
        picture[top + 2 : top + _LINE_PX - 2, _NAMES_PX:end] = colours[line]
        write_text(picture, f"{weight:.2g}", (end + 6, base), _NUMBERS_PX)
    return picture


def _draw_stick_figure(
    picture: UInt8, xy_px: Float32, seen: Bools, colour: Colour, skeleton: Skeleton
) -> None:
    """In one colour with light edges, by which dark ones are seen on dark ground, too."""
    for limb_colour, width in ((PAPER, 5), (colour, 3)):
        for start, end in skeleton.limbs:
            if seen[start] and seen[end]:
                draw_line(picture, xy_px[start], xy_px[end], limb_colour, width)
    for joint in np.flatnonzero(seen):
        draw_dot(picture, xy_px[joint], colour, 3)


def _tag_people(picture: UInt8, xy_px: Float32, seen: Bools, texts: Mapping[int, str]) -> None:
    """Write a short text above each person within the picture, below those that it would hide."""
    (wide, high), (height, width) = _TAG_WH, picture.shape[:2]
    written: list[tuple[int, int]] = []
    for person, text in texts.items():
        xy = xy_px[person][seen[person]]
        if not ((xy >= 0) & (xy < (width, height))).all(axis=1).any():
            continue
        left = int(np.clip(xy[:, 0].mean() - wide / 2, 0, width - wide))
        top = int(np.clip(xy[:, 1].min() - high - 6, 0, height - high))
        for other_left, other_top in sorted(written, key=lambda place: place[1]):
            if abs(left - other_left) < wide and abs(top - other_top) < high:
                top = other_top + high + 1
        written.append((left, top))
        picture[top : top + high, left : left + wide] = PAPER
        write_text(picture, text, (left + 3, top + high - 4), wide - 4)


def _as_colour(rgb: UInt8) -> Colour:
    red, green, blue = rgb.tolist()
    return red, green, blue
