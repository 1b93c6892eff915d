"""Features are rendered, held and written a block of rows at a time."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chain import ignore, run_materialize

from posemill.pipelines.events import Event, ItemDone, ItemStarted
from posemill.pipelines.materialize_shard import MaterializeWorker
from posemill.pipelines.tasks import ShardOutcome, ShardTask
from posemill.schema import PoseSequence, Skeleton, TimedBox, VideoStatus
from posemill.storage import feature_writing
from posemill.storage.catalog import read_catalog, write_catalog
from posemill.storage.features import FeatureRow, FeatureStore
from posemill.storage.poses import PoseStore, VideoRecord
from posemill.transforms.outputs import OutputSpec
from posemill.transforms.recipes.base import Arrays
from posemill.transforms.seeding import clip_generator

NUM_CLIPS, CLIPS_PER_BLOCK, BYTES_PER_CLIP = 40, 2, 200_000
SPECS = (OutputSpec("noise", ("byte",), (BYTES_PER_CLIP,), "uint8"),)
TASK = ShardTask("materialize", 0, NUM_CLIPS, 1.0)


class Noise:
    """As much of a recipe as the worker uses; bytes that nothing compresses."""

    requires = frozenset({"pose"})

    def target(self, source: Skeleton) -> Skeleton:
        return source

    def dense_channels(self, _: Skeleton) -> dict[str, int]:
        return {}

    def __call__(self, _: object, rng: np.random.Generator) -> Arrays:
        return {"noise": rng.integers(0, 256, BYTES_PER_CLIP, np.uint8)}


def _record(number: int) -> VideoRecord:
    pose = PoseSequence(
        skeleton="coco-17",
        xy_px=np.ones((number, 17, 2), np.float32),
        score=np.ones((number, 17), np.float32),
        frame=np.arange(number),
        slot=np.zeros(number, np.int64),
        pts_seconds=np.arange(number) / 25,
        width=64,
        height=48,
        frames_declared=number,
    )
    if number == 5:
        return VideoRecord("v5", VideoStatus.MISSING, "missing", "gone", "id", None, 0, 0)
    status = VideoStatus.OK if number else VideoStatus.EMPTY
    return VideoRecord(f"v{number}", status, "", "", "id", pose, number, number)


@pytest.fixture
def stores(tmp_path: Path) -> tuple[PoseStore, FeatureStore]:
    """Poses of a shard of videos of 0, 1, 2, ... frames, and features without any content."""
    poses = PoseStore.create(tmp_path / "poses.zarr", {"skeleton": "coco-17"})
    poses.write_shard(0, [_record(number) for number in range(NUM_CLIPS)])
    features = FeatureStore.create(tmp_path / "features.zarr", SPECS, {}, (), CLIPS_PER_BLOCK)
    features.add_rows([FeatureRow(f"c{i}", f"v{i}", -1, -1, {}, 0) for i in range(NUM_CLIPS)])
    return poses, features


def test_a_worker_holds_a_block_not_a_shard(stores: tuple[PoseStore, FeatureStore]) -> None:
    poses, features = stores
    worker = MaterializeWorker(Path(poses.url), Path(features.url), Noise(), seed=3)  # type: ignore[arg-type]
    worker.ready()
    list(
        poses.iter_shard(poses.current(0))
    )  # what is imported and compiled once is not the worker's
    tracemalloc.start()
    result = worker.run(TASK, ignore)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # The block, compressed to as many bytes and a copy of these, with much to spare.
    assert peak_bytes < 7 * CLIPS_PER_BLOCK * BYTES_PER_CLIP < NUM_CLIPS * BYTES_PER_CLIP / 2
    assert (result.outcome, result.num_items) == (ShardOutcome.COMMITTED, NUM_CLIPS)
    assert result.num_frames == sum(range(NUM_CLIPS)) - 5
    assert features.valid().tolist() == [number != 5 for number in range(NUM_CLIPS)]
    for number in set(range(NUM_CLIPS)) - {5}:
        expected = Noise()(None, clip_generator(3, f"c{number}"))["noise"]
        np.testing.assert_array_equal(features.read("noise", number), expected)


def test_what_is_committed_is_not_rendered_again(stores: tuple[PoseStore, FeatureStore]) -> None:
    poses, features = stores
    worker = MaterializeWorker(Path(poses.url), Path(features.url), Noise(), seed=3)  # type: ignore[arg-type]
    events: list[Event] = []
    worker.run(TASK, events.append)
    names = [event.item_id for event in events if isinstance(event, ItemDone)]
    assert names == [f"c{number}" for number in range(NUM_CLIPS)]
    assert [type(event) for event in events] == [ItemStarted, ItemDone] * NUM_CLIPS
    events.clear()
    assert worker.run(TASK, events.append).outcome is ShardOutcome.SKIPPED
    assert events == []


def test_features_are_of_the_poses_that_their_record_names(
    stores: tuple[PoseStore, FeatureStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    poses, features = stores
    before, real = poses.current(0), FeatureStore.write_shard

    def retried_meanwhile(self: FeatureStore, *arguments: Any) -> bool:
        gone = VideoRecord("v7", VideoStatus.MISSING, "missing", "gone", "id", None, 0, 0)
        assert PoseStore.open(poses.url).write_shard(0, [gone], generation=1)
        return real(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(FeatureStore, "write_shard", retried_meanwhile)
        worker = MaterializeWorker(Path(poses.url), Path(features.url), Noise(), seed=3)  # type: ignore[arg-type]
        assert worker.run(TASK, ignore).outcome is ShardOutcome.COMMITTED
    assert features.committed()[0].pose_marker_sha256 == before.marker_sha256
    assert features.valid()[7]
    # The next run sees another record, and renders again.
    assert worker.run(TASK, ignore).outcome is ShardOutcome.COMMITTED
    assert features.committed()[0].pose_marker_sha256 == poses.current(0).marker_sha256
    assert not features.valid()[7]


def test_large_clips_make_small_blocks(
    poses: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = ("canvas_hw=12,16",)
    run_materialize(poses, tmp_path / "whole", "potion", *settings, workers=1)
    monkeypatch.setattr(feature_writing, "BLOCK_BYTES", 15_000)  # a clip takes 10,004
    run_materialize(poses, tmp_path / "small", "potion", *settings, workers=1)
    whole, small = (FeatureStore.open(tmp_path / name) for name in ("whole", "small"))
    assert (whole.clips_per_shard, small.clips_per_shard) == (2, 1)
    assert small.rows() == whole.rows()
    for spec in whole.specs:
        np.testing.assert_array_equal(
            small.read(spec.name, slice(None)), whole.read(spec.name, slice(None))
        )


def test_a_clips_boxes_stand_in_its_row(poses: Path, catalog: Path, tmp_path: Path) -> None:
    given = read_catalog(catalog)
    boxes = (TimedBox(0.5, 0.0, 0.25, 0.5, 1.0),)
    clips = (replace(given.clips[0], boxes=boxes), *given.clips[1:])
    write_catalog(tmp_path / "catalog", replace(given, clips=clips))
    out = tmp_path / "features"
    run_materialize(poses, out, "potion", "canvas_hw=12,16", catalog=tmp_path / "catalog")
    found = {row.clip_id: row.boxes for row in FeatureStore.open(out).rows() if row is not None}
    assert found == {clip.id: clip.boxes for clip in clips}
    assert found[clips[0].id] == boxes
