"""The people that a pose store holds, drawn on the frames that they were found in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from posemill.errors import InputError
from posemill.pipelines.drawing import (
    Cell,
    blank,
    contact_sheet,
    draw_skeletons,
    file_name,
    resize_to_width,
    write_png,
)
from posemill.pipelines.preview.sheets import GROUND, spread
from posemill.schema import PoseSequence, UInt8, Video
from posemill.storage.catalog import Catalog, read_catalog
from posemill.storage.objects import Place
from posemill.storage.poses import PoseStore
from posemill.storage.video import open_video
from posemill.transforms.skeletons import get_skeleton

DEFAULT_VIDEOS = 12
_FRAME_WIDTH = 320
_FRAME_COLUMNS = 4


def preview_poses(
    poses: Place,
    out_dir: Path,
    video_ids: Sequence[str] | None = None,
    catalog: Path | None = None,
    frames: int = 8,
) -> list[Path]:
    """A PNG for each video: frames spread evenly over it, the people found drawn on them.

    `video_ids` None takes up to 12 videos, spread evenly over the store. The
    frames are decoded again, by the catalog given or the one that the store
    was made from; poses that came without a catalog are drawn on a plain ground.

    Raises:
        InputError: no such store, catalog, video or file; or the file is not
            the one that the poses are of.
        UnreadableVideo: the file cannot be decoded any more.
        EnvironmentFault: the pictures cannot be written.
    """
    if frames < 1:
        raise InputError(f"a preview needs at least 1 frame, got {frames}")
    store = PoseStore.open(poses)
    videos = _videos(store, catalog)
    paths = []
    for video_id in _choose_videos(store, video_ids):
        sheet = _pose_sheet(video_id, store.read(video_id), videos, frames)
        paths.append(write_png(out_dir / file_name(video_id, ".png"), sheet))
    return paths


def _videos(store: PoseStore, catalog: Path | None) -> tuple[Catalog, dict[str, Video]] | None:
    path = catalog or store.catalog_hint
    if path is None:
        return None
    try:
        found = read_catalog(path)
    except InputError as error:
        raise InputError(f"{error} Or say where the catalog is now with --catalog.") from error
    return found, {video.id: video for video in found.videos}


def _choose_videos(store: PoseStore, video_ids: Sequence[str] | None) -> Sequence[str]:
    if video_ids is not None:
        return video_ids
    decoded = [entry.video_id for entry in store.entries().values() if entry.status.has_frames]
    if not decoded:
        raise InputError(f"{store.url} holds no poses yet; extract some first")
    return [decoded[number] for number in spread(len(decoded), DEFAULT_VIDEOS)]


def _pose_sheet(
    video_id: str,
    pose: PoseSequence,
    videos: tuple[Catalog, dict[str, Video]] | None,
    num_frames: int,
) -> UInt8:
    wanted = spread(pose.num_frames, num_frames)
    if videos is None:
        pictures: Iterator[UInt8] = iter([blank(pose.height, pose.width, GROUND) for _ in wanted])
    else:
        pictures = _decode(video_id, pose, *videos, wanted)
    cells = [_pose_cell(pose, frame, rgb) for frame, rgb in zip(wanted, pictures, strict=True)]
    tracks = len(np.unique(pose.slot))
    title = f"{video_id}: {pose.width} x {pose.height} px, {pose.num_frames} frames"
    return contact_sheet(f"{title}, {tracks} tracks", cells, _FRAME_COLUMNS)


def _pose_cell(pose: PoseSequence, frame: int, rgb: UInt8) -> Cell:
    small = resize_to_width(rgb, _FRAME_WIDTH)
    start, stop = pose.frame_ptr[frame : frame + 2]
    scale = np.array([small.shape[1] / pose.width, small.shape[0] / pose.height], np.float32)
    picture = draw_skeletons(
        small,
        (pose.xy_px[start:stop] + np.float32(0.5)) * scale - np.float32(0.5),
        pose.score[start:stop],
        pose.slot[start:stop],
        get_skeleton(pose.skeleton),
    )
    count = int(stop - start)
    people = "nobody" if count == 0 else "1 person" if count == 1 else f"{count} people"
    return Cell(picture, f"frame {frame}, {pose.pts_seconds[frame]:.2f} s, {people}")


def _decode(
    video_id: str,
    pose: PoseSequence,
    catalog: Catalog,
    videos: dict[str, Video],
    wanted: Sequence[int],
) -> Iterator[UInt8]:
    """The frames numbered `wanted`, ascending, of a video."""
    if video_id not in videos:
        raise InputError(
            f"the catalog {catalog.name!r} has no video {video_id!r}; give the one that the poses "
            "were extracted from with --catalog"
        )
    video = videos[video_id]
    path = catalog.video_path(video)
    try:
        reader = open_video(path, start_seconds=video.start_seconds, end_seconds=video.end_seconds)
    except FileNotFoundError as error:
        raise InputError(f"{path} of video {video_id!r} is not there any more") from error
    with reader:
        if (reader.width, reader.height) != (pose.width, pose.height):
            raise InputError(
                f"{path} is {reader.width} x {reader.height} px, and the poses of {video_id!r} "
                f"are of {pose.width} x {pose.height}: the file has changed; extract it again"
            )
        remaining = list(wanted)
        for frame in reader:
            if frame.index == remaining[0]:
                remaining.pop(0)
                yield frame.rgb
            if not remaining:
                return
    raise InputError(
        f"{path} ends before frame {remaining[0]}, and the poses of {video_id!r} have "
        f"{pose.num_frames}: the file has changed; extract it again"
    )
