"""Every constant of the estimator that is not part of the networks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from posemill.errors import InputError


@dataclass(frozen=True, slots=True)
class BlazePoseRules:
    """What counts as a person, and for how long.

    Fractions are of 1; lengths say of what they are a part. The values were
    chosen on the twelve people of four COCO pictures: fair for what they are,
    no measure of how the estimator does elsewhere.

    Raises:
        InputError: a value outside its range.
    """

    detector_threshold: float = 0.45
    """Least score of a detection, in [0, 1]."""
    same_face_iou: float = 0.3
    """Detections of one window whose face boxes overlap by more are averaged, in [0, 1]."""
    same_body_iou: float = 0.6
    """Detections of several windows whose body boxes overlap by more are averaged, in [0, 1]."""
    tile_fraction: float = 0.6
    """Side of the small tiles, as a part of the frame's shorter side."""
    tile_overlap: float = 0.3
    """Neighbouring tiles share at least this part of their side, in [0, 1)."""
    wide_aspect: float = 1.2
    """Frames longer than this (long side : short side) get tiles of full height too."""
    max_body_outside_tile: float = 0.06
    """Detections whose body leaves the tile by more (part of its side) are dropped,
    unless it leaves the picture there as well."""
    roi_scale: float = 1.25
    """Side of the landmark network's square : diameter of the body's circle."""
    refine_window: int = 7
    """Side, in cells of the 64 x 64 heatmap, of the window that refines a joint; odd."""
    refine_threshold: float = 0.5
    """Joints whose heatmap stays below this are not refined, in [0, 1]."""
    new_presence: float = 0.7
    """Least presence of a person seen for the first time, in [0, 1]."""
    new_presence_tilted: float = 0.97
    """The same for somebody who lies or stands on the head: most such detections are false."""
    tilted_degrees: float = 60.0
    """Bodies at a greater angle to the frame's upright count as tilted, in [0, 180]."""
    new_distance: float = 0.35
    """Least distance of a new centre to those known, in diameters of the body's circle."""
    keep_presence: float = 0.5
    """Least presence of a person already followed, in [0, 1]."""
    keep_score: float = 0.3
    """Least mean score of a person's joints, in [0, 1]."""
    min_side_px: float = 20.0
    """Least side of a person's square."""
    max_side_frames: float = 2.5
    """Greatest side of a person's square, in the frame's longer sides."""
    min_side_ratio: float = 0.6
    """Least ratio of a person's square to that of the frame before."""
    max_side_ratio: float = 1.6
    """Greatest ratio of a person's square to that of the frame before."""
    duplicate_oks: float = 0.4
    """Two people more alike than this are one, in [0, 1]."""
    duplicate_inside: float = 0.75
    """A person with more than this part of the joints inside an older one's box is no person."""
    duplicate_margin: float = 0.1
    """That box grows on every side by this part of its size."""
    detect_every: int = 10
    """Frames from one look for new people to the next, while all are followed."""
    detect_every_empty: int = 2
    """The same while nobody is followed, or after somebody was lost."""
    max_frames_lost: int = 15
    """Somebody unseen for more frames than these comes back as somebody new."""
    back_distance: float = 0.5
    """Somebody found within this distance of where another was lost, in sides of the larger
    square, is that one."""
    max_turn_degrees: float = 90.0
    """Somebody found there, but turned by more, is nobody: bodies do not flip while unseen
    for so short, detections do. In [0, 180]."""
    min_score: float = 0.001
    """Scores of joints are raised to this: 0 would say that there is none."""
    max_outside_frame: float = 0.1
    """Joints further outside the frame (part of the person's square) get the score 0."""

    def __post_init__(self) -> None:
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise InputError(f"blazepose: {name} must lie in [{low}, {high}], got {value!r}")
        if self.refine_window % 2 == 0:
            raise InputError(f"blazepose: refine_window must be odd, got {self.refine_window}")


_FRACTION = (0.0, 1.0)
_RANGES: dict[str, tuple[float, float]] = {
    "detector_threshold": (0.01, 1.0),
    "same_face_iou": _FRACTION,
    "same_body_iou": _FRACTION,
    "tile_fraction": (0.2, 1.0),
    "tile_overlap": (0.0, 0.9),
    "wide_aspect": (1.0, 100.0),
    "max_body_outside_tile": (0.0, 10.0),
    "roi_scale": (0.5, 4.0),
    "refine_window": (1, 63),
    "refine_threshold": _FRACTION,
    "new_presence": _FRACTION,
    "new_presence_tilted": _FRACTION,
    "tilted_degrees": (0.0, 180.0),
    "new_distance": (0.0, 10.0),
    "keep_presence": _FRACTION,
    "keep_score": _FRACTION,
    "min_side_px": (1.0, 1e6),
    "max_side_frames": (0.1, 100.0),
    "min_side_ratio": _FRACTION,
    "max_side_ratio": (1.0, 100.0),
    "duplicate_oks": _FRACTION,
    "duplicate_inside": _FRACTION,
    "duplicate_margin": (0.0, 10.0),
    "detect_every": (1, 1_000_000),
    "detect_every_empty": (1, 1_000_000),
    "max_frames_lost": (0, 1_000_000),
    "back_distance": (0.0, 10.0),
    "max_turn_degrees": (0.0, 180.0),
    "min_score": (1e-6, 1.0),
    "max_outside_frame": (0.0, 100.0),
}


def rules_from_parameters(parameters: Mapping[str, Any]) -> BlazePoseRules:
    """Rules with some constants replaced; values may be numbers or their text.

    Raises:
        InputError: no constant has that name, or the value is no number or out of range.
    """
    types = {name: type(value) for name, value in asdict(BlazePoseRules()).items()}
    unknown = sorted(parameters.keys() - types.keys())
    if unknown:
        raise InputError(
            f"blazepose has no parameter {', '.join(unknown)}; there are: {', '.join(types)}"
        )
    numbers: dict[str, Any] = {
        name: _number(name, value, types[name]) for name, value in parameters.items()
    }
    return BlazePoseRules(**numbers)


def _number(name: str, value: Any, kind: type[int] | type[float]) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise InputError(f"blazepose: {name} must be a number, got {value!r}") from error
    if kind is float:
        return number
    if not number.is_integer():
        raise InputError(f"blazepose: {name} must be a whole number, got {value!r}")
    return int(number)
