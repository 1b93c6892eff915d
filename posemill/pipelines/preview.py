"""What a store holds, as pictures: skeletons on frames, PoTion in colours, maps over time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from posemill.errors import InputError
from posemill.pipelines.drawing import (
    PAPER,
    Cell,
    blank,
    contact_sheet,
    draw_skeletons,
    file_name,
    resize_to_width,
    write_png,
    write_text,
)
from posemill.schema import Float32, PoseSequence, UInt8, Video
from posemill.storage.catalog import Catalog, read_catalog
from posemill.storage.features import FeatureRow, FeatureStore
from posemill.storage.poses import PoseStore
from posemill.storage.video import open_video
from posemill.transforms.outputs import OutputSpec, dequantise
from posemill.transforms.potion import colour_potion, time_encoding
from posemill.transforms.skeletons import get_skeleton

DEFAULT_VIDEOS = 12
_FRAME_WIDTH = 320
_FRAME_COLUMNS = 4
_MAP_WIDTH = 172
_MAP_COLUMNS = 6
_TIMES = 6  # of a volume
_BACKGROUND = (28, 28, 32)
_BAR_HEIGHT = 14


def preview_poses(
    poses: Path,
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


def preview_features(features: Path, out_dir: Path, limit: int = 24) -> list[Path]:
    """PNGs of up to `limit` clips, spread evenly over the classes.

    PoTion maps come as one sheet in colours, from red at a clip's start over
    green to blue at its end; maps over time as a sheet for each clip, the
    brightest joint of each pixel at six times.

    Raises:
        InputError: no such store, nothing in it yet, or nothing that can be drawn.
        EnvironmentFault: the pictures cannot be written.
    """
    if limit < 1:
        raise InputError(f"a preview needs at least 1 clip, got {limit}")
    store = FeatureStore.open(features)
    clips = _choose_clips(store, limit)
    for spec in store.specs:
        if spec.dims == ("keypoint", "channel", "y", "x"):
            sheet = _potion_sheet(store, spec, clips)
            return [write_png(out_dir / f"{spec.name}.png", sheet)]
        if {"keypoint", "time", "y", "x"} <= set(spec.dims):
            return [
                write_png(
                    out_dir / file_name(row.clip_id, ".png"), _time_sheet(store, spec, number, row)
                )
                for number, row in clips
            ]
    held = ", ".join(f"{spec.name} {spec.dims}" for spec in store.specs)
    raise InputError(
        f"{features}: no output with the dimensions keypoint, y, x and channel or time can be "
        f"drawn; it holds: {held}"
    )


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
        raise InputError(f"{store.root} holds no poses yet; extract some first")
    return [decoded[number] for number in _spread(len(decoded), DEFAULT_VIDEOS)]


def _pose_sheet(
    video_id: str,
    pose: PoseSequence,
    videos: tuple[Catalog, dict[str, Video]] | None,
    num_frames: int,
) -> UInt8:
    wanted = _spread(pose.num_frames, num_frames)
    if videos is None:
        pictures: Iterator[UInt8] = iter(
            [blank(pose.height, pose.width, _BACKGROUND) for _ in wanted]
        )
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


def _choose_clips(store: FeatureStore, limit: int) -> list[tuple[int, FeatureRow]]:
    """Row numbers and rows of up to `limit` clips, ordered by class."""
    valid = store.valid()
    rows = [(n, row) for n, row in enumerate(store.rows()) if row is not None and valid[n]]
    if not rows:
        raise InputError(f"{store.root} holds no features yet; materialize some first")
    rows.sort(key=lambda item: item[1].label)
    return [rows[place] for place in _spread(len(rows), limit)]


def _potion_sheet(
    store: FeatureStore, spec: OutputSpec, clips: Sequence[tuple[int, FeatureRow]]
) -> UInt8:
    cells = []
    for number, row in clips:
        maps = _values(store, spec, number)
        colours = colour_potion(maps)
        cells.append(Cell(resize_to_width(colours, _MAP_WIDTH), _clip_caption(store, row)))
    sheet = contact_sheet(f"{spec.name}: where every joint was, and when", cells, _MAP_COLUMNS)
    return np.concatenate([sheet, _time_bar(spec.shape[1], sheet.shape[1])])


def _time_sheet(store: FeatureStore, spec: OutputSpec, number: int, row: FeatureRow) -> UInt8:
    maps = _values(store, spec, number)
    order = [spec.dims.index(dim) for dim in ("time", "keypoint", "y", "x")]
    others = [axis for axis in range(len(spec.dims)) if axis not in order]
    brightest = maps.transpose(*others, *order)[(0,) * len(others)].max(axis=1)  # (T, H, W)
    shades = np.rint(brightest.clip(0.0, 1.0) * 255.0).astype(np.uint8)
    cells = [
        Cell(
            resize_to_width(np.repeat(shades[time, ..., None], 3, axis=-1), _MAP_WIDTH),
            f"t = {time}",
        )
        for time in _spread(len(shades), _TIMES)
    ]
    return contact_sheet(f"{spec.name} of {_clip_caption(store, row)}", cells, _MAP_COLUMNS)


def _values(store: FeatureStore, spec: OutputSpec, number: int) -> Float32:
    return dequantise(store.read(spec.name, number), spec)


def _clip_caption(store: FeatureStore, row: FeatureRow) -> str:
    name = store.classes[row.label] if row.label >= 0 else "no label"
    return f"{name}: {row.clip_id}"


def _time_bar(num_channels: int, width: int) -> UInt8:
    """The colours of time from a clip's start to its end, as `colour_potion` mixes them."""
    bar = blank(_BAR_HEIGHT + 24, width, PAPER)
    left, right = width // 4, width - width // 4
    encoding = time_encoding(right - left, num_channels)  # (W, C)
    maps = np.broadcast_to(encoding.T[None, :, None], (1, num_channels, _BAR_HEIGHT, right - left))
    bar[4 : 4 + _BAR_HEIGHT, left:right] = colour_potion(np.ascontiguousarray(maps))
    write_text(bar, "start of the clip", (8, _BAR_HEIGHT + 2), left - 16)
    write_text(bar, "end of the clip", (right + 8, _BAR_HEIGHT + 2), width - right - 16)
    return bar


def _spread(count: int, wanted: int) -> list[int]:
    """Up to `wanted` of the numbers 0 to count - 1, evenly, the first and the last among them."""
    return sorted({int(place) for place in np.linspace(0, count - 1, min(count, wanted)).round()})
