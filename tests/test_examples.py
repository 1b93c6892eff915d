"""The examples run, on real stores."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from chain import run_materialize

EXAMPLES = Path(__file__).parents[1] / "examples"


def output_of(example: str, *arguments: Path) -> str:
    command = [sys.executable, "-W", "error", str(EXAMPLES / example), *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_poses_can_be_read(poses: Path) -> None:
    lines = output_of("read_poses.py", poses)
    assert lines.count(": ok, ") == 8
    assert "  track 0: " in lines


def test_features_open_in_xarray(poses: Path, tmp_path: Path) -> None:
    run_materialize(poses, tmp_path / "potion.zarr", "potion")
    lines = output_of("open_features.py", tmp_path / "potion.zarr")
    assert "'clip': 8" in lines
    assert "u {'keypoint': 17, 'channel': 3, 'y': 64, 'x': 86} 0.00 to 1.00" in lines
