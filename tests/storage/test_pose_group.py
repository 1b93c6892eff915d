"""What our reader reads of a group is what zarr-python reads of it, or it is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from posemill.errors import InputError, StoreCorrupted
from posemill.schema import PoseSequence, VideoStatus
from posemill.storage import layout, ragged_reader
from posemill.storage.fixed_point import dequantise
from posemill.storage.layout import ROWS_PER_CHUNK, RaggedArray
from posemill.storage.objects import LocalObjects
from posemill.storage.pose_group import PoseGroup, write_group
from posemill.storage.pose_records import VideoRecord
from posemill.storage.ragged_reader import RowReader, object_name, read_arrays

MakePoses = Callable[..., PoseSequence]
MakeRecord = Callable[..., VideoRecord]


def _random_array(spec: RaggedArray, num_rows: int, seed: int) -> np.ndarray:  # type: ignore[type-arg]
    shape = (num_rows, *(3, 2)[: len(spec.dims) - 1])
    bits = np.random.default_rng(seed).integers(0, 256, (*shape, np.dtype(spec.dtype).itemsize))
    values = bits.astype(np.uint8).view(spec.dtype)[..., 0]
    return np.nan_to_num(values) if spec.dtype == "float32" else values


@pytest.mark.parametrize("spec", [layout.TRIPLETS, layout.FRAME, layout.PTS_US, layout.XYZ_M])
@pytest.mark.parametrize("tail", [16, 65536])
@given(data=st.data(), num_rows=st.integers(0, 40), seed=st.integers(0, 2**32))
@settings(max_examples=8)
def test_any_rows_are_those_that_zarr_reads(
    tmp_path_factory: pytest.TempPathFactory,
    spec: RaggedArray,
    tail: int,
    data: st.DataObject,
    num_rows: int,
    seed: int,
) -> None:
    folder = tmp_path_factory.mktemp("group")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout, "ROWS_PER_CHUNK", 8)
        patch.setattr(ragged_reader, "ROWS_PER_CHUNK", 8)
        patch.setattr(ragged_reader, "_TAIL_BYTES", tail)
        values = _random_array(spec, num_rows, seed)
        layout.write_ragged(zarr.create_group(folder), spec, values)
        oracle = zarr.open_array(folder / spec.name, mode="r")
        reader = RowReader(LocalObjects(folder), spec, values.shape)
        for _ in range(4):
            start = data.draw(st.integers(0, num_rows))
            stop = data.draw(st.integers(start, num_rows))
            found = reader.read(start, stop)
            assert found.dtype == oracle.dtype
            assert found.tobytes() == np.asarray(oracle[start:stop]).tobytes()
            assert found.shape == (stop - start, *values.shape[1:])
        whole = read_arrays(LocalObjects(folder), {spec: values.shape})[spec.name]
        assert whole.tobytes() == np.asarray(oracle[...]).tobytes() == values.tobytes()


@pytest.fixture(scope="module")
def records(make_poses: MakePoses, make_record: MakeRecord) -> list[VideoRecord]:
    """Videos of which one lies in three chunks and others share one."""
    long = make_poses(ROWS_PER_CHUNK, 2, seed=3, with_xyz=True)
    return [
        make_record("a", make_poses(5, 3, seed=1)),
        make_record("gone", status=VideoStatus.MISSING),
        make_record("long", long),
        make_record("nobody", make_poses(4, 0), status=VideoStatus.EMPTY),
        make_record("z", make_poses(6, 2, seed=2, with_xyz=True, width=5000)),
    ]


@pytest.fixture
def files(written: Mapping[str, bytes], tmp_path: Path) -> Mapping[str, bytes]:
    """A written group's objects, there once more."""
    for name, data in written.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    return written


@pytest.fixture(scope="module")
def written(
    records: list[VideoRecord], tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, bytes]:
    return write_group(LocalObjects(tmp_path_factory.mktemp("group")), records, 0).files


def _undone_by_zarr(group: zarr.Group, position: int) -> tuple[np.ndarray, ...]:  # type: ignore[type-arg]
    """Frame, slot, pixels and scores by the arithmetic that docs/stores.md tells."""
    start, stop = group["video_ptr"][position : position + 2]  # type: ignore[index]
    steps = np.asarray(group["triplets"][start:stop])  # type: ignore[index]
    triplets = (steps - 128).cumsum(axis=0, dtype="uint16")
    xy_px, score = dequantise(triplets, float(group["scale"][position]), 4096)  # type: ignore
    return group["frame"][start:stop], group["slot"][start:stop], xy_px, score  # type: ignore


@pytest.mark.parametrize("whole", [False, True])
def test_poses_are_those_that_zarr_and_a_running_sum_give(
    tmp_path: Path, records: list[VideoRecord], whole: bool
) -> None:
    written = write_group(LocalObjects(tmp_path), records, 0)
    assert written.row_ptr.tolist() == [0, 15, 15, 15 + 2048, 2063, 2075]
    group, ours = (
        zarr.open_group(tmp_path, mode="r"),
        PoseGroup(LocalObjects(tmp_path), whole=whole),
    )
    for position, record in enumerate(records):
        assert ours.row_range(position) == tuple(written.row_ptr[position : position + 2].tolist())
        if record.poses is None:
            continue
        pose = ours.read(position)
        frame, slot, xy_px, score = _undone_by_zarr(group, position)
        order = np.lexsort((slot, frame))
        assert np.array_equal(pose.frame, frame[order])
        assert np.array_equal(pose.slot, slot[order])
        assert pose.xy_px.tobytes() == xy_px[order].tobytes()
        assert pose.score.tobytes() == score[order].tobytes()
        assert (pose.xyz_m is None) == (record.poses.xyz_m is None)


def test_what_is_written_is_what_is_told(tmp_path: Path, records: list[VideoRecord]) -> None:
    written = write_group(LocalObjects(tmp_path), records, 7)
    found = {p.relative_to(tmp_path).as_posix(): p for p in tmp_path.rglob("*") if p.is_file()}
    assert sorted(written.files) == sorted(found)
    assert all(path.read_bytes() == written.files[name] for name, path in found.items())
    group = zarr.open_group(tmp_path, mode="r")
    assert group.attrs["generation"] == 7
    shapes = {name: list(array.shape) for name, array in group.arrays()}
    assert group.attrs["shapes"] == shapes


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("spec", [layout.TRIPLETS, layout.FRAME, layout.VIDEO_PTR, layout.XYZ_M])
@pytest.mark.parametrize("fault", ["missing", "cut", "empty", "longer", "begin", "middle", "end"])
def test_damaged_objects_are_refused(
    tmp_path: Path, files: Mapping[str, bytes], whole: bool, spec: RaggedArray, fault: str
) -> None:
    data = files[object_name(spec)]
    at = {"begin": 0, "middle": len(data) // 2, "end": len(data) - 1}.get(fault, 0)
    damaged = {
        "cut": data[:-1],
        "empty": b"",
        "longer": data + b"\0",
    }.get(fault, data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    path = tmp_path / object_name(spec)
    path.write_bytes(damaged)
    if fault == "missing":
        path.unlink()
    group = PoseGroup(LocalObjects(tmp_path), whole=whole)
    with pytest.raises(StoreCorrupted, match=f"/{spec.name}/c/0"):
        [group.read(position) for position in (0, 2, 4)]


@pytest.mark.parametrize("content", [None, b"", b"[]", b"{}", b'{"attributes": {}}'])
def test_a_group_without_its_metadata_is_refused(
    tmp_path: Path, files: Mapping[str, bytes], content: bytes | None
) -> None:
    (tmp_path / "zarr.json").unlink()
    if content is not None:
        (tmp_path / "zarr.json").write_bytes(content)
    with pytest.raises(StoreCorrupted, match=r"zarr\.json"):
        PoseGroup(LocalObjects(tmp_path)).read(0)


def test_another_skeleton_and_too_many_tracks_are_refused(
    tmp_path: Path, make_poses: MakePoses, make_record: MakeRecord
) -> None:
    fine = make_poses()
    other = replace(fine, skeleton="other-17")
    with pytest.raises(InputError, match="of one skeleton"):
        write_group(LocalObjects(tmp_path), [make_record("a"), make_record("b", other)], 0)
    many = replace(fine, slot=fine.slot + 65535)
    with pytest.raises(InputError, match=r"0\.\.65535, got 65535\.\.65536"):
        write_group(LocalObjects(tmp_path), [make_record("a", many)], 0)
    assert not list(tmp_path.iterdir())
