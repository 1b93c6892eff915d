"""What is to do, told from plans, catalogs and commits alone: no video is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posemill.errors import InputError
from posemill.pipelines.forecast import forecast
from posemill.pipelines.plan import ShardLimits
from posemill.pipelines.pose_plan import (
    PlannedVideos,
    changed_videos,
    make_plan,
    next_table,
    require_unchanged,
    video_footage,
)
from posemill.pipelines.rates import ASSUMED, Rates, measure, store_rates
from posemill.pipelines.tasks import ShardTask
from posemill.provenance import Attempt
from posemill.schema import Video, VideoStatus
from posemill.storage.catalog import CatalogVideos
from posemill.storage.commits import FileRecord, RecordName
from posemill.storage.pose_mending import Remainder
from posemill.storage.poses import PlanTable, PoseStore, ShardCommit, VideoEntry
from posemill.storage.videos import VideoTable


def video(name: str, seconds: float | None = 10.0, num_bytes: int = 100) -> Video:
    return Video(name, f"{name}.mp4", num_bytes, f"identity of {name}", duration_seconds=seconds)


def catalog(*videos: Video, root: str = "/data") -> CatalogVideos:
    return CatalogVideos(Path("catalog"), root, VideoTable.of(videos))


def table_after(
    tables: Sequence[PlanTable], listed: CatalogVideos, videos_per_shard: int | None
) -> PlanTable | None:
    return next_table(
        tables,
        listed,
        video_footage,
        lambda number: ShardLimits.of_job(number, 600.0, videos_per_shard),
    )


def tables_of(
    growing: Sequence[CatalogVideos], videos_per_shard: int | None = None
) -> list[PlanTable]:
    tables: list[PlanTable] = []
    for each in growing:
        new = table_after(tables, each, videos_per_shard)
        tables += [] if new is None else [new]
    return tables


names = st.lists(st.integers(0, 40).map(str), unique=True, min_size=1)


@given(st.lists(names, min_size=1, max_size=4), st.integers(1, 5) | st.none())
def test_growth_plans_every_video_once_and_leaves_old_shards_alone(
    steps: list[list[str]], per_shard: int | None
) -> None:
    seen: list[str] = []
    tables: list[PlanTable] = []
    for step in steps:
        known = {name: shard for t in tables for shard, vs in t.shards().items() for name in vs}
        new = [name for name in step if name not in seen]
        table = table_after(tables, catalog(*map(video, step)), per_shard)
        assert (table is None) == (not new)
        if table is None:
            continue
        assert table.number == len(tables)
        assert [each.id for each in table.videos] == new
        assert min(table.shard_id) == len(set(known.values()))  # numbered on, after the old ones
        tables.append(table)
        seen += new
    ids = [each.id for table in tables for each in table.videos]
    assert ids == seen
    shards = [set(table.shard_id.tolist()) for table in tables]
    assert sum(map(len, shards)) == len(set().union(*shards))  # no shard is of two plans


def test_planned_videos_are_found_where_the_catalog_has_them() -> None:
    tables = tables_of([catalog(video("a"), video("b"))])
    assert [each.uri for each in tables[0].videos] == ["/data/a.mp4", "/data/b.mp4"]
    planned = PlannedVideos(tables, catalog(video("b"), video("c"), root="/new"))
    assert planned.moved == {"b": "/new/b.mp4"}
    assert planned["b"] == replace(video("b"), uri="/new/b.mp4")
    assert planned["a"].uri == "/data/a.mp4"
    assert list(planned) == ["a", "b"]
    assert planned.known.tolist() == [False, True]
    assert len(PlannedVideos([], catalog())) == 0


def test_what_is_to_do_is_neither_done_nor_of_other_catalogs() -> None:
    first = catalog(*(video(f"a{i}") for i in range(4)))
    second = catalog(*(video(f"b{i}", 20.0) for i in range(4)))
    tables = tables_of([first, second], videos_per_shard=2)  # shards 0, 1 and 2, 3
    planned = PlannedVideos(tables, second)
    plan = make_plan("extract", planned, {0: None, 2: None}, {}, num_new=4)
    assert plan.pending == (ShardTask("extract", 3, 2, 40.0),)
    assert plan.as_dict() == {
        "videos": 8,
        "shards": 4,
        "shards_done": 2,
        "shards_to_do": 1,
        "videos_to_do": 2,
        "videos_new": 4,
        "videos_void": 0,
        "shards_of_other_catalogs": 1,
    }


def test_void_videos_are_done_again_as_the_next_generation() -> None:
    both = catalog(video("a"), video("b"))
    planned = PlannedVideos(tables_of([both], videos_per_shard=2), both)
    void = {0: Remainder(0, 1, ("b",))}
    plan = make_plan("extract", planned, {0: None}, void, num_new=0)
    assert plan.pending == (ShardTask("extract", 0, 1, 10.0, generation=1, items=("b",)),)
    assert (plan.num_committed_shards, plan.num_void_videos) == (0, 1)
    others = PlannedVideos(tables_of([both], videos_per_shard=2), catalog(video("a")))
    plan = make_plan("extract", others, {0: None}, void, num_new=0)
    assert (plan.pending, plan.num_other_shards) == ((), 1)


def test_videos_that_a_catalog_dropped_do_not_hold_up_the_others() -> None:
    before = catalog(*(video(name) for name in "abcd"))
    tables = tables_of([before], videos_per_shard=2)  # a, b and c, d
    planned = PlannedVideos(tables, catalog(video("a")))
    plan = make_plan("extract", planned, {}, {}, num_new=0)
    assert plan.pending == (ShardTask("extract", 0, 2, 20.0),)
    assert plan.num_other_shards == 1
    void = {0: Remainder(0, 1, ("a", "b")), 1: Remainder(1, 1, ("c", "d"))}
    plan = make_plan("extract", planned, {0: None, 1: None}, void, num_new=0)
    assert plan.pending == (ShardTask("extract", 0, 2, 20.0, generation=1, items=("a", "b")),)
    assert (plan.num_other_shards, plan.num_void_videos) == (1, 2)


def entry(name: str, shard: int, status: VideoStatus = VideoStatus.OK, rows: int = 0) -> VideoEntry:
    return VideoEntry(
        name, status, "", "", f"identity of {name}", 9, 9, shard, "g", 0, rows=(5, 5 + rows)
    )


def committed(
    store: PoseStore, *entries: VideoEntry, shard: int = 0, generation: int = 0
) -> ShardCommit:
    """A commit that tells of videos and has no data."""
    commit = ShardCommit(shard, generation, store.configuration_hash, entries, {})
    assert store.supersede(commit)
    return commit


@pytest.fixture
def store(tmp_path: Path) -> PoseStore:
    return PoseStore.create(tmp_path / "poses.zarr", {"stage": "extract"})


def test_only_videos_with_poses_count_as_changed(store: PoseStore) -> None:
    names = ("kept", "changed", "missing", "undone")
    before = catalog(*map(video, names))
    (table,) = tables_of([before], videos_per_shard=3)
    store.add_plan(0, table)
    committed(
        store, entry("kept", 0), entry("changed", 0), entry("missing", 0, VideoStatus.MISSING)
    )
    after = catalog(
        video("kept"), *(replace(video(name), identity="another") for name in names[1:])
    )
    changes = changed_videos(store, PlannedVideos(store.plans(), after), after, ignore_times=False)
    assert [(each.video_id, each.before, each.now) for each in changes] == [
        ("changed", "identity of changed", "another")
    ]
    with pytest.raises(InputError, match="changed: identity of changed, now another"):
        require_unchanged(store, changes, "Do it.")
    require_unchanged(store, [], "Do it.")


def test_a_video_that_was_extracted_again_is_compared_with_its_newest_file(
    store: PoseStore,
) -> None:
    (table,) = tables_of([catalog(video("a"))])
    store.add_plan(0, table)
    committed(store, entry("a", 0))
    committed(store, replace(entry("a", 0), identity="newer"), generation=1)
    after = catalog(replace(video("a"), identity="newer"))
    planned = PlannedVideos(store.plans(), after)
    assert changed_videos(store, planned, after, ignore_times=False) == []


def test_times_alone_may_be_left_out(store: PoseStore) -> None:
    one, two = (f"3-{time}-{'0' * 64}" for time in (1, 2))
    before = catalog(replace(video("a"), identity=one))
    (table,) = tables_of([before])
    store.add_plan(0, table)
    committed(store, replace(entry("a", 0), identity=one))
    after = catalog(replace(video("a"), identity=two))
    planned = PlannedVideos(store.plans(), after)
    assert len(changed_videos(store, planned, after, ignore_times=False)) == 1
    assert changed_videos(store, planned, after, ignore_times=True) == []


def test_many_changes_are_told_in_part(store: PoseStore) -> None:
    names = [f"v{i:02d}" for i in range(12)]
    (table,) = tables_of([catalog(*map(video, names))], videos_per_shard=12)
    store.add_plan(0, table)
    committed(store, *(entry(name, 0) for name in names))
    after = catalog(*(replace(video(name), identity="x") for name in names))
    changes = changed_videos(store, PlannedVideos([table], after), after, ignore_times=False)
    with pytest.raises(InputError, match="12 of the videos changed") as caught:
        require_unchanged(store, changes, "Do it.")
    assert "v09: " in str(caught.value)
    assert "v10: " not in str(caught.value)
    assert "and 2 more" in str(caught.value)


def attempt(seconds: float, cost: float) -> Attempt:
    return Attempt(seconds, cost, "2026-01-01T00:00:00+00:00", {})


def commit(shard: int, seconds: float, cost: float, rows: int, num_bytes: int) -> ShardCommit:
    files = {"g": {"a": FileRecord(num_bytes - 1, ""), "b": FileRecord(1, "")}}
    entries = (entry("a", shard, rows=rows), entry("b", shard))
    return ShardCommit(shard, 0, "", entries, files, attempt=attempt(seconds, cost))


def test_rates_are_those_of_all_commits_together() -> None:
    rates = measure([commit(0, 10.0, 20.0, 500, 9_000), commit(1, 20.0, 20.0, 300, 15_000)])
    # 30 s for 40 s of footage; 800 rows and 36 frames in 40 s; 24,000 bytes for 800 rows.
    assert rates == Rates(0.75, 20.0, 30.0, num_shards=2, frames=0.9)


def test_dense_maps_count_apart_from_poses() -> None:
    plain = commit(0, 10.0, 20.0, 500, 9_000)
    dense = {
        "dense/0/joints/c/0/0/0/0": FileRecord(17_000, ""),
        "dense/zarr.json": FileRecord(1_000, ""),
    }
    rates = measure([replace(plain, files={"g": {**plain.files["g"], **dense}})])
    # 18,000 bytes for 2 videos of 9 frames.
    assert (rates.bytes_per_person_frame, rates.dense_bytes_per_frame) == (18.0, 1000.0)


def test_rates_are_assumed_where_nothing_tells_them(store: PoseStore) -> None:
    assert measure([]) is ASSUMED
    assert measure([replace(commit(0, 1.0, 1.0, 1, 2), attempt=None)]) is ASSUMED
    assert measure([commit(0, 0.0, 0.0, 0, 2)]) is ASSUMED
    nobody = measure([commit(0, 5.0, 10.0, 0, 100)])
    assert (nobody.person_frames, nobody.bytes_per_person_frame) == (0.0, 40.0)
    assert store_rates(store) is ASSUMED


def test_rates_of_a_store_are_of_commits_spread_over_it(store: PoseStore) -> None:
    for shard in range(200):
        told = attempt(2.0, 1.0) if shard < 100 else attempt(4.0, 1.0)
        body = ShardCommit(shard, 0, store.configuration_hash, (entry("a", shard),), {})
        store.supersede(replace(body, attempt=told))
    assert store.records()[199] == RecordName(199, 0)
    assert store_rates(store).num_shards == 64
    assert store_rates(store).work_seconds == pytest.approx(3.0)  # 32 of either


def test_a_forecast_is_as_counted_by_hand(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.mp4").touch()
    videos = (
        video("a", 30.0, num_bytes=1_000),
        video("b", None, num_bytes=2_500_000),  # 10 s at 2 Mbit/s
        video("c", 20.0, num_bytes=3_000),
        video("gone", 50.0, num_bytes=4_000),
    )
    source = catalog(*videos, root=str(tmp_path))
    planned = PlannedVideos(tables_of([source], videos_per_shard=2), source)
    plan = make_plan("extract", planned, {}, {}, num_new=4)
    rates = Rates(work_seconds=0.5, person_frames=10.0, bytes_per_person_frame=20.0, num_shards=3)
    found = forecast(plan, planned, rates, num_workers=2)
    assert found.as_dict() == {
        **plan.as_dict(),
        "videos_missing": 1,
        "videos_by_bytes": 1,
        "footage_hours": round(60 / 3600, 4),
        "input_bytes": 2_504_000,
        "expected_output_bytes": 60 * 10 * 20,
        # The second shard was planned with 70 s, of which 60 s are there at most.
        "expected_seconds": 30.0,
        "dense_maps": None,
        "skipped": {
            "shards_done": 0,
            "shards_of_other_catalogs": 0,
            "videos_missing_on_disk": 1,
        },
        "rates": {
            "work_seconds_per_footage_second": 0.5,
            "person_frames_per_footage_second": 10.0,
            "bytes_per_person_frame": 20.0,
            "measured_on_shards": 3,
            "frames_per_footage_second": None,
        },
    }


def test_a_forecast_of_void_videos_is_of_them_alone(tmp_path: Path) -> None:
    (tmp_path / "b.mp4").touch()
    source = catalog(video("a", 30.0), video("b", 10.0), root=str(tmp_path))
    planned = PlannedVideos(tables_of([source], videos_per_shard=2), source)
    plan = make_plan("extract", planned, {0: None}, {0: Remainder(0, 1, ("b",))}, num_new=0)
    found = forecast(plan, planned, ASSUMED, num_workers=1)
    assert (found.footage_seconds, found.seconds, found.num_missing) == (10.0, 10.0, 0)


def test_nothing_to_do_is_forecast_as_nothing() -> None:
    source = catalog(video("a"))
    planned = PlannedVideos(tables_of([source]), source)
    found = forecast(
        make_plan("extract", planned, {0: None}, {}, 0), planned, ASSUMED, num_workers=4
    )
    assert np.isclose([found.seconds, found.footage_seconds, found.output_bytes], 0.0).all()
