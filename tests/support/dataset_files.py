"""Small datasets for tests: files of annotations as their makers write them, and empty videos."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from posemill.storage.catalog import Catalog
from posemill.storage.datasets.assemble import Indexed, index_dataset
from posemill.storage.datasets.registry import create_dataset
from posemill.storage.identity import ABSENT


def put_files(root: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files below `root`, which is returned."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return root


def put_videos(root: Path, *names: str) -> Path:
    """Files that an index takes for videos, each of other bytes."""
    root.mkdir(parents=True, exist_ok=True)
    return put_files(root, {name: f"video {name}" for name in names})


def index(name: str, *annotations: Path, videos: Path, **settings: str) -> Indexed:
    return index_dataset(create_dataset(name, settings), annotations, str(videos))


def labels(catalog: Catalog) -> dict[str, list[str]]:
    """Names of each clip's labels."""
    return {clip.id: [label.name for label in clip.labels] for clip in catalog.clips}


def splits(catalog: Catalog) -> dict[str, dict[str, str]]:
    return {clip.id: dict(clip.splits) for clip in catalog.clips}


def absent(catalog: Catalog) -> list[str]:
    """Ids of the videos that were not there."""
    return [video.id for video in catalog.videos if video.identity == ABSENT]
