"""Exports of poses hold a few items at a time, however many there are."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pyarrow as pa
import pytest
from export_stores import CLASSES, some_poses

from posemill.schema import Clip
from posemill.storage.catalog import Catalog
from posemill.storage.exports.base import PoseExport, PoseItem, PoseSource
from posemill.storage.exports.registry import create_export
from posemill.transforms.skeletons import COCO_17

NUM_FRAMES = 200  # of which a video's joints take 40 kB


def peak_bytes(export: PoseExport, draft: Path, num_items: int) -> int:
    """What an export of so many videos holds at the most."""
    source = PoseSource("", COCO_17, has_3d=False, catalog=Catalog("", "", [], (), CLASSES))
    poses, arrow = some_poses({0: range(NUM_FRAMES)}, NUM_FRAMES), 0
    if export.makes == "folder":
        draft.mkdir()
    tracemalloc.start()
    try:
        with export.begin(draft, source) as writer:
            for number in range(num_items):
                writer.add(PoseItem(f"{number}", f"{number}", poses, Clip(f"{number}", "v")))
                arrow = max(arrow, pa.total_allocated_bytes())
                writer.end_shard()
        return tracemalloc.get_traced_memory()[1] + arrow
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", ["coco", "movement", "parquet", "pyskl"])
def test_six_times_the_videos_take_no_more_memory(kind: str, tmp_path: Path) -> None:
    export = create_export(kind)
    assert isinstance(export, PoseExport)
    peak_bytes(export, tmp_path / "first", 1)  # loads what is loaded once
    few = peak_bytes(export, tmp_path / "few", 2)
    assert peak_bytes(export, tmp_path / "many", 12) < few + 0.1e6
