"""A pose store of people who wait, raise their hands or lean for a moment, and wait again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from body_joints import body
from cut_answers import sure_of
from made_predictions import predictions

from posemill.pipelines.evaluations import write_evaluation
from posemill.pipelines.metrics import Evaluation
from posemill.pipelines.select.clip_ids import parse_clip_id
from posemill.pipelines.select.cut import Cut, cut_catalog
from posemill.schema import Clip, PoseSequence, TimedLabel, Video, VideoStatus
from posemill.storage.catalog import Catalog, write_catalog
from posemill.storage.poses import PlanTable, PoseStore, VideoRecord
from posemill.transforms.skeletons import COCO_17

CLASSES = ("raise", "lean")
CLIP_FRAMES, NUM_CLIPS = 4, 4
_FPS, _SIDE_PX = 10.0, 240
_FRAMES = CLIP_FRAMES * NUM_CLIPS


@dataclass(frozen=True)
class WaitingFolder:
    """Where they are, and a classifier's answers for their clips."""

    store: Path
    catalog: Path
    """Of short clips."""
    answers: Path
    moving: dict[str, int]
    """Of each video, the clip in which something happens."""


def make_waiting_store(root: Path, per_subset: dict[str, int], seed: int = 0) -> WaitingFolder:
    """Videos `train/0`, ...; the classifier knows the moment of action alone, and then well.

    For the other clips it is less sure, and takes one class for the other.
    """
    rng = np.random.default_rng(seed)
    names = [
        (f"{subset}/{n}", subset) for subset, count in per_subset.items() for n in range(count)
    ]
    moving = {name: int(rng.integers(NUM_CLIPS)) for name, _ in names}
    labels = {name: number % 2 for number, (name, _) in enumerate(names)}
    records = [_record(rng, name, CLASSES[labels[name]], moving[name]) for name, _ in names]
    clips = tuple(
        Clip(name, name, labels=(TimedLabel(CLASSES[labels[name]]),), splits={"default": subset})
        for name, subset in names
    )
    videos = [Video(name, f"{name}.mp4", 1, "") for name, _ in names]
    write_catalog(root / "catalog", Catalog("waiting", "", videos, clips, CLASSES))
    configuration = {"estimator": {"name": "made-up waiting"}, "skeleton": COCO_17.name}
    store = PoseStore.create(root / "poses", configuration, catalog_hint=str(root / "catalog"))
    store.add_plan(0, PlanTable(0, [0] * len(videos), videos, [1.0] * len(videos)))
    store.write_shard(0, records)
    cut = cut_catalog(root / "poses", None, Cut(CLIP_FRAMES, CLIP_FRAMES))
    write_catalog(root / "short", cut.catalog)
    for subset in per_subset:
        chosen = [clip for clip in cut.catalog.clips if clip.splits["default"] == subset]
        _write_answers(root / "answers", chosen, labels, moving, subset)
    return WaitingFolder(root / "poses", root / "short", root / "answers", moving)


def _record(rng: np.random.Generator, video: str, action: str, moving: int) -> VideoRecord:
    joints = body(COCO_17.keypoints, _SIDE_PX / 2, 40)[:, :2] + rng.uniform(-6, 6, 2)
    xy = np.repeat(joints[None], _FRAMES, axis=0)
    progress = np.sin(np.linspace(0, np.pi, CLIP_FRAMES))
    part = "wrist" if action == "raise" else ""
    moved = [n for n, name in enumerate(COCO_17.keypoints) if part in name and "nkle" not in name]
    sign = -1 if action == "raise" else 1
    during = slice(moving * CLIP_FRAMES, (moving + 1) * CLIP_FRAMES)
    xy[during, moved, 1] += sign * 70 * progress[:, None]
    poses = PoseSequence(
        skeleton=COCO_17.name,
        xy_px=(xy + rng.normal(0, 0.5, xy.shape)).astype(np.float32),
        score=np.full(xy.shape[:2], 0.9, np.float32),
        frame=np.arange(_FRAMES),
        slot=np.zeros(_FRAMES, np.int64),
        pts_seconds=np.arange(_FRAMES) / _FPS,
        width=_SIDE_PX,
        height=_SIDE_PX,
        frames_declared=_FRAMES,
    )
    return VideoRecord(video, VideoStatus.OK, "", "", "", poses, _FRAMES, _FRAMES)


def _write_answers(
    folder: Path, clips: list[Clip], labels: dict[str, int], moving: dict[str, int], subset: str
) -> None:
    names = [parse_clip_id(clip.id) for clip in clips]
    right = np.array([moving[video] == number for video, number in names])
    shown = np.array([labels[video] for video, _ in names])
    logits = sure_of(np.where(right, shown, 1 - shown).tolist(), 2, np.where(right, 2.0, 1.5))
    answers = predictions(
        logits,
        shown.tolist(),
        model="made-up",
        subset=subset,
        classes=CLASSES,
        clip_ids=tuple(clip.id for clip in clips),
        video_ids=tuple(clip.video_id for clip in clips),
    )
    write_evaluation(folder, Evaluation(answers))
