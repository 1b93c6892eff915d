"""`gc` beside a running job, and after killed ones."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import xarray
import zarr
from chain import assert_equal_poses, extract_config, ignore, markers, run_materialize

from posemill.errors import InputError
from posemill.pipelines.engines.mail import Mailbox
from posemill.pipelines.events import Event
from posemill.pipelines.extract import extract
from posemill.pipelines.gc import collect_garbage
from posemill.pipelines.status import status
from posemill.pipelines.verify import verify
from posemill.storage.commits import RecordName
from posemill.storage.features import FeatureStore
from posemill.storage.mail_folders import mail_folder_name
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


def test_mail_of_killed_drivers_goes_after_thirty_days(poses: Path, tmp_path: Path) -> None:
    store = Path(shutil.copytree(poses, tmp_path / "poses.zarr"))
    now = datetime.now(UTC)
    old, young = (mail_folder_name(now - timedelta(days=days)) for days in (31, 29))
    for name in (old, young, "somebody's"):
        (store / "mail" / name).mkdir(parents=True)
        (store / "mail" / name / "0.jsonl").write_bytes(b"{}")
    told = collect_garbage(store, dry_run=False)
    assert [(each.name, each.num_bytes) for each in told.garbage] == [(f"mail/{old}", 2)]
    assert sorted(path.name for path in (store / "mail").iterdir()) == [young, "somebody's"]


def test_mail_that_is_left_harms_nobody(poses: Path, tmp_path: Path) -> None:
    store = Path(shutil.copytree(poses, tmp_path / "poses.zarr"))
    groups = set(zarr.open_group(store, mode="r"))
    Mailbox.create(PoseStore.open(store).mailbox)
    assert set(zarr.open_group(store, mode="r")) == {*groups, "mail"}
    features = tmp_path / "features.zarr"
    run_materialize(store, features, "graph-sequence", "length=8")
    Mailbox.create(FeatureStore.open(features).mailbox)
    assert "valid" in set(zarr.open_group(features, mode="r"))
    assert xarray.open_zarr(features).sizes["clip"] == 8
    for place in (store, features):
        assert verify(place, on_event=ignore).is_whole
        assert status(place)["kind"] == ("poses" if place == store else "features")


def test_a_place_without_a_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected a pose store or a feature store"):
        collect_garbage(tmp_path, dry_run=False)
