"""What the estimators' tests share: the real weights, and the real data beside the repository."""

import os
from pathlib import Path

import pytest

from posemill.errors import WeightsUnavailable
from posemill.models.estimators.blazepose.published import MEDIAPIPE
from posemill.models.estimators.blazepose.weights import find_blazepose
from posemill.models.estimators.weights.pull import pull_weights

SHARED = Path(__file__).parents[3].parent / "shared"


@pytest.fixture(scope="session")
def blazepose_weights():
    """The folder of BlazePose's weights in the cache; a skip where they are not there.

    Only POSEMILL_TEST_PULL=1 downloads them, and then a failure to do so is one.
    """
    pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not installed")
    if os.environ.get("POSEMILL_TEST_PULL") == "1":
        return pull_weights(MEDIAPIPE).folder
    try:
        return find_blazepose().folder
    except WeightsUnavailable as error:
        pytest.skip(f"set POSEMILL_TEST_PULL=1 to download what is missing: {error}")


@pytest.fixture(scope="session")
def shared():
    """The folder of real videos and poses beside the repository; a skip where it is absent."""
    if not SHARED.is_dir():
        pytest.skip(f"the shared data is not at {SHARED}")
    return SHARED
