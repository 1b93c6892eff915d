"""A web server and a cache to fetch into."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import web_server

from posemill.storage.files.cache import FileCache


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[web_server.WebServer]:
    monkeypatch.setenv("POSEMILL_ALLOW_HTTP", "1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with web_server.running() as server:
        yield server


@pytest.fixture
def cache(tmp_path: Path) -> FileCache:
    return FileCache(tmp_path / "cache", 1_000_000)
