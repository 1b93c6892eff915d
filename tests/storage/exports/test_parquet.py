"""The Parquet table: as pyarrow and pandas read it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from export_stores import make_pose_store, record, run_export, some_poses

from posemill.schema import VideoStatus
from posemill.storage.poses import PoseStore
from posemill.transforms.skeletons import COCO_17


@pytest.fixture
def store(tmp_path: Path) -> PoseStore:
    return make_pose_store(tmp_path / "poses.zarr")


def exported(store: PoseStore, out: Path, **settings: object) -> pq.ParquetFile:
    run_export("parquet", Path(store.url), out, **settings)
    return pq.ParquetFile(out, page_checksum_verification=True)


def matrix(column: pa.ChunkedArray) -> np.ndarray:
    return np.stack(column.to_numpy(zero_copy_only=False))


def test_a_row_is_a_person_in_a_frame_bit_for_bit(store: PoseStore, tmp_path: Path) -> None:
    table = exported(store, tmp_path / "out.parquet").read()
    assert table.column_names == [
        *("video_id", "frame", "pts_seconds", "track", "width", "height"),
        *("x", "y", "score", "x_m", "y_m", "z_m"),
    ]
    assert table.schema.field("x").type == pa.list_(pa.float32(), 17)
    assert table["video_id"].unique().to_pylist() == ["walk/a.b", "run/ü"]  # nobody has no row
    for video_id in ("walk/a.b", "run/ü"):
        poses = store.read(video_id)
        rows = table.filter(pa.compute.equal(table["video_id"], video_id))
        assert rows["frame"].to_pylist() == poses.frame.tolist()
        assert rows["track"].to_pylist() == poses.slot.tolist()
        assert rows["pts_seconds"].to_pylist() == poses.pts_seconds[poses.frame].tolist()
        assert set(rows["width"].to_pylist() + rows["height"].to_pylist()) == {640, 480}
        assert np.array_equal(matrix(rows["x"]), poses.xy_px[..., 0])
        assert np.array_equal(matrix(rows["y"]), poses.xy_px[..., 1])
        assert np.array_equal(matrix(rows["score"]), poses.score)
        for axis, name in enumerate(("x_m", "y_m", "z_m")):
            if poses.xyz_m is None:
                assert np.isnan(matrix(rows[name])).all()
            else:
                assert np.array_equal(matrix(rows[name]), poses.xyz_m[..., axis])


def test_the_schema_tells_the_skeleton(store: PoseStore, tmp_path: Path) -> None:
    told = json.loads(exported(store, tmp_path / "out").schema_arrow.metadata[b"posemill"])
    assert told["skeleton"] == "coco-17"
    assert told["keypoints"] == list(COCO_17.keypoints)
    assert told["limbs"] == [list(limb) for limb in COCO_17.limbs]


def test_a_store_without_3d_has_no_columns_of_it(tmp_path: Path) -> None:
    flat = make_pose_store(tmp_path / "flat.zarr", with_xyz=False)
    assert "x_m" not in exported(flat, tmp_path / "out").schema_arrow.names


def test_row_groups_are_shards_and_no_larger_than_is_asked(
    store: PoseStore, tmp_path: Path
) -> None:
    groups = exported(store, tmp_path / "one").metadata
    assert [groups.row_group(n).num_rows for n in range(groups.num_row_groups)] == [9, 3]
    long = some_poses({0: range(1500), 1: range(1000)}, 1500)
    assert store.write_shard(2, [record("later", VideoStatus.OK, long)])
    file = exported(store, tmp_path / "two", group_rows=1024)
    sizes = [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)]
    assert sizes == [9, 3, 1024, 1024, 452]
    rows = file.read(["video_id", "frame"])
    later = rows.filter(pa.compute.equal(rows["video_id"], "later"))
    assert later["frame"].to_pylist() == store.read("later").frame.tolist()


def test_pandas_reads_it(store: PoseStore, tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    run_export("parquet", Path(store.url), tmp_path / "out")
    frame = pandas.read_parquet(tmp_path / "out")
    assert len(frame) == 12
    assert np.array_equal(frame["x"][0], store.read("walk/a.b").xy_px[0, :, 0])
