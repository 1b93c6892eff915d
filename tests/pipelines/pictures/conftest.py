"""One decoder for all tests that harm none: to start one takes longer than all else here."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from posed_videos import Rendering, WholeFrames

from posemill.pipelines.decode import DecoderPool


@pytest.fixture(scope="module")
def pool() -> Iterator[DecoderPool]:
    with DecoderPool() as pool:
        yield pool


@pytest.fixture
def whole(monkeypatch: pytest.MonkeyPatch, pool: DecoderPool) -> Rendering:
    return Rendering(monkeypatch, WholeFrames(), pool)


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> Rendering:
    """With a decoder of its own."""
    return Rendering(monkeypatch, WholeFrames())
