"""Eight small fixture videos, their catalog, and their poses by `figure`: made once."""

from __future__ import annotations

from pathlib import Path

import pytest
from chain import index, run_extract

from posemill.pipelines.fixtures import FixtureParameters, write_fixtures

NUM_CLIPS = 8


@pytest.fixture(scope="session")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of six training and two test clips, of 36 to 40 frames. Never write to it."""
    root = tmp_path_factory.mktemp("fixtures") / "videos"
    write_fixtures(root, FixtureParameters(num_clips=NUM_CLIPS, seed=5, max_frames=40), workers=2)
    return root


@pytest.fixture(scope="session")
def catalog(videos: Path) -> Path:
    return index(videos, videos.parent / "catalog")


@pytest.fixture(scope="session")
def poses(catalog: Path) -> Path:
    """The pose store of all eight videos, in four shards of two. Never write to it."""
    out = catalog.parent / "poses.zarr"
    run_extract(catalog, out)
    return out
