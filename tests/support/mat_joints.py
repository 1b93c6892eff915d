"""JHMDB's and Penn Action's .mat files, of joints that a test chooses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import savemat


def jhmdb_fields(num_frames: int = 3, **changes: Any) -> dict[str, Any]:
    """In frame t, joint k is at (20 + k + t, 50 + 2k), counted from 1."""
    k, t = np.arange(15.0), np.arange(float(num_frames))
    x, y = np.broadcast_arrays(20 + k[:, None] + t, 50 + 2 * k[:, None])
    size = np.array([320.0, 240.0])[:, None, None]
    image = np.stack([x, y])
    fields = {
        "pos_img": image,
        "pos_world": (image / size - 0.5) * size / 240,
        "scale": np.ones((1, num_frames)),
        "viewpoint": "front",
    }
    return {**fields, **changes}


def penn_fields(num_frames: int = 4, **changes: Any) -> dict[str, Any]:
    """In frame t, joint k is at (20 + k + t, 50 + 2k), counted from 1."""
    t, k = np.arange(float(num_frames))[:, None], np.arange(13.0)
    x, y = np.broadcast_arrays(20 + k + t, 50 + 2 * k)
    fields = {
        "action": "tennis_serve",
        "pose": "back",
        "x": x,
        "y": y,
        "visibility": np.ones((num_frames, 13), bool),
        "train": 1.0,
        "bbox": np.ones((num_frames, 4)),
        "dimensions": np.array([[272.0, 481.0, num_frames]]),
        "nframes": float(num_frames),
    }
    return {**fields, **changes}


def write_mat(path: Path, fields: dict[str, Any], *, packed: bool = True) -> Path:
    """As MATLAB saves, packed unless told otherwise; fields that are None are left out."""
    path.parent.mkdir(parents=True, exist_ok=True)
    given = {name: value for name, value in fields.items() if value is not None}
    savemat(path, given, do_compression=packed)
    return path
