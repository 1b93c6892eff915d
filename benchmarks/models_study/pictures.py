"""Pictures of a study: a clip of each class, and accuracy with joints lost."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np

from models_study.actions import SIZE_PX, ActionClip, make_poses
from models_study.motions import CLASSES
from models_study.plan import DROPS, MAIN
from models_study.report import drop_curve
from models_study.results import Results
from posemill.pipelines.drawing import (
    INK,
    PAPER,
    TRACKS,
    Cell,
    blank,
    contact_sheet,
    draw_dot,
    draw_line,
    draw_skeletons,
    legend,
    resize_to_width,
    write_png,
    write_text,
)
from posemill.schema import Float32, UInt8
from posemill.transforms.skeletons import COCO_17

_FRAMES_SHOWN, _CELL_PX = 8, 110
_PLOT_WH, _MARGIN_PX = (560, 320), 50


def write_clips_picture(path: Path, seed: int = 0) -> Path:
    """A training clip of each class, as it is seen, in eight of its frames."""
    cells = [cell for label in range(len(CLASSES)) for cell in _clip_cells(label, seed)]
    sheet = contact_sheet("A training clip of each class", cells, _FRAMES_SHOWN)
    return write_png(path, sheet)


def write_curves_picture(path: Path, results: Results) -> Path:
    """Accuracy of the main models over the probability that a limb joint is lost."""
    picture = blank(_PLOT_WH[1], _PLOT_WH[0], PAPER)
    _draw_axes(picture)
    colours = TRACKS[: len(MAIN)]
    for name, colour in zip(MAIN, colours, strict=True):
        accuracies = drop_curve(results, name)
        points = [_place(*each) for each in zip((0.0, *DROPS), accuracies, strict=True)]
        for start, end in pairwise(points):
            draw_line(picture, start, end, colour, 2)
        for point in points:
            draw_dot(picture, point, colour, 4)
    names = legend(list(zip(colours, MAIN, strict=True)), _PLOT_WH[0])
    return write_png(path, np.concatenate([picture, names]))


def _clip_cells(label: int, seed: int) -> list[Cell]:
    poses = make_poses(ActionClip("train", label, 0), seed)
    frames = np.linspace(0, poses.num_frames - 1, _FRAMES_SHOWN).round().astype(int)
    cells = []
    for frame in frames:
        rows = slice(poses.frame_ptr[frame], poses.frame_ptr[frame + 1])
        drawn = draw_skeletons(
            blank(SIZE_PX, SIZE_PX, INK), poses.xy_px[rows], poses.score[rows],
            np.full(rows.stop - rows.start, -1), COCO_17,
        )  # fmt: skip
        cells.append(Cell(resize_to_width(drawn, _CELL_PX), f"{CLASSES[label]} {frame}"))
    return cells


def _draw_axes(picture: UInt8) -> None:
    for accuracy in np.linspace(0.0, 1.0, 6):
        draw_line(picture, _place(0.0, accuracy), _place(1.0, accuracy), (210, 210, 205), 1)
        write_text(picture, f"{100 * accuracy:.0f}%", _text_at(0.0, accuracy, -44, 4), 44)
    for p in (0.0, *DROPS):
        write_text(picture, f"{p:g}", _text_at(p, 0.0, -8, 18), 44)
    write_text(
        picture, "accuracy, by the probability that a limb joint of a frame is lost", (8, 18), 540
    )


def _place(p: float, accuracy: float) -> Float32:
    """(2,) px of a point of the plot."""
    width, height = (side - 2 * _MARGIN_PX for side in _PLOT_WH)
    x, y = _MARGIN_PX + p * width, _MARGIN_PX + (1.0 - accuracy) * height
    return np.array([x, y], np.float32)


def _text_at(p: float, accuracy: float, right: int, down: int) -> tuple[int, int]:
    x, y = _place(p, accuracy)
    return int(x) + right, int(y) + down
