"""What the pose store's layout takes and how fast it is read: make bench-poses.

Bytes per person-frame of ways to lay joints out, on made-up clips (pose_clips.py)
and on any real stores that are named. Then the same clips as a pose store and as
Parquet, a row group a clip: writing, one clip at random, and all clips in order.
Zarr-python reads the very store that ours reads. Times are of the processor, one
thread, everybody in turn, files in the page cache. Memory is the greatest growth
of the resident set of a fresh process, but for the driver's, which is what Python
holds at most.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import count, pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import zarr
from pose_clips import clip, clips, record
from pose_layouts import JOINTS, PRESENT, REST, by_frame, bytes_of
from turns import Work, measure

from posemill.schema import Int64, PoseSequence, VideoStatus
from posemill.storage.commits import FileRecord
from posemill.storage.fixed_point import UInt16
from posemill.storage.layout import TRIPLETS
from posemill.storage.objects import LocalObjects
from posemill.storage.pose_records import ShardCommit, VideoEntry
from posemill.storage.poses import PoseStore
from posemill.storage.ragged_reader import RowReader, read_arrays
from posemill.storage.track_steps import STEP_ZERO

CLIPS_PER_SHARD = 256
OURS, POSES, ZARR, PARQUET = "ours", "ours, as PoseSequence", "zarr-python", "Parquet"


def show_bytes(name: str, shards: Sequence[Sequence[PoseSequence]]) -> None:
    num_rows = sum(pose.num_rows for shard in shards for pose in shard)
    num_clips = sum(map(len, shards))
    print(f"\nBytes per person-frame: {name}, {num_rows} person-frames of {num_clips} clips")
    found = {key: bytes_of(layout, shards) / num_rows for key, layout in JOINTS.items()}
    for key, each in found.items():
        print(f"  {key:42s} {each:6.2f}  {each / found[PRESENT]:5.2f} x")
    for key, layout in REST.items():
        print(f"  + {key:40s} {bytes_of(layout, shards) / num_rows:6.2f}")


class OursReader:
    """The same through our reader."""

    def __init__(self, groups: Sequence[Path]) -> None:
        self._groups = [LocalObjects(group) for group in groups]
        self._shapes = [zarr.open_array(group / "triplets", mode="r").shape for group in groups]
        self._ptr = [np.asarray(zarr.open_array(g / "video_ptr", mode="r")[...]) for g in groups]
        self._readers = [
            RowReader(objects, TRIPLETS, shape)
            for objects, shape in zip(self._groups, self._shapes, strict=True)
        ]

    def one(self, number: int) -> UInt16:
        shard, video = divmod(number, CLIPS_PER_SHARD)
        start, stop = self._ptr[shard][video : video + 2].tolist()
        return _summed(self._readers[shard].read(start, stop))

    def all(self, shard: int) -> list[UInt16]:
        steps = read_arrays(self._groups[shard], {TRIPLETS: self._shapes[shard]})["triplets"]
        return _summed_each(steps, self._ptr[shard])


class ZarrReader:
    """What somebody with zarr-python alone does: one array, rows of a video, a running sum."""

    def __init__(self, groups: Sequence[Path]) -> None:
        members = [zarr.open_group(group, mode="r") for group in groups]
        self._steps: list[Any] = [group["triplets"] for group in members]
        self._ptr = [np.asarray(group["video_ptr"][...]) for group in members]  # type: ignore[index]

    def one(self, number: int) -> UInt16:
        shard, video = divmod(number, CLIPS_PER_SHARD)
        return _summed(self._steps[shard][slice(*self._ptr[shard][video : video + 2])])

    def all(self, shard: int) -> list[UInt16]:
        return _summed_each(self._steps[shard][...], self._ptr[shard])


class ParquetReader:
    """A file a shard, a row group a clip: joints by frame in 1/16 px, bytes apart, zstd."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = [pq.ParquetFile(file, memory_map=True) for file in files]
        self._ptr = [np.cumsum([0, *_group_sizes(file)]) for file in self._files]

    def one(self, number: int) -> UInt16:
        shard, video = divmod(number, CLIPS_PER_SHARD)
        return self._numbers(shard, [video]).reshape(-1, 17, 3)

    def all(self, shard: int) -> list[UInt16]:
        numbers = self._numbers(shard, range(self._files[shard].num_row_groups))
        return [numbers[a:b].reshape(-1, 17, 3) for a, b in pairwise(self._ptr[shard].tolist())]

    def _numbers(self, shard: int, videos: Sequence[int]) -> UInt16:
        table = self._files[shard].read_row_groups(videos, ["triplets"], use_threads=False)
        column = table["triplets"].combine_chunks()
        numbers = np.frombuffer(column.buffers()[1], np.uint16)
        return numbers[column.offset : column.offset + len(column)]


def _group_sizes(file: Any) -> list[int]:
    return [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)]


def write_parquet(file: Path, poses: Sequence[PoseSequence]) -> None:
    """The joints alone: Parquet has no way for frames and times of other lengths beside them."""
    schema = pa.schema([("triplets", pa.binary(2))])
    with pq.ParquetWriter(
        file,
        schema,
        compression="zstd",
        compression_level=5,
        use_dictionary=False,
        column_encoding={"triplets": "BYTE_STREAM_SPLIT"},
    ) as writer:
        for pose in poses:
            data = pa.py_buffer(by_frame(pose).tobytes())
            column = pa.Array.from_buffers(pa.binary(2), data.size // 2, [None, data])
            writer.write_table(pa.table([column], schema), row_group_size=max(1, len(column)))


def _summed(steps: UInt16) -> UInt16:
    return np.cumsum(steps - np.uint16(STEP_ZERO), axis=0, dtype=np.uint16)


def _summed_each(steps: UInt16, ptr: Int64) -> list[UInt16]:
    bounds = ptr.tolist()
    return [_summed(steps[start:stop]) for start, stop in pairwise(bounds)]


def show_speed(folder: Path, shards: Sequence[Sequence[PoseSequence]], seconds: float) -> None:
    store, files = PoseStore.create(folder / "poses.zarr", {}), []
    print(f"\nWriting {sum(map(len, shards))} clips")
    start = time.process_time()
    for number, shard in enumerate(shards):
        records = [record(f"v{number}-{place}", pose) for place, pose in enumerate(shard)]
        store.write_shard(number, records)
    _show_written(OURS, folder / "poses.zarr", time.process_time() - start, shards)
    start = time.process_time()
    for number, shard in enumerate(shards):
        files.append(folder / "parquet" / f"{number:03d}.parquet")
        files[-1].parent.mkdir(exist_ok=True)
        write_parquet(files[-1], shard)
    _show_written(PARQUET, folder / "parquet", time.process_time() - start, shards)
    show_reading(store, folder / "poses.zarr", files, seconds)


def _show_written(
    name: str, folder: Path, seconds: float, shards: Sequence[Sequence[PoseSequence]]
) -> None:
    num_rows = sum(pose.num_rows for shard in shards for pose in shard)
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    print(
        f"  {name:24s} {sum(map(len, shards)) / seconds:8.0f} clips/s, {len(sizes)} files, "
        f"{sum(sizes) / num_rows:.2f} bytes a person-frame with all else"
    )


def show_reading(store: PoseStore, folder: Path, files: Sequence[Path], seconds: float) -> None:
    entries = list(store.entries().values())
    shards = {entry.shard_id: folder / "shards" / entry.group for entry in entries}
    groups = [shards[number] for number in range(len(shards))]
    ours, theirs, parquet = OursReader(groups), ZarrReader(groups), ParquetReader(files)
    for number in range(0, len(entries), 7):
        assert np.array_equal(ours.one(number), theirs.one(number))  # noqa: S101
    order = np.random.default_rng(0).permutation(len(entries)).tolist()
    ids = [entries[number].video_id for number in order]
    random: dict[str, Work] = {
        OURS: _each(order, ours.one),
        POSES: _each(ids, store.read),
        ZARR: _each(order, theirs.one),
        PARQUET: _each(order, parquet.one),
    }
    times = measure(random, seconds)
    print("\nOne clip at random, warm: its triplets, ms (middle 80%)")
    for name, each in times.items():
        print(f"  {name:24s} {each}  {each.median / times[OURS].median:6.2f} x")
    numbers = list(range(len(shards)))
    scan: dict[str, Work] = {
        OURS: _each(numbers, ours.all),
        POSES: _each(
            numbers, lambda shard: [poses for _, poses in store.iter_shard(store.current(shard))]
        ),
        ZARR: _each(numbers, theirs.all),
        PARQUET: _each(numbers, parquet.all),
    }
    times = measure(scan, seconds)
    print("\nAll clips in order: their triplets, clips/s")
    for name, each in times.items():
        speed = CLIPS_PER_SHARD / each.median * 1e3
        print(f"  {name:24s} {speed:8.0f} clips/s  {each.median / times[OURS].median:6.2f} x")


def _each(items: Sequence[Any], work: Callable[[Any], object]) -> Work:
    """A call of it works on the next item, round and round; all are warm before."""
    for item in items:
        work(item)
    numbers = count()
    return lambda: work(items[next(numbers) % len(items)])


def show_memory() -> None:
    print("\nMemory")
    for name, work in (
        ("a shard of 256 clips", _write_shard),
        ("a video of 18,000 frames, 30 people each", _write_long_video),
    ):
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            poses, written, read = pool.submit(work).result()
        print(
            f"  {name}: the poses are {poses:.0f} MiB; {written:.0f} MiB more to write them, "
            f"{read:.0f} MiB to read them one after the other"
        )
    for details in (False, True):
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            opened = pool.submit(_open_many, 938, CLIPS_PER_SHARD, details).result()
        what = "every video's entry" if details else "which shards are committed"
        print(f"  a driver, 938 shards of 256 videos: {opened:.1f} MiB for {what}")


def _write_shard() -> tuple[float, float, float]:
    return _write_and_read(list(clips(CLIPS_PER_SHARD, seed=1)))


def _write_long_video() -> tuple[float, float, float]:
    short = clip(np.random.default_rng(0), 300, 30, stays=1.0)
    return _write_and_read([_repeated(short, 60)])


def _repeated(pose: PoseSequence, times: int) -> PoseSequence:
    frame = (np.arange(times)[:, None] * pose.num_frames + pose.frame).ravel()
    return PoseSequence(
        skeleton=pose.skeleton,
        xy_px=np.tile(pose.xy_px, (times, 1, 1)),
        score=np.tile(pose.score, (times, 1)),
        frame=frame,
        slot=np.tile(pose.slot, times),
        pts_seconds=np.arange(times * pose.num_frames) / 30,
        width=3840,
        height=2160,
        frames_declared=times * pose.num_frames,
    )


def _write_and_read(poses: list[PoseSequence]) -> tuple[float, float, float]:
    """MiB of the poses, and how much more than before writing and then reading needs at most."""
    with tempfile.TemporaryDirectory() as folder:
        store = PoseStore.create(Path(folder) / "poses.zarr", {})
        # What is loaded and compiled once is none of the data's memory.
        store.write_shard(0, [record("v", clip(np.random.default_rng(1), 200, 1))])
        list(store.iter_shard(store.current(0)))
        records = [record(f"v{number}", pose) for number, pose in enumerate(poses)]
        written = _growth_mib(lambda: store.write_shard(1, records))
        read = _growth_mib(lambda: [None for _ in store.iter_shard(store.current(1))])
        held = sum(
            array.nbytes
            for pose in poses
            for array in (pose.xy_px, pose.score, pose.frame, pose.slot, pose.pts_seconds)
        )
        return held / 2**20, written, read


def _growth_mib(work: Callable[[], object]) -> float:
    """MiB by which the resident set grows at most while `work` runs."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = _resident_kib("VmRSS")
    work()
    return (_resident_kib("VmHWM") - before) / 1024


def _resident_kib(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))


def _open_many(num_shards: int, num_videos: int, details: bool) -> float:
    """MiB that Python holds at most to open a store of many commits."""
    with tempfile.TemporaryDirectory() as folder:
        store = PoseStore.create(Path(folder) / "poses.zarr", {})
        for shard in range(num_shards):
            store.supersede(_commit(store, shard, num_videos))
        tracemalloc.start()
        opened = PoseStore.open(Path(folder) / "poses.zarr")
        _ = opened.entries() if details else opened.records()
        return tracemalloc.get_traced_memory()[1] / 2**20


def _commit(store: PoseStore, shard: int, num_videos: int) -> ShardCommit:
    """A record as of a real shard, of data that is not there."""
    group = f"s{shard:06d}.g000-0123456789ab"
    entries = [
        VideoEntry(
            video_id=f"class_{shard % 400:03d}/video_{shard:06d}_{place:06d}",
            status=VideoStatus.OK,
            reason="",
            message="",
            identity=f"{shard:032x}{place:032x}",
            frames_decoded=300,
            frames_declared=300,
            shard_id=shard,
            group=group,
            position=place,
            rows=(600 * place, 600 * place + 600),
        )
        for place in range(num_videos)
    ]
    files = {f"array_{number}/c/0/0/0": FileRecord(number, f"{shard:08x}") for number in range(23)}
    return ShardCommit(shard, 0, store.configuration_hash, tuple(entries), {group: files})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("stores", nargs="*", help="pose stores to measure the bytes of as well")
    parser.add_argument("--clips", type=int, default=2048)
    parser.add_argument("--seconds", type=float, default=3.0, help="for each measurement")
    options = parser.parse_args()
    made_up = list(clips(options.clips))
    starts = range(0, len(made_up), CLIPS_PER_SHARD)
    shards = [made_up[start : start + CLIPS_PER_SHARD] for start in starts]
    show_bytes("made-up clips", shards[:2])
    for path in options.stores:
        store = PoseStore.open(path)
        found = [
            [p for _, p in store.iter_shard(store.current(shard)) if p]
            for shard in store.committed()
        ]
        show_bytes(path, [poses for poses in found if poses])
    with tempfile.TemporaryDirectory() as folder:
        show_speed(Path(folder), shards, options.seconds)
    show_memory()


if __name__ == "__main__":
    main()
