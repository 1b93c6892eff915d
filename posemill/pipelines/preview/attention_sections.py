"""The parts of a sheet of weights: where, at whom, at which joints and when a network looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from posemill.errors import InputError
from posemill.pipelines.drawing import PAPER, Cell, blank, contact_sheet
from posemill.pipelines.preview.attention_figures import (
    draw_bars,
    draw_weighted_joints,
    draw_weighted_people,
)
from posemill.pipelines.preview.attention_heat import Scale, heat_key, lay_over
from posemill.pipelines.preview.attention_views import SeenView
from posemill.pipelines.preview.sheets import COLUMNS, PANEL_PX, spread
from posemill.schema import Float32, UInt8

WIDTH_PX = COLUMNS * (PANEL_PX + 8) + 8
_INSIDE_PX = WIDTH_PX - 16
_GAP_PX = 16
DRAWN = ("space_time", "places", "space", "persons", "joints", "time")
"""Names of the weights that there are pictures of."""

Looks = Mapping[str, Float32]
"""The weights of one view, by name."""


@dataclass(frozen=True, slots=True)
class Section:
    """Pictures below a heading, above the scale of their weights."""

    heading: str
    cells: tuple[Cell, ...]
    scale: Scale | None
    """None where the weights are written beside all that is drawn."""

    def drawn(self) -> UInt8:
        """(., `WIDTH_PX`, 3)."""
        pictures = contact_sheet(self.heading, self.cells, COLUMNS, WIDTH_PX)
        if self.scale is None:
            return pictures
        return np.concatenate([pictures, heat_key(self.scale, WIDTH_PX)])


def sections(looks: Looks, view: SeenView) -> list[Section]:
    """What there is to see of the weights of one view.

    Raises:
        InputError: weights that do not fit what the view shows.
    """
    made = []
    if "space_time" in looks:
        made.append(_places("where and when: weights of space and time", looks["space_time"], view))
    elif "space" in looks:
        weights = np.tile(looks["space"], (COLUMNS, 1, 1))
        made.append(_places("where: weights of space, the same at all times", weights, view))
    if "places" in looks:
        made.append(
            _places("where: weights of places, of sum 1 in each frame", looks["places"], view)
        )
    if "persons" in looks:
        made += _persons(looks["persons"], view)
    if "joints" in looks:
        made.append(_joints(looks["joints"], view))
    if "time" in looks:
        made.append(_times(looks["time"], view))
    return made


def _places(heading: str, weights: Float32, view: SeenView) -> Section:
    """Of weights (T, h, w), over the pictures."""
    _require(weights.ndim == 3 and view.frames is not None, "of places", weights, view)
    scale, cells = Scale.of(weights), []
    for step in spread(len(weights), COLUMNS):
        picture, name = view.picture(step, len(weights))
        caption = f"{name}: to {weights[step].max():.2g}"
        cells.append(Cell(lay_over(picture, weights[step], scale), caption))
    return Section(heading, tuple(cells), scale)


def _persons(weights: Float32, view: SeenView) -> list[Section]:
    """Of weights (T, M): people in the pictures, and how each weighs over all times."""
    people = view.people()
    _require(
        people is not None and people[1].shape[:2] == weights.shape, "of persons", weights, view
    )
    assert people is not None  # noqa: S101  (required above)
    xy, seen = people
    scale, cells = Scale.of(weights), []
    for step in spread(len(weights), COLUMNS):
        picture, name = view.picture(step, len(weights))
        size_wh = np.array(picture.shape[1::-1], np.float32)
        xy_px = xy[step] * size_wh - np.float32(0.5)
        shown = (picture * np.float32(0.6)).astype(np.uint8)
        drawn = draw_weighted_people(shown, xy_px, seen[step], weights[step], scale, view.skeleton)
        cells.append(Cell(drawn, name))
    counts = seen.any(axis=2).sum(axis=0).tolist()
    names = [f"person {n}, in {count} of {len(weights)}" for n, count in enumerate(counts)]
    return [
        Section("at whom: weights of people, of sum 1 at each time", tuple(cells), scale),
        _bars("at whom, mean over all times; absent people weigh too", names, weights.mean(axis=0)),
    ]


def _joints(weights: Float32, view: SeenView) -> Section:
    """Of weights (K,), or the mean of (K, T)."""
    names = view.skeleton.keypoints
    _require(weights.ndim in (1, 2) and len(names) == len(weights), "of joints", weights, view)
    over_time = weights.reshape(len(weights), -1).mean(axis=1)
    figure, scale = view.figure(), Scale.of(over_time)
    drawn = draw_weighted_joints(
        figure.ground, figure.xy_px, figure.seen, over_time, scale, view.skeleton
    )
    bars = draw_bars(names, over_time, _INSIDE_PX - drawn.shape[1] - _GAP_PX)
    heading = "at which joints" + (": mean over the poses" if weights.ndim == 2 else "")
    return Section(heading, (Cell(_beside(drawn, bars), ""),), scale)


def _times(weights: Float32, view: SeenView) -> Section:
    """Of weights (T,)."""
    _require(weights.ndim == 1, "of time", weights, view)
    return _bars("when: weights of time", view.part_names(len(weights)), weights)


def _bars(heading: str, names: Sequence[str], weights: Float32) -> Section:
    return Section(heading, (Cell(draw_bars(names, weights, _INSIDE_PX), ""),), None)


def _beside(left: UInt8, right: UInt8) -> UInt8:
    """Two pictures with a gap between them, as high as the higher one."""
    height = max(len(left), len(right))
    both = blank(height, left.shape[1] + _GAP_PX + right.shape[1], PAPER)
    both[: len(left), : left.shape[1]] = left
    both[: len(right), left.shape[1] + _GAP_PX :] = right
    return both


def _require(fits: bool, name: str, weights: Float32, view: SeenView) -> None:
    """Raises:
    InputError: weights of other times, people or joints than the view has.
    """
    if not fits:
        shown = ", ".join(f"{key} {value.shape}" for key, value in view.arrays.items())
        raise InputError(
            f"the weights {name} of a view are {weights.shape}, which do not fit its arrays, "
            f"{shown}; give the store that the run was evaluated on, or evaluate with --attention "
            "again"
        )
