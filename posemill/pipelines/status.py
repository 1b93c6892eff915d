"""What a path holds and how far it is: catalogs, pose stores, feature stores, runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from posemill.errors import InputError
from posemill.pipelines.pace import measure_pace
from posemill.pipelines.runs import open_run
from posemill.schema import VideoStatus
from posemill.storage.catalog import is_catalog, read_catalog
from posemill.storage.commits import FileRecord
from posemill.storage.feature_state import FeatureState
from posemill.storage.features import FeatureCommit, FeatureStore
from posemill.storage.layout import FEATURES_KIND, POSES_KIND
from posemill.storage.objects import LocalObjects, Place, open_objects
from posemill.storage.poses import PlanTable, PoseStore, ShardCommit, VideoEntry
from posemill.storage.store_root import is_absent, read_kind
from posemill.storage.videos import VideoTable


def status(place: Place) -> dict[str, Any]:
    """The kind of what is at `place`, its counts, and what is still missing.

    Raises:
        InputError: nothing of posemill's is there.
    """
    match read_kind(place):
        case kind if kind == POSES_KIND:
            return {"kind": "poses", **_poses(PoseStore.open(place))}
        case kind if kind == FEATURES_KIND:
            return {"kind": "features", **_features(FeatureStore.open(place))}
    objects, is_there = open_objects(place), not is_absent(place)
    if isinstance(objects, LocalObjects):
        is_there = objects.root.exists()
        if is_catalog(objects.root):
            return {"kind": "catalog", **_catalog(objects.root)}
        if (objects.root / "config.json").is_file():
            return {"kind": "run", **_run(objects.root)}
    raise InputError(
        f"{place} {'holds nothing of posemill' if is_there else 'does not exist'}; "
        "expected a catalog, a pose store, a feature store or a run, as made by `posemill index`, "
        "`extract`, `materialize` and `train`"
    )


def _catalog(path: Path) -> dict[str, Any]:
    catalog = read_catalog(path)
    subsets = Counter(
        f"{split}/{subset}" for clip in catalog.clips for split, subset in clip.splits.items()
    )
    return {
        "videos": len(catalog.videos),
        "clips": len(catalog.clips),
        "classes": len(catalog.classes),
        "root": catalog.root,
        **subsets,
    }


def _poses(store: PoseStore) -> dict[str, Any]:
    plans, commits = store.plans(), store.committed()
    entries = [entry for commit in commits.values() for entry in commit.entries]
    by_status = Counter(str(entry.status) for entry in entries)
    void = {entry.video_id for entry in entries if entry.status is VideoStatus.VOID}
    shards = {shard for plan in plans for shard in np.unique(plan.shard_id).tolist()}
    whole = sum(not commit.has_void for commit in commits.values())
    return {
        "videos": sum(len(plan.videos) for plan in plans),
        "videos_done": len(entries) - len(void),
        "shards": len(shards),
        "shards_done": whole,
        "shards_to_do": len(shards | set(commits)) - whole,
        **by_status,
        "reasons": _reasons(entries),
        "frames": sum(entry.frames_decoded for entry in entries),
        "person_rows": sum(stop - start for start, stop in (entry.rows for entry in entries)),
        "bytes": _num_bytes(f for c in commits.values() for f in c.files.values()),
        **_pace(commits.values(), _cost_unit(store), _cost_left(plans, set(commits), void)),
        "estimator": store.configuration["estimator"],
        **_format(store),
        "skeleton": store.configuration["skeleton"],
    }


def _reasons(entries: Iterable[VideoEntry]) -> dict[str, int]:
    """How many videos were set aside for which reason."""
    return dict(
        Counter(
            entry.reason for entry in entries if entry.status is VideoStatus.QUARANTINED
        ).most_common()
    )


def _cost_unit(store: PoseStore) -> str:
    """What the plans count work in."""
    return "source_bytes" if "format" in store.configuration else "footage_seconds"


def _format(store: PoseStore) -> dict[str, str]:
    """Of the files that poses were imported from, where they were."""
    told = store.configuration.get("format")
    return {} if told is None else {"format": told["name"]}


def _cost_left(plans: Iterable[PlanTable], committed: set[int], void: set[str]) -> float:
    """Work, as planned, of shards and void videos that are still to do."""
    left = 0.0
    for plan in plans:
        to_do = ~np.isin(plan.shard_id, list(committed))
        if void:
            to_do |= np.isin(VideoTable.of(plan.videos).ids(), list(void))
        left += float(plan.cost[to_do].sum())
    return left


def _features(store: FeatureStore) -> dict[str, Any]:
    rows = [row for row in store.rows() if row is not None]
    clips, commits = Counter(row.pose_shard for row in rows), store.committed()
    state = store.inspect()
    clips_left = sum(number for shard, number in clips.items() if shard not in commits)
    return {
        "clips": len(rows),
        "valid": state.num_valid,
        "shards": len(clips),
        "shards_done": len(commits),
        "shards_to_do": len(clips.keys() - commits.keys()),
        **_unmade(state),
        "bytes": _num_bytes(commit.files for commit in commits.values()),
        **_pace(commits.values(), "clips", clips_left),
        "classes": len(store.classes),
        "recipe": store.configuration["recipe"]["name"],
        **{spec.name: f"{spec.dtype} {spec.shape}" for spec in store.specs},
    }


def _unmade(state: FeatureState) -> dict[str, dict[str, int]]:
    """How many clips have no features for want of their video's frames, by why."""
    reasons = Counter(told.message.partition(":")[0] for told in state.unmade.values())
    return {"reasons": dict(reasons.most_common())} if reasons else {}


def _num_bytes(files: Iterable[Mapping[str, FileRecord]]) -> int:
    """Of all that is committed."""
    return sum(file.num_bytes for group in files for file in group.values())


def _pace(
    commits: Iterable[ShardCommit | FeatureCommit], unit: str, cost_left: float
) -> dict[str, Any]:
    """The rate of all workers together while any was at work, and what it makes of the rest."""
    pace = measure_pace(commit.attempt for commit in commits)
    return {} if pace is None else pace.as_dict(unit, cost_left)


def _run(path: Path) -> dict[str, Any]:
    run = open_run(path)
    settings = run.identity["config"]
    metrics = run.last_metrics()
    return {
        "model": settings["model"],
        "epochs": settings["epochs"],
        "epochs_done": metrics.get("epoch", 0),
        **{key: metrics[key] for key in ("loss", "accuracy") if key in metrics},
    }
