"""Small networks with random weights, made once."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_vitpose import save_detector, save_pose


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of ViTPose's and RT-DETR's weights."""
    folder = tmp_path_factory.mktemp("vitpose")
    save_pose(folder / "pose")
    save_detector(folder / "detector")
    return folder
