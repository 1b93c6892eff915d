"""Exports that `import` reads: what comes back is what the store holds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from export_stores import make_catalog, make_pose_store, run_export

from posemill.storage.exports.tracks import find_tracks
from posemill.storage.formats.base import SourcePoses
from posemill.storage.formats.registry import create_format
from posemill.storage.poses import PoseStore
from posemill.transforms.clips import clip_poses


@pytest.fixture
def store(tmp_path: Path) -> PoseStore:
    return make_pose_store(tmp_path / "poses.zarr", make_catalog(tmp_path / "catalog"))


def imported(name: str, path: Path) -> dict[str, SourcePoses]:
    """What a format finds in a file, by the ids of the videos."""
    found = create_format(name)
    return {source.video_id: found.read(source.uri) for source in found.find(path)}


def test_pyskl_comes_back_within_the_steps_of_float16(store: PoseStore, tmp_path: Path) -> None:
    run_export("pyskl", Path(store.url), tmp_path / "out.pkl")
    found = imported("pyskl", tmp_path / "out.pkl")
    assert list(found) == ["c/walk", "c/nobody", "c/run", "c/unknown"]
    for clip_id, video_id, span in (
        ("c/walk", "walk/a.b", (0.04, 0.2)),
        ("c/nobody", "walk/nobody", (0.0, None)),
        ("c/run", "run/ü", (0.0, 1.0)),
    ):
        poses, back = clip_poses(store.read(video_id), *span), found[clip_id]
        assert (back.num_frames, back.size_wh) == (poses.num_frames, (640, 480))
        assert np.array_equal(back.frame, poses.frame)
        assert np.array_equal(back.track, find_tracks(poses).person)
        assert (np.abs(back.score - poses.score) <= 2.0**-11).all()
        assert (np.abs(back.xy_px - poses.xy_px) <= 640 * 2.0**-11).all()


def test_pyskl_of_single_precision_comes_back_bit_for_bit(store: PoseStore, tmp_path: Path) -> None:
    run_export("pyskl", Path(store.url), tmp_path / "out.pkl", dtype="float32")
    back = imported("pyskl", tmp_path / "out.pkl")["c/run"]
    poses = clip_poses(store.read("run/ü"), 0.0, 1.0)
    assert np.array_equal(back.xy_px, poses.xy_px)
    assert np.array_equal(back.score, poses.score)


def test_pyskl_in_3d_comes_back_with_y_down(store: PoseStore, tmp_path: Path) -> None:
    settings = {"space": "3d", "dtype": "float32", "people": 1}
    run_export("pyskl", Path(store.url), tmp_path / "out.pkl", **settings)
    back = imported("pyskl", tmp_path / "out.pkl")["c/walk"]
    poses = clip_poses(store.read("walk/a.b"), 0.04, 0.2)
    assert np.array_equal(back.xyz_m, poses.xyz_m[poses.slot == 0])
