"""Cuts the clips of a catalog into short ones of equally many frames."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from posemill.errors import InputError
from posemill.pipelines.pose_catalog import catalog_of
from posemill.pipelines.select.clip_ids import short_clip_id
from posemill.schema import Clip, PoseSequence
from posemill.storage.catalog import Catalog
from posemill.storage.objects import Place
from posemill.storage.poses import PoseStore
from posemill.transforms.clips import clip_frames

Span = tuple[float, float | None]
"""`[start_seconds, end_seconds)`."""


@dataclass(frozen=True, slots=True)
class Cut:
    """How long clips are and how far apart: the paper has 16 frames, and tells no stride.

    Raises:
        InputError: a number below 1.
    """

    frames: int = 16
    stride: int = 16
    """Frames from the start of one to the start of the next, at most."""

    def __post_init__(self) -> None:
        if min(self.frames, self.stride) < 1:
            raise InputError(
                f"clips need a frame or more and a stride of 1 or more, got {self.frames} and "
                f"{self.stride}"
            )


@dataclass(frozen=True, slots=True)
class CutCatalog:
    """A catalog of short clips, and what became of the videos that they are of."""

    catalog: Catalog
    num_videos: int
    num_short: int
    """Videos of fewer frames than a clip has: kept whole."""
    num_unknown: int
    """Videos without any frames: kept whole, so that evaluation counts them as unavailable."""


def cut_catalog(place: Place, catalog: Path | None, cut: Cut) -> CutCatalog:
    """The clips of a catalog, or of that which the poses at `place` were made from, cut.

    Everything but id and span stays as it was: a label with times of its own, too, since
    what the whole video shows is what is to be told of it.

    Raises:
        InputError: poses or catalog cannot be read, no clip has frames, or an id gets too long.
        StoreCorrupted: damaged poses.
    """
    poses = PoseStore.open(place)
    videos = catalog_of(poses, catalog)
    spans, num_short = _spans(poses, videos.clips, cut)
    if not spans:
        raise InputError(
            f"{poses.url} has frames of none of the {len(videos.clips)} clips of the catalog "
            f"{videos.name!r}; extract their videos first, or give the catalog of these poses"
        )
    short = tuple(
        _short_clip(video, number, span)
        for video in videos.clips
        for number, span in enumerate(
            spans.get(video.id, [(video.start_seconds, video.end_seconds)])
        )
    )
    return CutCatalog(
        replace(videos, name=f"{videos.name}, clips of {cut.frames} frames", clips=short),
        num_videos=len(videos.clips),
        num_short=num_short,
        num_unknown=len(videos.clips) - len(spans),
    )


def window_starts(num_frames: int, cut: Cut) -> list[int]:
    """First frames of the fewest clips, evenly spread, that reach from the first frame to the last.

    One for as many frames as a clip has, or fewer.
    """
    room = max(num_frames - cut.frames, 0)
    steps = -(-room // cut.stride)
    return [number * room // steps for number in range(steps + 1)] if steps else [0]


def cut_spans(video: Clip, seconds: npt.NDArray[np.float64], cut: Cut) -> list[Span]:
    """Spans of the clips of a video whose frames (F,) are at these times; none without frames.

    They begin and end halfway between two frames, so that times that were rounded, as
    another decoder's, fall on the same side; the first and the last where the video does.
    """
    if not len(seconds):
        return []
    between = ((seconds[:-1] + seconds[1:]) / 2).tolist()
    # A video from 0 on without an end is all of its file, with times below 0 as well.
    starts = [min(video.start_seconds, float(seconds[0])), *between]
    ends = [*between, video.end_seconds]
    return [
        (starts[first], ends[min(first + cut.frames, len(seconds)) - 1])
        for first in window_starts(len(seconds), cut)
    ]


def _spans(
    poses: PoseStore, videos: tuple[Clip, ...], cut: Cut
) -> tuple[dict[str, list[Span]], int]:
    """Spans of the clips of each video that has frames, and how many are shorter than a clip."""
    by_file: dict[str, list[Clip]] = defaultdict(list)
    for video in videos:
        by_file[video.video_id].append(video)
    found: dict[str, list[Span]] = {}
    num_short = 0
    for commit in poses.committed().values():
        for entry, pose in poses.iter_shard(commit):
            if pose is None:
                continue
            for video in by_file.get(entry.video_id, ()):
                seconds = _times(video, pose)
                if len(seconds):
                    found[video.id] = cut_spans(video, seconds, cut)
                    num_short += len(seconds) < cut.frames
    return found, num_short


def _times(video: Clip, pose: PoseSequence) -> npt.NDArray[np.float64]:
    """(F,) seconds of the video's frames in its file."""
    return pose.pts_seconds[clip_frames(pose, video.start_seconds, video.end_seconds)]


def _short_clip(video: Clip, number: int, span: Span) -> Clip:
    id_ = short_clip_id(video.id, number)
    try:
        return replace(video, id=id_, start_seconds=span[0], end_seconds=span[1])
    except ValueError as error:
        raise InputError(f"{video.id} cannot be cut: {error}; index it by a shorter id") from error
