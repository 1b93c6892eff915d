"""Small feature stores of PoTion maps whose classes are easy to tell apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from feature_blocks import in_blocks

from posemill.storage.features import FeatureRow, FeatureStore
from posemill.transforms.recipes import create_recipe
from posemill.transforms.skeletons import COCO_17

CLASSES = ("wave_left", "wave_right", "nod")
HEIGHT, WIDTH = 16, 20
LEFT_WRIST = COCO_17.keypoints.index("left_wrist")
RIGHT_WRIST = COCO_17.keypoints.index("right_wrist")
NOSE = COCO_17.keypoints.index("nose")


def class_maps(label: int, rng: np.random.Generator, channels: int = 3) -> np.ndarray:
    """U (17, C, H, W) uint8: one joint's bright spot, moved a little; flipping swaps 0 and 1."""
    u = rng.integers(0, 20, (17, channels, HEIGHT, WIDTH)).astype(np.uint8)
    joint, x = ((LEFT_WRIST, 14), (RIGHT_WRIST, 3), (NOSE, 8))[label]
    dy, dx = rng.integers(-1, 2, 2)
    u[joint, :, 6 + dy : 10 + dy, x + dx : x + dx + 4] = 255
    return u


def make_potion_store(
    path: Path,
    *,
    per_class: dict[str, int] | None = None,
    classes: tuple[str, ...] = CLASSES,
    mirrors: tuple[int, ...] = (1, 0, 2),
    empty: frozenset[str] = frozenset(),
    unavailable: frozenset[str] = frozenset(),
    labelled: bool = True,
    valid_hw: tuple[int, int] = (HEIGHT, WIDTH),
    channels: int = 3,
    drawn: tuple[int, ...] = (0, 1, 2),
    seed: int = 0,
) -> FeatureStore:
    """A store with `per_class` clips of each class in each subset, named `train/wave_left/0`.

    `empty` clips have maps of zeros; `unavailable` ones have no features. Class n is shown
    by the maps of `class_maps(drawn[n])`.
    """
    rng = np.random.default_rng(seed)
    rows, labels = [], []
    counts = {"train": 8, "test": 3} if per_class is None else per_class
    for subset, count in counts.items():
        for label, name in enumerate(classes):
            declared = (label, mirrors[label]) if labelled else (-1, -1)
            for number in range(count):
                clip_id = f"{subset}/{name}/{number}"
                rows.append(FeatureRow(clip_id, clip_id, *declared, {"default": subset}, 0))
                labels.append(label)
    size = {"canvas_hw": f"{HEIGHT},{WIDTH}", "channels": str(channels)}
    maker = create_recipe("potion", size)
    configuration = {
        "recipe": maker.configuration(),
        "skeleton": COCO_17.name,
        "seed": seed,
    }
    store = FeatureStore.create(path, maker.outputs(COCO_17), configuration, classes)
    if not rows:
        return store
    store.add_rows(rows)
    count = len(rows)
    u = np.stack([class_maps(drawn[label], rng, channels) for label in labels])
    u[[row.clip_id in empty for row in rows]] = 0
    u[:, :, :, valid_hw[0] :] = 0
    u[:, :, :, :, valid_hw[1] :] = 0
    arrays = {
        "u": u,
        "maximum": u.max(axis=(3, 4)).astype(np.float32),
        "num_frames": np.full(count, 30, np.int32),
        "valid_hw": np.tile(np.array(valid_hw, np.int32), (count, 1)),
    }
    valid = np.array([row.clip_id not in unavailable for row in rows])
    store.write_shard(0, "0" * 64, in_blocks(store, arrays, valid))
    return store
