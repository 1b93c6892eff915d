"""Pose stores of small made-up actions that are easy to tell apart, and their catalogs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import numpy as np
from body_joints import body

from posemill.schema import Clip, PoseSequence, TimedBox, TimedLabel, Video, VideoStatus
from posemill.storage.catalog import Catalog, write_catalog
from posemill.storage.poses import PlanTable, PoseStore, VideoRecord
from posemill.transforms.skeletons import COCO_17, get_skeleton

CLASSES = ("raise", "lean")
NUM_FRAMES, FPS = 10, 10.0
SIDE_PX = 240
MIDDLE_SECONDS = 0.5
_APART_PX = 55
"""Of a person from the frame's middle, where there are two."""

Actions = tuple[str, ...]


@dataclass(frozen=True)
class ActionFolder:
    """Where they are."""

    store: Path
    catalog: Path


def make_action_store(
    root: Path,
    shown: Sequence[Actions] = (("raise",), ("lean",)),
    *,
    per_subset: dict[str, int] | None = None,
    skeleton: str = COCO_17.name,
    classes: tuple[str, ...] = CLASSES,
    seed: int = 0,
) -> ActionFolder:
    """Videos `train/0`, ... of one person, who does what `shown` says in turn."""
    plans = _plans(per_subset)
    rng = np.random.default_rng(seed)
    people = list(zip(plans, cycle(shown), strict=False))
    records = [
        _record(video, [_person(rng, actions, 0.0, skeleton)], skeleton)
        for (video, _), actions in people
    ]
    clips = [
        Clip(video, video, labels=_labels(actions), splits={"default": subset})
        for (video, subset), actions in people
    ]
    return _write(root, records, clips, skeleton, classes)


def make_box_store(
    root: Path, *, per_subset: dict[str, int] | None = None, seed: int = 0
) -> ActionFolder:
    """Videos of two people, one who raises and one who leans; a clip and a box for each, as AVA."""
    rng = np.random.default_rng(seed)
    records, clips = [], []
    for number, (video, subset) in enumerate(_plans(per_subset)):
        sides = ((-1, "raise"), (1, "lean")) if number % 2 else ((1, "raise"), (-1, "lean"))
        people = [_person(rng, (action,), side * _APART_PX, COCO_17.name) for side, action in sides]
        records.append(_record(video, people, COCO_17.name))
        clips += [
            Clip(
                f"{video}/{action}",
                video,
                labels=_labels((action,)),
                splits={"default": subset},
                boxes=(_box(person),),
            )
            for person, (_, action) in zip(people, sides, strict=True)
        ]
    return _write(root, records, clips, COCO_17.name, CLASSES)


def _plans(per_subset: dict[str, int] | None) -> list[tuple[str, str]]:
    """Id and subset of each video."""
    counts = per_subset or {"train": 12, "test": 4}
    return [(f"{subset}/{n}", subset) for subset, count in counts.items() for n in range(count)]


def _person(
    rng: np.random.Generator, actions: Actions, aside_px: float, skeleton: str
) -> np.ndarray:
    """(T, K, 2) px: somebody at a place of their own who raises the hands, leans, or both."""
    names = get_skeleton(skeleton).keypoints
    joints = body(names, SIDE_PX / 2 + aside_px, 40)[:, :2] + rng.uniform(-6, 6, 2)
    xy = np.repeat(joints[None], NUM_FRAMES, axis=0)
    progress = np.linspace(0, 1, NUM_FRAMES)
    if "raise" in actions:
        hands = [number for number, name in enumerate(names) if "wrist" in name]
        xy[:, hands, 1] -= 90 * progress[:, None]
    if "lean" in actions:
        upper = [number for number, name in enumerate(names) if "nkle" not in name]
        xy[:, upper, 0] += 30 * np.sin(np.pi * progress)[:, None]
        xy[:, upper, 1] += 50 * progress[:, None]
    return xy + rng.normal(0, 0.5, xy.shape)


def _box(xy: np.ndarray) -> TimedBox:
    """Around a person in the middle frame."""
    middle = xy[int(MIDDLE_SECONDS * FPS)]
    left, top = np.clip((middle.min(axis=0) - 3) / SIDE_PX, 0, 1).tolist()
    right, bottom = np.clip((middle.max(axis=0) + 3) / SIDE_PX, 0, 1).tolist()
    return TimedBox(MIDDLE_SECONDS, left, top, right, bottom)


def _record(video: str, people: Sequence[np.ndarray], skeleton: str) -> VideoRecord:
    xy = np.stack(people, axis=1)  # (T, P, K, 2)
    frames, num_people, num_keypoints, _ = xy.shape
    rows = frames * num_people
    poses = PoseSequence(
        skeleton=skeleton,
        xy_px=xy.reshape(rows, num_keypoints, 2).astype(np.float32),
        score=np.full((rows, num_keypoints), 0.9, np.float32),
        frame=np.repeat(np.arange(frames), num_people),
        slot=np.tile(np.arange(num_people), frames),
        pts_seconds=np.arange(frames) / FPS,
        width=SIDE_PX,
        height=SIDE_PX,
        frames_declared=frames,
    )
    return VideoRecord(video, VideoStatus.OK, "", "", "", poses, frames, frames)


def _labels(actions: Actions) -> tuple[TimedLabel, ...]:
    return tuple(TimedLabel(action) for action in actions)


def _write(
    root: Path,
    records: Sequence[VideoRecord],
    clips: Sequence[Clip],
    skeleton: str,
    classes: tuple[str, ...],
) -> ActionFolder:
    folder = ActionFolder(root / "poses.zarr", root / "catalog")
    seconds = NUM_FRAMES / FPS
    videos = [
        Video(each.video_id, f"{each.video_id}.mp4", 1, "", duration_seconds=seconds)
        for each in records
    ]
    write_catalog(folder.catalog, Catalog("made-up actions", "", videos, tuple(clips), classes))
    configuration = {"estimator": {"name": "made-up actions"}, "skeleton": skeleton}
    store = PoseStore.create(folder.store, configuration, catalog_hint=str(folder.catalog))
    store.add_plan(0, PlanTable(0, [0] * len(videos), videos, [1.0] * len(videos)))
    store.write_shard(0, records)
    return folder
