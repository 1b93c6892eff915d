"""Pose stores with dense maps: made once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from chain import ignore, index
from dense_stores import keeping
from video_makers import Film, shoot

from posemill.pipelines.extract import extract


@pytest.fixture(scope="session")
def some_videos(videos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two fixture videos, one of another size with nobody in it, one of one frame, one broken."""
    root = tmp_path_factory.mktemp("some") / "videos"
    root.mkdir()
    for number, source in enumerate(sorted(videos.rglob("*.mp4"))[:2]):
        shutil.copy(source, root / f"people{number}.mp4")
    shoot(root / "tall.mp4", Film(frames=5, width=96, height=160))
    shoot(root / "one.mp4", Film(frames=1, width=128, height=64))
    (root / "broken.mp4").write_text("no video" * 99)
    index(root, root.parent / "catalog")
    return root


@pytest.fixture(scope="session")
def dense_poses(some_videos: Path) -> Path:
    """Their poses with all maps that `dense_stores.KEPT` names. Never write to it."""
    out = some_videos.parent / "dense.zarr"
    extract(keeping(some_videos.parent / "catalog", out), ignore)
    return out
