"""Pickles as pyskl's and mmaction2's tools write them."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

SIZE_WH = (320, 240)


def annotation(
    name: str, num_people: int = 2, num_frames: int = 4, num_joints: int = 17, **changes: Any
) -> dict[str, Any]:
    """Joint k of person m in frame t is at (10 k + t, 100 m + k), with a score of 1/2."""
    m, t, k = np.ogrid[:num_people, :num_frames, :num_joints]
    xy = np.broadcast_arrays(10.0 * k + t + 0 * m, 100.0 * m + k + 0 * t)
    return {
        "frame_dir": name,
        "total_frames": num_frames,
        "img_shape": SIZE_WH[::-1],
        "original_shape": SIZE_WH[::-1],
        "label": 1,
        "keypoint": np.stack(xy, axis=-1).astype(np.float16),
        "keypoint_score": np.full((num_people, num_frames, num_joints), 0.5, np.float16),
        **changes,
    }


def write(path: Path, content: object, protocol: int = 2) -> Path:
    """Protocol 2 is what mmcv.dump and mmengine.dump write."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(content, protocol=protocol))
    return path


def write_annotations(
    path: Path, annotations: Sequence[dict[str, Any]], protocol: int = 2, **splits: list[str]
) -> Path:
    return write(path, {"split": splits, "annotations": list(annotations)}, protocol)
