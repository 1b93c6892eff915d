"""What a source tells, made whole: sizes and times that it lacks, tracks, checks. Pure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from posemill.errors import UnreadablePoses
from posemill.pipelines.import_settings import ImportSettings
from posemill.schema import Float32, Int64, PoseSequence
from posemill.storage.formats.base import SourcePoses
from posemill.transforms.track_ranking import ranked
from posemill.transforms.tracking import Tracker, TrackSettings

PTS_SOURCE = "frame rate"
_MAX_TRACKS = 65_536  # a store keeps their numbers in 16 bits
_MAX_PEOPLE = 1_000  # of a frame: each is compared with each of the frame before


def to_sequence(found: SourcePoses, settings: ImportSettings) -> PoseSequence:
    """The poses of one video, its people numbered by rank.

    Raises:
        UnreadablePoses: there is no frame, or what there is are no poses in such frames.
    """
    if not found.num_frames:
        raise UnreadablePoses("there is not one frame in it")
    size_wh, fps = found.size_wh or settings.size_wh, found.fps or settings.fps
    if size_wh is None or fps is None:
        raise UnreadablePoses(f"tells a size of {size_wh} px and {fps} frames per second")
    found = _in_pixels(found, size_wh)
    try:
        poses = PoseSequence(
            skeleton=settings.format.skeleton,
            xy_px=found.xy_px,
            score=found.score,
            frame=found.frame,
            slot=_slots(found, settings.tracks),
            pts_seconds=np.arange(found.num_frames) / fps,
            width=size_wh[0],
            height=size_wh[1],
            frames_declared=found.num_frames,
            xyz_m=found.xyz_m,
        )
    except ValueError as error:
        raise UnreadablePoses(f"holds no poses: {error}") from error
    _require_inside(poses)
    return ranked(poses, settings.tracks.max_persons)


def _in_pixels(found: SourcePoses, size_wh: tuple[int, int]) -> SourcePoses:
    if not found.of_frame:
        return found
    last = np.array(size_wh, np.float32) - 1
    return replace(found, xy_px=found.xy_px * last, of_frame=False)


def _slots(found: SourcePoses, settings: TrackSettings) -> Int64:
    """(P,) the tracks that the source tells, else those by which people are followed here."""
    if (most := np.bincount(found.frame).max(initial=0)) > _MAX_PEOPLE:
        raise UnreadablePoses(f"has {most:,} people in a frame; expected {_MAX_PEOPLE:,} at most")
    slots = _follow(found, settings) if found.track is None else found.track
    if (number := len(np.unique(slots))) > _MAX_TRACKS:
        raise UnreadablePoses(f"has {number:,} people; expected {_MAX_TRACKS:,} at most")
    return slots


def _follow(found: SourcePoses, settings: TrackSettings) -> Int64:
    tracker, slots = Tracker(settings), np.empty(len(found.score), np.int64)
    bounds = np.searchsorted(found.frame, np.arange(found.num_frames + 1))
    for start, stop in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        slots[start:stop] = tracker.update(found.xy_px[start:stop], found.score[start:stop])
    return slots


def _require_inside(poses: PoseSequence) -> None:
    """A joint may be beside the frame, where a person is cut off, but not by more than its size."""
    size = np.array((poses.width, poses.height), np.float32)
    away = _away(poses.xy_px / size, poses.score)
    if away.max(initial=0.0) > 1.0:
        row, joint = np.unravel_index(int(away.argmax()), away.shape)
        x, y = poses.xy_px[row, joint].tolist()
        raise UnreadablePoses(
            f"frame {int(poses.frame[row])}: a joint is at ({x:g}, {y:g}) px, far outside frames "
            f"of {poses.width} x {poses.height} px: is that their size?"
        )


def _away(position: Float32, score: Float32) -> Float32:
    """(P, K) how far joints at these shares of the frame are outside, 0 within or not detected."""
    outside = np.maximum(-position, position - 1.0).max(axis=-1)
    return np.where(score > 0, np.maximum(outside, 0.0), np.float32(0))
