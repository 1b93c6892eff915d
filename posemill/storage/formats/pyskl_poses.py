"""The arrays of a clip of pyskl's as poses."""

from __future__ import annotations

import reprlib
from typing import Any

import numpy as np
import numpy.typing as npt

from posemill.errors import UnreadablePoses
from posemill.schema import Float32, Int64
from posemill.storage.formats.base import SourcePoses
from posemill.storage.formats.far_joints import near_frame
from posemill.storage.formats.kinect_view import VIEW_WH, project
from posemill.storage.formats.pyskl_file import Annotation
from posemill.storage.pickles.values import ArrayPlace

MAX_FRAMES = 10_000_000  # 46 hours of 60 frames a second
_MAX_EDGE_PX = 65_536
_MAX_SCORE = 2.0
"""HRNet's heat maps, whose maxima the scores are, reach a little more than 1."""

Array = npt.NDArray[Any]


def num_frames(clip: Annotation) -> int:
    """Raises:
    UnreadablePoses: it does not tell them.
    """
    number = clip.total_frames
    if type(number) is not int or not 0 <= number <= MAX_FRAMES:
        raise UnreadablePoses(
            f"{clip.place}: expected a number of frames up to {MAX_FRAMES:,} as total_frames, got "
            f"{_brief(number)}"
        )
    return number


def size_wh(clip: Annotation) -> tuple[int, int]:
    """Of its frames, in pixels.

    Raises:
        UnreadablePoses: it does not tell it.
    """
    match clip.img_shape:
        case (int() as height, int() as width) if _is_edge(height) and _is_edge(width):
            return width, height
    raise UnreadablePoses(
        f"{clip.place}: expected (height, width) in pixels as img_shape, a pair of whole numbers, "
        f"got {_brief(clip.img_shape)}"
    )


def _brief(value: object) -> str:
    if isinstance(value, ArrayPlace):
        return f"an array of the shape {value.shape}"
    return reprlib.repr(value)


def _is_edge(number: int) -> bool:
    return 0 < number <= _MAX_EDGE_PX


def people_in_slots(
    clip: Annotation, keypoint: Array, score: Array, *, follow: bool
) -> SourcePoses:
    """Of `keypoint` (M, T, V, 2) in pixels and `score` (M, T, V).

    The slot, the first index, is a person's track unless people are to be followed.
    """
    return _poses(clip, keypoint, score, size_wh(clip), None, follow=follow)


def bodies_in_slots(clip: Annotation, keypoint: Array, *, follow: bool) -> SourcePoses:
    """Of `keypoint` (M, T, V, 3) in metres of a Kinect's space, y up; 0, 0, 0 where nobody is."""
    _require_finite(clip, keypoint, np.True_)
    with np.errstate(over="ignore"):
        xyz_m = keypoint.astype(np.float32) * np.array([1, -1, 1], np.float32)
    xy_px, seen = project(xyz_m)
    return _poses(clip, xy_px, seen.astype(np.float32), VIEW_WH, xyz_m, follow=follow)


def people_in_rows(clip: Annotation, keypoint: Array, frame: Array, first: int) -> SourcePoses:
    """Of `keypoint` (N, V, 3), x, y and score, of people in the frames `frame` (N,).

    The clip's first frame has the number `first`.
    """
    if frame.shape != keypoint.shape[:1] or frame.dtype.kind not in "iu":
        raise UnreadablePoses(
            f"{clip.place}: frame_inds is {frame.dtype} {frame.shape} and keypoint "
            f"{keypoint.shape}; expected the frame's number of each person"
        )
    number = frame.astype(np.int64) - first
    total = num_frames(clip)
    if ((number < 0) | (number >= total)).any():
        raise UnreadablePoses(
            f"{clip.place}: people are in the frames {frame.min()} to {frame.max()}; expected "
            f"{first} to {first + total - 1}. Tell by --set first_frame=0 or 1 which is the first"
        )
    order = np.argsort(number, kind="stable")
    rows = keypoint[order]
    xy_px, score = _checked(clip, rows[..., :2], rows[..., 2], size_wh(clip))
    return _finish(xy_px, score, number[order], None, total, size_wh(clip), None)


def _poses(
    clip: Annotation,
    keypoint: Array,
    score: Array,
    size: tuple[int, int],
    xyz_m: Float32 | None,
    *,
    follow: bool,
) -> SourcePoses:
    num_slots, total = keypoint.shape[:2]
    if total != num_frames(clip):
        raise UnreadablePoses(
            f"{clip.place}: keypoint is of {total} frames and total_frames is {clip.total_frames}; "
            "expected as many"
        )
    xy_px, kept = _checked(clip, keypoint, score, size)
    by_frame = (_by_frame(xy_px), _by_frame(kept))
    frame = np.repeat(np.arange(total), num_slots)
    track = None if follow else np.tile(np.arange(num_slots), total)
    return _finish(
        *by_frame, frame, track, total, size, None if xyz_m is None else _by_frame(xyz_m)
    )


def _by_frame(values: Float32) -> Float32:
    """(M, T, ...) as (T * M, ...)."""
    return values.swapaxes(0, 1).reshape(-1, *values.shape[2:])


def _checked(
    clip: Annotation, keypoint: Array, score: Array, size: tuple[int, int]
) -> tuple[Float32, Float32]:
    """The same in 32 bits; score and position are 0 where a joint was not found.

    Raises:
        UnreadablePoses: no number as a score or as the position of a joint that was found.
    """
    with np.errstate(over="ignore"):  # what is too large for 32 bits is then infinite
        keypoint, score = keypoint.astype(np.float32), score.astype(np.float32)
    _require_finite(clip, score[..., None], np.True_, "keypoint_score")
    if (highest := float(score.max(initial=0))) > _MAX_SCORE:
        raise UnreadablePoses(
            f"{clip.place}: a keypoint_score is {highest:g}; expected 0 to 1, or a little more"
        )
    _require_finite(clip, keypoint, score > 0)
    found = (score > 0) & near_frame(keypoint, size)
    kept = np.where(found, np.minimum(score, 1), np.float32(0))
    return np.where(found[..., None], keypoint, np.float32(0)), kept


def _require_finite(
    clip: Annotation, values: Array, where: Array | np.bool_, name: str = "keypoint"
) -> None:
    finite = np.isfinite(values)
    if not finite.all() and (wrong := ~finite.all(axis=-1) & where).any():
        place = np.argwhere(wrong)[0].tolist()
        got = values[tuple(place)].tolist()
        raise UnreadablePoses(
            f"{clip.place}: {name}{place} is {got}; expected finite numbers wherever the score is "
            "more than 0"
        )


def _finish(
    xy_px: Float32,
    score: Float32,
    frame: Int64,
    track: Int64 | None,
    total: int,
    size: tuple[int, int],
    xyz_m: Float32 | None,
) -> SourcePoses:
    """Without the rows of which no joint was found."""
    there = score.any(axis=1)
    return SourcePoses(
        xy_px=xy_px[there],
        score=score[there],
        frame=frame[there].astype(np.int64),
        num_frames=total,
        track=None if track is None else track[there].astype(np.int64),
        size_wh=size,
        xyz_m=None if xyz_m is None else xyz_m[there],
    )
