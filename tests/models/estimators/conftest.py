"""What the estimators' tests share: the real weights, and the real data beside the repository."""

from pathlib import Path

import pytest

from posemill.errors import PosemillError
from posemill.models.estimators.weights import pull_blazepose

SHARED = Path(__file__).parents[3].parent / "shared"


@pytest.fixture(scope="session")
def blazepose_weights():
    """The folder of BlazePose's weights, pulled where they are not cached; else a skip."""
    pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not installed")
    try:
        return pull_blazepose()
    except PosemillError as error:
        pytest.skip(f"BlazePose's weights are not to be had: {error}")


@pytest.fixture(scope="session")
def shared():
    """The folder of real videos and poses beside the repository; a skip where it is absent."""
    if not SHARED.is_dir():
        pytest.skip(f"the shared data is not at {SHARED}")
    return SHARED
