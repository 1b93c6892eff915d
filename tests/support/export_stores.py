"""A small pose store with all that may befall a video, and its catalog, to export."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from posemill.pipelines.export import ExportConfig, ExportSummary, export
from posemill.schema import Clip, PoseSequence, TimedLabel, Video, VideoStatus
from posemill.storage.catalog import Catalog, write_catalog
from posemill.storage.exports.registry import create_export
from posemill.storage.poses import PlanTable, PoseStore, VideoRecord

FPS = 25.0
CLASSES = ("nod", "run", "walk")
SHARDS = (("walk/a.b", "walk/nobody", "gone"), ("broken", "run/ü"), ("later",))
"""Videos by shard; the last shard is not made."""


def some_poses(
    people: Mapping[int, range], num_frames: int, *, with_xyz: bool = False, seed: int = 0
) -> PoseSequence:
    """Poses of tracks in ranges of frames; a fifth of the joints is not found."""
    rng = np.random.default_rng(seed)
    rows = sorted((frame, slot) for slot, frames in people.items() for frame in frames)
    score = rng.random((len(rows), 17), dtype=np.float32)
    score[score < 0.2] = 0
    return PoseSequence(
        skeleton="coco-17",
        xy_px=rng.uniform(-5, 640, (len(rows), 17, 2)).astype(np.float32),
        score=score,
        frame=np.array([frame for frame, _ in rows], np.int64),
        slot=np.array([slot for _, slot in rows], np.int64),
        pts_seconds=np.arange(num_frames) / FPS,
        width=640,
        height=480,
        frames_declared=num_frames,
        xyz_m=rng.normal(0, 2, (len(rows), 17, 3)).astype(np.float32) if with_xyz else None,
    )


def record(video_id: str, status: VideoStatus, poses: PoseSequence | None = None) -> VideoRecord:
    frames = 0 if poses is None else poses.num_frames
    message = "" if status.has_frames else f"{video_id}.mp4: no frame"
    return VideoRecord(video_id, status, "", message, f"id of {video_id}", poses, frames, frames)


def make_pose_store(path: Path, catalog: Path | None = None, *, with_xyz: bool = True) -> PoseStore:
    """Two shards of three: poses (in 3-D if asked), nobody, missing; quarantined, damaged."""
    configuration = {"estimator": {"name": "figure"}, "skeleton": "coco-17"}
    store = PoseStore.create(path, configuration, catalog_hint=catalog and str(catalog))
    planned = [(number, id_) for number, ids in enumerate(SHARDS) for id_ in ids]
    videos = [Video(id_, f"{id_}.mp4", 1, f"id of {id_}") for _, id_ in planned]
    store.add_plan(0, PlanTable(0, [shard for shard, _ in planned], videos, [1.0] * len(videos)))
    two = some_poses({0: range(6), 3: range(2, 5)}, 6, with_xyz=with_xyz)
    nobody, late = some_poses({}, 4), some_poses({1: range(3)}, 50, seed=1)
    store.write_shard(
        0,
        [
            record("walk/a.b", VideoStatus.OK, two),
            record("walk/nobody", VideoStatus.EMPTY, nobody),
            record("gone", VideoStatus.MISSING),
        ],
    )
    store.write_shard(
        1, [record("broken", VideoStatus.QUARANTINED), record("run/ü", VideoStatus.DAMAGED, late)]
    )
    return store


def make_catalog(path: Path, *, labels: int = 1) -> Path:
    """A clip of each video, two more of `run/ü`, one after its end, and one of no video here."""
    ids = [id_ for shard in SHARDS for id_ in shard]
    videos = [Video(id_, f"{id_}.mp4", 1, f"id of {id_}") for id_ in [*ids, "elsewhere"]]
    clips = [
        Clip("c/walk", "walk/a.b", 0.04, 0.2, _labels("walk", labels), splits=_splits("train")),
        Clip("c/nobody", "walk/nobody", labels=_labels("nod", labels), splits=_splits("train")),
        Clip("c/gone", "gone", labels=_labels("run", 1), splits=_splits("train")),
        Clip("c/broken", "broken", labels=_labels("run", 1), splits=_splits("train")),
        Clip("c/run", "run/ü", 0.0, 1.0, _labels("run", 1), splits=_splits("test")),
        Clip("c/unknown", "run/ü"),
        Clip("c/after", "run/ü", 5.0, 6.0, _labels("run", 1), splits=_splits("test")),
        Clip("c/later", "later", labels=_labels("run", 1), splits=_splits("test")),
        Clip("c/elsewhere", "elsewhere", labels=_labels("run", 1), splits=_splits("test")),
    ]
    write_catalog(path, Catalog("made up", "/videos", videos, tuple(clips), CLASSES))
    return path


def run_export(
    kind: str, store: Path, out: Path, catalog: Path | None = None, **settings: object
) -> ExportSummary:
    chosen = create_export(kind, {key: str(value) for key, value in settings.items()})
    return export(ExportConfig(chosen, store, str(out), catalog), lambda _event: None)


def tree(path: Path) -> dict[str, bytes]:
    """Every file at or below a path, by its place."""
    files = [path] if path.is_file() else sorted(path.rglob("*"))
    return {str(each.relative_to(path)): each.read_bytes() for each in files if each.is_file()}


def _labels(first: str, number: int) -> tuple[TimedLabel, ...]:
    names = [first, *(name for name in CLASSES if name != first)]
    return tuple(map(TimedLabel, names[:number]))


def _splits(subset: str) -> dict[str, str]:
    return {"default": subset, "xsub": "train" if subset == "train" else "val"}
