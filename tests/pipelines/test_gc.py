"""`gc` beside a running job, and after killed ones."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from chain import assert_equal_poses, extract_config, markers

from posemill.errors import InputError
from posemill.pipelines.events import Event
from posemill.pipelines.extract import extract
from posemill.pipelines.gc import collect_garbage
from posemill.storage.commits import RecordName
from posemill.storage.poses import PoseStore, group_name


def test_a_killed_attempts_data_goes_once_its_shard_is_committed(
    poses: Path, tmp_path: Path
) -> None:
    store = Path(shutil.copytree(poses, tmp_path / "poses.zarr"))
    before = PoseStore.open(store).objects.tree()
    (group,) = PoseStore.open(store).committed()[2].files
    lost, later = (group_name(RecordName(2, generation)) for generation in (0, 1))
    for name in (lost, later):
        shutil.copytree(store / "shards" / group, store / "shards" / name)
    (store / "commits" / f".s000002.g001.json.{'1' * 32}").write_bytes(b"{")
    told = collect_garbage(store, dry_run=True)
    assert {each.name for each in told.garbage} == {
        f"shards/{lost}",
        f"commits/.s000002.g001.json.{'1' * 32}",
    }
    size = sum(number for name, number in before.items() if name.startswith(f"shards/{group}/"))
    assert told.num_bytes == size + 1
    assert (store / "shards" / lost).exists()
    assert collect_garbage(store, dry_run=False).garbage == told.garbage
    assert not (store / "shards" / lost).exists()
    shutil.rmtree(store / "shards" / later)  # it may still be committed
    assert PoseStore.open(store).objects.tree() == before
    assert collect_garbage(store, dry_run=False).garbage == ()


def test_beside_a_running_job_it_is_harmless(catalog: Path, poses: Path, tmp_path: Path) -> None:
    out = tmp_path / "poses.zarr"

    def collect(event: Event) -> None:
        collect_garbage(out, dry_run=False)

    extract(extract_config(catalog, out), collect)
    assert len(markers(out)) == 4
    assert_equal_poses(out, poses)


def test_a_place_without_a_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected a pose store or a feature store"):
        collect_garbage(tmp_path, dry_run=False)
