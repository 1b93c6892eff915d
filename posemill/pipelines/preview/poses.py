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
from posemill.pipelines.preview.footage import Footage
from posemill.pipelines.preview.kept_maps import DRAWN, kept_sheet
from posemill.pipelines.preview.sheets import GROUND, spread
from posemill.schema import PoseSequence, UInt8
from posemill.storage.objects import Place
from posemill.storage.poses import PoseStore
from posemill.transforms.sample import DenseKind
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

    Where the store keeps joints' or parts' dense maps of it, one more for each kind.
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
    footage = Footage.of(store, catalog)
    paths = []
    for video_id in _choose_videos(store, video_ids):
        pose = store.read(video_id)
        wanted = spread(pose.num_frames, frames)
        shown = [
            resize_to_width(rgb, _FRAME_WIDTH) for rgb in _frames(video_id, pose, footage, wanted)
        ]
        sheet = _pose_sheet(video_id, pose, wanted, shown)
        paths.append(write_png(out_dir / file_name(video_id, ".png"), sheet))
        for kind, sheet in _kept_sheets(store, video_id, pose, wanted, shown):
            paths.append(write_png(out_dir / file_name(video_id, f".{kind}.png"), sheet))
    return paths


def _choose_videos(store: PoseStore, video_ids: Sequence[str] | None) -> Sequence[str]:
    if video_ids is not None:
        return video_ids
    decoded = [entry.video_id for entry in store.entries().values() if entry.status.has_frames]
    if not decoded:
        raise InputError(f"{store.url} holds no poses yet; extract some first")
    return [decoded[number] for number in spread(len(decoded), DEFAULT_VIDEOS)]


def _frames(
    video_id: str, pose: PoseSequence, footage: Footage | None, wanted: Sequence[int]
) -> Iterator[UInt8]:
    if footage is None:
        return iter([blank(pose.height, pose.width, GROUND) for _ in wanted])
    return footage.frames(video_id, pose, wanted)


def _kept_sheets(
    store: PoseStore,
    video_id: str,
    pose: PoseSequence,
    wanted: Sequence[int],
    shown: Sequence[UInt8],
) -> Iterator[tuple[DenseKind, UInt8]]:
    kinds = store.dense_kinds(store.entries()[video_id])
    cells = [
        Cell(picture, f"frame {frame}, {pose.pts_seconds[frame]:.2f} s")
        for frame, picture in zip(wanted, shown, strict=True)
    ]
    for kind in (kind for kind in DRAWN if kind in kinds):
        maps = store.read_dense(video_id, [kind], np.array(wanted))
        skeleton = get_skeleton(pose.skeleton)
        yield kind, kept_sheet(kind, video_id, cells, maps, skeleton, _FRAME_COLUMNS)


def _pose_sheet(
    video_id: str, pose: PoseSequence, wanted: Sequence[int], shown: Sequence[UInt8]
) -> UInt8:
    cells = [_pose_cell(pose, frame, small) for frame, small in zip(wanted, shown, strict=True)]
    tracks = len(np.unique(pose.slot))
    title = f"{video_id}: {pose.width} x {pose.height} px, {pose.num_frames} frames"
    return contact_sheet(f"{title}, {tracks} tracks", cells, _FRAME_COLUMNS)


def _pose_cell(pose: PoseSequence, frame: int, small: UInt8) -> Cell:
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
