"""The pyskl pickle: what `pickle.load` finds in it, against the store and the catalog."""

from __future__ import annotations

import pickle
import pickletools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from export_stores import CLASSES, make_catalog, make_pose_store, run_export

from posemill.errors import InputError
from posemill.schema import Clip, Video
from posemill.storage.catalog import Catalog, write_catalog
from posemill.storage.exports import tracks
from posemill.storage.exports.pyskl import split_name
from posemill.storage.poses import PoseStore
from posemill.transforms.clips import clip_poses


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    return make_catalog(tmp_path / "catalog")


@pytest.fixture
def store(tmp_path: Path, catalog: Path) -> PoseStore:
    return make_pose_store(tmp_path / "poses.zarr", catalog)


def exported(store: PoseStore, out: Path, catalog: Path | None = None, **settings: object) -> Any:
    run_export("pyskl", Path(store.url), out, catalog, **settings)
    return pickle.loads(out.read_bytes())  # noqa: S301


def test_keys_shapes_types_labels_and_splits_are_as_documented(
    store: PoseStore, tmp_path: Path
) -> None:
    found = exported(store, tmp_path / "out.pkl")
    assert set(found) == {"split", "annotations"}
    walk, nobody, run, unknown = found["annotations"]
    assert [a["frame_dir"] for a in found["annotations"]] == [
        *("c/walk", "c/nobody", "c/run", "c/unknown"),
    ]
    assert list(walk) == [
        *("frame_dir", "total_frames", "img_shape", "original_shape"),
        *("label", "keypoint", "keypoint_score"),
    ]
    assert (walk["total_frames"], walk["img_shape"], walk["original_shape"]) == (
        *(4, (480, 640), (480, 640)),
    )
    assert (walk["keypoint"].shape, walk["keypoint_score"].shape) == ((2, 4, 17, 2), (2, 4, 17))
    assert {walk["keypoint"].dtype, walk["keypoint_score"].dtype} == {np.dtype(np.float16)}
    assert [a.get("label") for a in found["annotations"]] == [2, 0, 1, None]
    assert "label" not in unknown
    assert (nobody["keypoint"].shape, nobody["keypoint_score"].any()) == ((1, 4, 17, 2), False)
    assert run["total_frames"] == 25
    assert found["split"] == {
        "train": ["c/walk", "c/nobody"],
        "xsub_train": ["c/walk", "c/nobody"],
        "test": ["c/run"],
        "xsub_val": ["c/run"],
    }


def test_joints_are_the_stores_within_half_a_step_of_their_type(
    store: PoseStore, tmp_path: Path
) -> None:
    whole = store.read("walk/a.b")
    poses = clip_poses(whole, 0.04, 0.2)  # frames 1 to 4: track 3 comes in its second
    for dtype, step in (("float16", 2.0**-11), ("float32", 2.0**-24)):
        found = exported(store, tmp_path / f"{dtype}.pkl", dtype=dtype)["annotations"][0]
        assert found["keypoint"].dtype == dtype
        for person, slot in enumerate((0, 3)):
            rows = poses.slot == slot
            frames = poses.frame[rows]
            assert frames.tolist() == ([0, 1, 2, 3], [1, 2, 3])[person]
            joints = found["keypoint"][person].astype(np.float64)
            assert (np.abs(joints[frames] - poses.xy_px[rows]) <= step * 640).all()
            scores = found["keypoint_score"][person].astype(np.float64)
            assert (np.abs(scores[frames] - poses.score[rows]) <= step).all()
            assert np.array_equal(scores[frames] > 0, poses.score[rows] > 0)
            absent = np.setdiff1d(np.arange(4), frames)
            assert not joints[absent].any()
            assert not scores[absent].any()


def test_three_dimensions_have_no_scores_and_leave_out_what_has_none(
    store: PoseStore, tmp_path: Path
) -> None:
    summary = run_export("pyskl", Path(store.url), tmp_path / "out.pkl", space="3d")
    found = pickle.loads((tmp_path / "out.pkl").read_bytes())  # noqa: S301
    (walk,) = found["annotations"]
    assert walk["keypoint"].shape == (2, 4, 17, 3)
    assert "keypoint_score" not in walk
    first = store.read("walk/a.b").xyz_m[1]  # row of the clip's first frame; y points down
    assert np.array_equal(walk["keypoint"][0, 0], (first * [1, -1, 1]).astype(np.float16))
    unfit = {each.item_id for each in summary.left_out if "3-D" in each.message}
    assert unfit == {"c/nobody", "c/run", "c/unknown"}


def test_it_refuses_three_dimensions_where_there_are_none(tmp_path: Path, catalog: Path) -> None:
    flat = make_pose_store(tmp_path / "flat.zarr", catalog, with_xyz=False)
    with pytest.raises(InputError, match="no 3-D poses; set space=2d"):
        exported(flat, tmp_path / "out.pkl", space="3d")


def test_several_labels_are_refused_first_or_lists(store: PoseStore, tmp_path: Path) -> None:
    many = make_catalog(tmp_path / "many", labels=2)
    with pytest.raises(
        InputError, match=r"clip c/walk has 2 labels, as have 1 others; set labels=all"
    ):
        exported(store, tmp_path / "out.pkl", many)
    first = exported(store, tmp_path / "first.pkl", many, labels="first")
    assert [a.get("label") for a in first["annotations"]] == [2, 0, 1, None]
    every = exported(store, tmp_path / "all.pkl", many, labels="all")
    assert [a.get("label") for a in every["annotations"]] == [[2, 0], [0, 1], [1], None]
    assert CLASSES[2] == "walk"


def test_people_are_kept_by_rank(store: PoseStore, tmp_path: Path) -> None:
    one = exported(store, tmp_path / "one.pkl", people=1)["annotations"][0]
    two = exported(store, tmp_path / "two.pkl")["annotations"][0]
    assert one["keypoint"].shape[0] == 1
    assert np.array_equal(one["keypoint"], two["keypoint"][:1])


def test_a_clip_too_large_for_one_array_is_left_out_by_name(
    store: PoseStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracks, "MAX_ITEM_BYTES", 4 * 2 * 4 * 17 * 3 - 1)  # of c/walk
    summary = run_export("pyskl", Path(store.url), tmp_path / "out.pkl")
    messages = {each.item_id: each.message for each in summary.left_out}
    assert "2 tracks in 4 frames" in messages["c/walk"]
    assert "--set people=N" in messages["c/walk"]


def test_it_names_only_what_numpy_1_and_2_have_and_remembers_nothing(
    store: PoseStore, tmp_path: Path
) -> None:
    run_export("pyskl", Path(store.url), tmp_path / "out.pkl")
    codes = [
        (op.name, arg) for op, arg, _ in pickletools.genops((tmp_path / "out.pkl").read_bytes())
    ]
    assert {arg for name, arg in codes if name == "GLOBAL"} == {
        *("numpy.core.multiarray _reconstruct", "numpy ndarray", "numpy dtype"),
    }
    assert not {name for name, _ in codes if "PUT" in name or name == "MEMOIZE"}


def test_subsets_are_called_as_pyskl_calls_them() -> None:
    pairs = [("default", "val"), ("split2", "train"), ("xview", "train")]
    assert [split_name(*pair) for pair in pairs] == ["val", "train2", "xview_train"]


def test_two_subsets_of_one_name_are_refused(store: PoseStore, tmp_path: Path) -> None:
    video = Video("walk/a.b", "a.mp4", 1, "")
    clip = Clip("c", video.id, splits={"default": "train1", "split1": "train"})
    write_catalog(tmp_path / "twice", Catalog("twice", "/", [video], (clip,), ()))
    with pytest.raises(
        InputError, match=r"'train' of the split 'split1' and 'train1' of 'default'"
    ):
        exported(store, tmp_path / "out.pkl", tmp_path / "twice")
