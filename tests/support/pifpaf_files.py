"""Prediction files as openpifpaf writes them, of joints that a test chooses."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

Person = tuple[np.ndarray, int | None]
"""(17, 3) x, y and c, and the number of the track, if any."""


def person(x: float, y: float = 100.0, c: float = 0.5, track: int | None = None) -> Person:
    """Joint k is at (x + k, y + 2 k)."""
    k = np.arange(17)
    return np.stack([x + k, y + 2 * k, np.full(17, c)], axis=1), track


def prediction(joints: np.ndarray, track: int | None = None) -> dict[str, Any]:
    found = {
        "keypoints": np.asarray(joints, float).ravel().tolist(),
        "bbox": [0.0, 0.0, 1.0, 1.0],
        "score": 0.5,
        "category_id": 1,
    }
    return found if track is None else {**found, "id_": track}


def line(frame: int, people: Sequence[Person]) -> str:
    """Of `openpifpaf.video`; frames are counted from 1 there."""
    predictions = [prediction(*each) for each in people]
    return json.dumps({"frame": frame, "predictions": predictions}, separators=(",", ":")) + "\n"


def write_video(path: Path, frames: Sequence[Sequence[Person]]) -> Path:
    """`NAME.mp4.openpifpaf.json`, or whatever the path is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(line(number, people) for number, people in enumerate(frames, 1)))
    return path


def write_frames(folder: Path, frames: Sequence[Sequence[Person]], name: str = "{}.jpg") -> Path:
    """`1.jpg.predictions.json`, `2.jpg.predictions.json` ..."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, people in enumerate(frames, 1):
        text = json.dumps([prediction(*each) for each in people])
        (folder / f"{name.format(number)}.predictions.json").write_text(text)
    return folder
