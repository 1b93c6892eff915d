"""Dense maps as they are on their way into a store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from posemill.storage.dense.spool import DenseSpool
from posemill.storage.poses import VideoRecord
from posemill.transforms.sample import DenseKind

Maps = Mapping[DenseKind, np.ndarray]
"""Of a video, by kind (F, C, h, w)."""


def some_maps(
    num_frames: int, seed: int = 0, **shapes: tuple[int, int, int]
) -> dict[DenseKind, np.ndarray]:
    """Values that float16 holds exactly, so that what comes back is what was given."""
    rng = np.random.default_rng(seed)
    drawn = {
        kind: rng.integers(-2048, 2049, (num_frames, *shape)) / 64 for kind, shape in shapes.items()
    }
    return {kind: values.astype(np.float32) for kind, values in drawn.items()}  # type: ignore[misc]


def with_dense(record: VideoRecord, maps: Maps, scratch: Path) -> VideoRecord:
    """The record with these maps, spooled to `scratch`."""
    with DenseSpool(scratch, record.video_id) as spool:
        for frame in range(record.frames_decoded):
            spool.append({kind: values[frame] for kind, values in maps.items()})
        return replace(record, dense=spool.finish())
