"""The netCDF files of `movement`: as xarray opens them, and by movement's own validators."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from export_stores import make_catalog, make_pose_store, run_export, some_poses

from posemill.errors import InputError, MissingDependency
from posemill.schema import PoseSequence
from posemill.storage.exports import movement as module
from posemill.storage.exports.movement import to_dataset
from posemill.storage.poses import PoseStore

xr = pytest.importorskip("xarray")
DIMS = ("time", "space", "keypoints", "individuals")


@pytest.fixture
def store(tmp_path: Path) -> PoseStore:
    return make_pose_store(tmp_path / "poses.zarr")


@pytest.fixture
def check_with_movement() -> Callable[[object], None]:
    """By the toolbox itself, which brings a graphical interface, so it is not always there."""
    validators = pytest.importorskip("movement.validators.datasets")
    kinematics = pytest.importorskip("movement.kinematics")

    def check(dataset: object) -> None:
        validators.ValidPosesInputs.validate(dataset)
        assert dataset.attrs["ds_type"] == "poses"
        again = validators.ValidPosesInputs(
            position_array=dataset.position.values,
            confidence_array=dataset.confidence.values,
            individual_names=dataset.individuals.values,
            keypoint_names=dataset.keypoints.values,
            fps=dataset.attrs.get("fps"),
            source_software=dataset.attrs["source_software"],
        ).to_dataset()
        assert again.position.dims == dataset.position.dims
        assert again.confidence.dims == dataset.confidence.dims
        if "fps" in again.attrs:
            assert set(again.attrs) <= set(dataset.attrs)
            np.testing.assert_allclose(
                again.time, dataset.time - dataset.time[0], rtol=0, atol=2e-6
            )
            assert kinematics.compute_velocity(dataset.position).shape == dataset.position.shape

    return check


def rows_of(dataset: object) -> dict[tuple[int, int], tuple[np.ndarray, np.ndarray]]:
    """Frame and track of everybody who is there to positions (K, S) and scores (K,)."""
    there = ~np.isnan(dataset.confidence.values).all(axis=1)
    return {
        (int(frame), int(str(dataset.individuals.values[person]).removeprefix("id_"))): (
            dataset.position.values[frame, :, :, person].T,
            dataset.confidence.values[frame, :, person],
        )
        for frame, person in np.argwhere(there)
    }


def assert_holds(dataset: object, poses: PoseSequence, values: np.ndarray) -> None:
    found = rows_of(dataset)
    keys = list(zip(poses.frame.tolist(), poses.slot.tolist(), strict=True))
    assert sorted(found) == sorted(keys)
    for row, key in enumerate(keys):
        seen = poses.score[row] > 0
        position, confidence = found[key]
        assert np.array_equal(position[seen], values[row][seen])
        assert np.isnan(position[~seen]).all()
        assert np.array_equal(confidence, poses.score[row])
    assert np.array_equal(dataset.time.values, poses.pts_seconds)


def test_a_file_holds_the_stores_poses_bit_for_bit(store: PoseStore, tmp_path: Path) -> None:
    run_export("movement", Path(store.url), tmp_path / "out")
    files = sorted(
        str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.nc")
    )
    assert files == ["run/ü.nc", "walk/a.b.nc", "walk/nobody.nc"]
    for name in ("walk/a.b", "run/ü"):
        poses = store.read(name)
        with xr.open_dataset(tmp_path / "out" / f"{name}.nc", engine="scipy") as dataset:
            assert dataset.position.dims == DIMS
            assert dataset.confidence.dims == ("time", "keypoints", "individuals")
            assert dataset.position.dtype == dataset.confidence.dtype == np.float32
            assert_holds(dataset, poses, poses.xy_px)
            assert dataset.attrs == {
                "source_software": "posemill",
                "ds_type": "poses",
                "time_unit": "seconds",
                "fps": 25.0,
                "skeleton": "coco-17",
                "frame_width": 640,
                "frame_height": 480,
                "source_file": name,
            }
            assert dataset.space.values.tolist() == ["x", "y"]
            assert dataset.keypoints.values[0] == "nose"


def test_nobody_is_one_person_who_is_never_there(store: PoseStore) -> None:
    dataset = to_dataset(store.read("walk/nobody"))
    assert dict(dataset.sizes) == {"time": 4, "space": 2, "keypoints": 17, "individuals": 1}
    assert not rows_of(dataset)


def test_three_dimensions_are_metres_and_people_are_kept_by_rank(store: PoseStore) -> None:
    poses = store.read("walk/a.b")
    dataset = to_dataset(poses, space="3d")
    assert dataset.space.values.tolist() == ["x", "y", "z"]
    assert_holds(dataset, poses, poses.xyz_m)
    assert to_dataset(poses, max_people=1).individuals.values.tolist() == ["id_0"]
    with pytest.raises(ValueError, match="no 3-D positions"):
        to_dataset(store.read("run/ü"), space="3d")


def test_a_clip_keeps_the_times_of_its_video(store: PoseStore, tmp_path: Path) -> None:
    catalog = make_catalog(tmp_path / "catalog")
    run_export("movement", Path(store.url), tmp_path / "out", catalog, people=1)
    with xr.open_dataset(tmp_path / "out" / "c" / "walk.nc", engine="scipy") as dataset:
        assert dataset.time.values.tolist() == [0.04, 0.08, 0.12, 0.16]
        assert dataset.attrs["source_file"] == "walk/a.b"


def test_frames_that_come_unevenly_have_their_mean_rate_and_one_has_none() -> None:
    poses = some_poses({0: range(3)}, 3)
    poses.pts_seconds[:] = [1.0, 1.1, 1.5]
    assert to_dataset(poses).attrs["fps"] == 4.0
    assert "fps" not in to_dataset(some_poses({0: range(1)}, 1)).attrs


def test_it_refuses_what_it_cannot_hold_by_name(
    tmp_path: Path, store: PoseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    flat = make_pose_store(tmp_path / "flat.zarr", with_xyz=False)
    with pytest.raises(InputError, match="no 3-D poses; set space=2d"):
        run_export("movement", Path(flat.url), tmp_path / "out", space="3d")
    summary = run_export("movement", Path(store.url), tmp_path / "3d", space="3d")
    assert {each.item_id for each in summary.left_out if "3-D" in each.message} == {
        *("walk/nobody", "run/ü"),
    }
    monkeypatch.setattr(module, "_MAX_NAME_BYTES", 6)
    summary = run_export("movement", Path(store.url), tmp_path / "short")
    assert [each.item_id for each in summary.left_out if "too long" in each.message] == [
        "walk/nobody"
    ]
    monkeypatch.setattr(module, "find_spec", lambda _name: None)
    with pytest.raises(MissingDependency, match=r"posemill export movement needs .*'xarray'"):
        run_export("movement", Path(store.url), tmp_path / "out")


@pytest.mark.filterwarnings("ignore:numpy.ndarray size changed:RuntimeWarning")  # netCDF4's
def test_movement_takes_every_file(
    store: PoseStore, tmp_path: Path, check_with_movement: Callable[[object], None]
) -> None:
    run_export("movement", Path(store.url), tmp_path / "out")
    run_export("movement", Path(store.url), tmp_path / "3d", space="3d")
    for path in [*(tmp_path / "out").rglob("*.nc"), *(tmp_path / "3d").rglob("*.nc")]:
        with xr.open_dataset(path) as dataset:
            check_with_movement(dataset)
