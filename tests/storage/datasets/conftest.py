"""A cache of its own for every test: an index of addresses may fetch."""

from __future__ import annotations

from pathlib import Path

import pytest

from posemill.storage.files.cache import FileCache


@pytest.fixture
def cache(tmp_path: Path) -> FileCache:
    return FileCache(tmp_path / "cache", 10_000_000)
