"""What a path holds and how far it is: catalogs, pose stores, feature stores, runs."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from posemill.errors import InputError
from posemill.pipelines.runs import open_run
from posemill.storage.catalog import is_catalog, read_catalog
from posemill.storage.features import FeatureStore
from posemill.storage.layout import FEATURES_KIND, POSES_KIND
from posemill.storage.poses import PoseStore
from posemill.storage.store_root import read_kind


def status(path: Path) -> dict[str, Any]:
    """The kind of what is at `path`, its counts, and what is still missing.

    Raises:
        InputError: nothing of posemill's is there.
    """
    if is_catalog(path):
        return {"kind": "catalog", **_catalog(path)}
    match read_kind(path):
        case kind if kind == POSES_KIND:
            return {"kind": "poses", **_poses(PoseStore.open(path))}
        case kind if kind == FEATURES_KIND:
            return {"kind": "features", **_features(FeatureStore.open(path))}
    if (path / "config.json").is_file():
        return {"kind": "run", **_run(path)}
    raise InputError(
        f"{path} {'holds nothing of posemill' if path.exists() else 'does not exist'}; expected a "
        "catalog, a pose store, a feature store or a run, as made by `posemill index`, "
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
    plans, commits, entries = store.plans(), store.committed(), store.entries()
    return {
        "videos": sum(len(plan.videos) for plan in plans),
        "videos_done": len(entries),
        "shards": sum(len(plan.shards()) for plan in plans),
        "shards_done": len(commits),
        "frames": sum(entry.frames_decoded for entry in entries.values()),
        "person_rows": sum(stop - start for start, stop in (e.rows for e in entries.values())),
        **Counter(str(entry.status) for entry in entries.values()),
        "estimator": store.configuration["estimator"],
        "skeleton": store.configuration["skeleton"],
    }


def _features(store: FeatureStore) -> dict[str, Any]:
    rows = [row for row in store.rows() if row is not None]
    return {
        "clips": len(rows),
        "valid": int(np.count_nonzero(store.valid())),
        "shards": len({row.pose_shard for row in rows}),
        "shards_done": len(store.committed()),
        "classes": len(store.classes),
        "recipe": store.configuration["recipe"]["name"],
        **{spec.name: f"{spec.dtype} {spec.shape}" for spec in store.specs},
    }


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
