"""A web server with weights, and a cache of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import web_server


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[web_server.WebServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with web_server.running() as server:
        yield server


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("POSEMILL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"
