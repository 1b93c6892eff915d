"""Runs that look evaluated: weights and answers by hand, beside a store of what they were of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from made_predictions import answers

from posemill.models.base import Model
from posemill.pipelines.evaluations import write_attention, write_evaluation
from posemill.pipelines.metrics import Evaluation
from posemill.pipelines.runs import held_run
from posemill.pipelines.training.config import TrainConfig
from posemill.storage.features import FeatureRow, FeatureStore
from posemill.transforms.recipes import create_recipe
from posemill.transforms.skeletons import COCO_17

CLASSES = ("wave", "nod")
CLIP_IDS = ("test/0", "test/1")


def make_store(
    path: Path, recipe: str, settings: dict[str, str], **arrays: np.ndarray
) -> FeatureStore:
    """Two clips of the same arrays, zeros where none are given."""
    maker = create_recipe(recipe, settings)
    target = maker.target(COCO_17)
    configuration = {"recipe": maker.configuration(), "skeleton": target.name}
    store = FeatureStore.create(path, maker.outputs(target), configuration, CLASSES)
    rows = [
        FeatureRow(clip_id, clip_id, n, -1, {"default": "test"}, 0)
        for n, clip_id in enumerate(CLIP_IDS)
    ]
    store.add_rows(rows)
    once = {spec.name: arrays.get(spec.name, spec.zeros()) for spec in store.specs}
    twice = {name: np.stack([array, array]) for name, array in once.items()}
    store.write_shard(0, "0" * 64, [(twice, np.array([True, True]))])
    return store


def make_run(
    path: Path,
    model: Model,
    store: FeatureStore,
    weights: dict[str, np.ndarray],
    clip_ids: tuple[str, ...] = CLIP_IDS,
    *,
    flip: bool = False,
) -> Path:
    """A run on the store, which answers `wave` to both clips, with weights (2, V, ...); with
    `flip` half of the V views are mirror images."""
    identity = {
        "config": TrainConfig(model=model, epochs=1).identity(),
        "features": {"configuration": store.configuration},
        "classes": list(CLASSES),
        "shapes": {},
    }
    with held_run(path, identity, {}):
        pass
    made_with = {"flip": str(flip).lower(), "store": store.url}
    told = answers(
        [0, 0], [0, 1], 2, clip_ids=clip_ids, classes=CLASSES, model=model.name, made_with=made_with
    )
    write_evaluation(path, Evaluation(told))
    write_attention(path, "test", clip_ids, weights)
    return path
