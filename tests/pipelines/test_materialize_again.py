"""What a change makes again: the features that depend on it, and no others."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from chain import markers, run_materialize

from posemill.errors import ConfigurationMismatch, StoreCorrupted
from posemill.pipelines.data import open_source
from posemill.pipelines.materialize import MaterializeConfig, plan_materialize
from posemill.schema import VideoStatus
from posemill.storage.features import FeatureStore
from posemill.storage.poses import PoseStore, VideoRecord

SETTING = "canvas_hw=12,16"


@pytest.fixture
def stores(poses: Path, tmp_path: Path) -> tuple[Path, Path]:
    """Poses of eight videos in four shards, to be written to, and features of them."""
    shutil.copytree(poses, tmp_path / "poses.zarr")
    run_materialize(tmp_path / "poses.zarr", tmp_path / "features.zarr", "potion", SETTING)
    return tmp_path / "poses.zarr", tmp_path / "features.zarr"


def lose_first_video(poses: Path, shard: int) -> str:
    """Commit a generation of a shard in which its first video is missing."""
    store = PoseStore.open(poses)
    entry = store.committed()[shard].entries[0]
    gone = VideoRecord(entry.video_id, VideoStatus.MISSING, "missing", "", "", None, 0, 0)
    assert store.write_shard(shard, [gone], generation=1)
    return entry.video_id


def rows_of(features: Path) -> dict[str, np.ndarray]:
    store = FeatureStore.open(features)
    values = store.read("u", slice(None))
    return {row.clip_id: values[n] for n, row in enumerate(store.rows()) if row is not None}


def test_a_new_generation_of_a_pose_shard_renders_that_shard_again(
    stores: tuple[Path, Path],
) -> None:
    poses, features = stores
    before, rows = markers(features), rows_of(features)
    gone = lose_first_video(poses, 2)
    config = MaterializeConfig(str(poses), str(features), "potion", (SETTING,))
    assert [task.shard_id for task in plan_materialize(config).pending] == [2]
    summary = run_materialize(poses, features, "potion", SETTING)
    assert (summary.num_rendered, summary.num_valid) == (2, 7)
    after = markers(features)
    assert set(after) - set(before) == {"s000002.g001.json"}
    assert {name: after[name] for name in before} == before
    for clip_id, values in rows_of(features).items():
        if clip_id == gone:
            assert not values.any()
        else:
            np.testing.assert_array_equal(values, rows[clip_id])


def test_a_changed_recipe_leaves_the_store_of_the_old_one_alone(
    stores: tuple[Path, Path], tmp_path: Path
) -> None:
    poses, features = stores
    before = markers(features)
    with pytest.raises(ConfigurationMismatch) as caught:
        run_materialize(poses, features, "potion", SETTING, "sigma=2")
    assert "sigma: asked for 2.0, the store has 1.0" in str(caught.value)
    assert run_materialize(poses, tmp_path / "new", "potion", SETTING, "sigma=2").num_rendered == 8
    assert markers(features) == before


def test_a_run_without_a_change_renders_nothing(stores: tuple[Path, Path]) -> None:
    poses, features = stores
    before = markers(features)
    assert run_materialize(poses, features, "potion", SETTING).num_rendered == 0
    assert markers(features) == before


@pytest.mark.parametrize("name", ["valid", "u"])
def test_a_lost_object_is_rendered_again_and_read_by_nobody_before(
    stores: tuple[Path, Path], name: str
) -> None:
    poses, features = stores
    store = FeatureStore.open(features)
    rows, valid = rows_of(features), store.valid()
    start, _ = store.row_range(2)
    number = start // store.clips_per_shard
    shutil.rmtree(features / name / "c" / str(number), ignore_errors=name == "valid")
    (features / name / "c" / str(number)).unlink(missing_ok=True)
    with pytest.raises(StoreCorrupted, match=r"1 of 4 .*is missing.*Run `posemill materialize`"):
        open_source(features).select("default", "train")
    config = MaterializeConfig(str(poses), str(features), "potion", (SETTING,))
    assert [task.shard_id for task in plan_materialize(config).pending] == [2]
    summary = run_materialize(poses, features, "potion", SETTING)
    assert (summary.num_rendered, summary.num_valid) == (2, 8)
    assert np.array_equal(FeatureStore.open(features).valid(), valid)
    for clip_id, values in rows_of(features).items():
        np.testing.assert_array_equal(values, rows[clip_id])


def test_what_a_killed_run_left_unsettled_is_compared_and_rendered_again(
    stores: tuple[Path, Path],
) -> None:
    poses, features = stores
    rows = rows_of(features)
    store = FeatureStore.open(features)
    # A killed run's sign, and in one of two shards its bytes, as many as were there.
    for shard in (1, 2):
        (features / "commits" / f"s00000{shard}.g000-0123456789ab.begun").write_bytes(b"")
    (name,) = [name for name in store.committed()[2].files if name.startswith("u/")]
    data = bytearray((features / name).read_bytes())
    data[len(data) // 2] ^= 1
    (features / name).write_bytes(data)
    assert run_materialize(poses, features, "potion", SETTING).num_rendered == 2
    assert set(markers(features)) == {
        *(f"s00000{s}.g000.json" for s in range(4)),
        "s000002.g001.json",
    }
    assert not list((features / "commits").glob("*.begun"))
    for clip_id, values in rows_of(features).items():
        np.testing.assert_array_equal(values, rows[clip_id])
