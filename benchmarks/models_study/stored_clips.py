"""Made-up clips as a pose store and a catalog, the way that training reads any."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models_study.actions import (
    AGAINST_CUE,
    FPS,
    MISLEADING,
    PLAIN,
    WITH_CUE,
    ActionClip,
    Context,
    action_clips,
    make_poses,
)
from models_study.motions import CLASSES
from models_study.plan import Sizes
from posemill.schema import Clip, TimedLabel, Video, VideoStatus
from posemill.storage.catalog import Catalog, write_catalog
from posemill.storage.poses import PlanTable, PoseStore, VideoRecord
from posemill.transforms.skeletons import COCO_17

SPLIT, PROBE_SPLIT = "default", "probe"
TRAIN, MISLED_TRAIN, TESTED, PROBED = "train", "train-misled", "test", "probe"
CUE, NO_CUE = "with-cue", "against-cue"


@dataclass(frozen=True, slots=True)
class Group:
    """Clips of one subset, all in one context; the first `probes` of each class are probed, too."""

    subset: str
    context: Context
    clips: Sequence[ActionClip]
    probes: int = 0

    def clip_id(self, clip: ActionClip) -> str:
        """Of a clip in the store, where an actor may be in several groups."""
        return f"{self.subset}/{CLASSES[clip.label]}/{clip.number:03d}"

    def splits_of(self, clip: ActionClip) -> dict[str, str]:
        """Subsets of a clip by split."""
        probed = {PROBE_SPLIT: PROBED} if clip.number < self.probes else {}
        return {SPLIT: self.subset, **probed}


def study_groups(sizes: Sizes) -> list[Group]:
    """All clips of a seed."""
    learnt = action_clips("train", sizes.train_per_class)
    probes = action_clips("test", sizes.probe_per_class)
    return [
        Group(TRAIN, PLAIN, learnt),
        Group(MISLED_TRAIN, MISLEADING, learnt),
        Group(TESTED, PLAIN, action_clips("test", sizes.test_per_class), sizes.probe_per_class),
        Group(CUE, WITH_CUE, probes),
        Group(NO_CUE, AGAINST_CUE, probes),
    ]


@dataclass(frozen=True, slots=True)
class ClipFolder:
    """Where the clips of a seed are."""

    root: Path

    @property
    def store(self) -> Path:
        return self.root / "poses.zarr"

    @property
    def catalog(self) -> Path:
        return self.root / "catalog"


def write_clips(root: Path, seed: int, groups: Sequence[Group]) -> ClipFolder:
    """Make all clips of a seed, a shard for each group; what is there whole is left alone."""
    if not root.exists():
        draft = ClipFolder(root.with_suffix(".draft"))
        shutil.rmtree(draft.root, ignore_errors=True)
        write_catalog(draft.catalog, _catalog(groups))
        _write_store(draft.store, seed, groups)
        draft.root.rename(root)
    return ClipFolder(root)


def _write_store(path: Path, seed: int, groups: Sequence[Group]) -> None:
    configuration = {
        "estimator": {"name": "made-up actions", "seed": seed},
        "skeleton": COCO_17.name,
    }
    store = PoseStore.create(path, configuration)
    shards = np.repeat(np.arange(len(groups)), [len(group.clips) for group in groups])
    store.add_plan(0, PlanTable(0, shards, _videos(groups), np.ones(len(shards))))
    for number, group in enumerate(groups):
        store.write_shard(number, [_record(group, clip, seed) for clip in group.clips])


def _record(group: Group, clip: ActionClip, seed: int) -> VideoRecord:
    poses = make_poses(clip, seed, group.context)
    frames = poses.num_frames
    return VideoRecord(group.clip_id(clip), VideoStatus.OK, "", "", "", poses, frames, frames)


def _videos(groups: Sequence[Group]) -> list[Video]:
    ids = [group.clip_id(clip) for group in groups for clip in group.clips]
    return [Video(id_, f"{id_}.mp4", 0, "", duration_seconds=60 / FPS) for id_ in ids]


def _catalog(groups: Sequence[Group]) -> Catalog:
    clips = tuple(
        Clip(
            id=group.clip_id(clip),
            video_id=group.clip_id(clip),
            labels=(TimedLabel(CLASSES[clip.label]),),
            splits=group.splits_of(clip),
        )
        for group in groups
        for clip in group.clips
    )
    return Catalog("made-up actions", "", _videos(groups), clips, CLASSES)
