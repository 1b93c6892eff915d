"""A store whose last plan is gone is not whole: nothing is planned, mended or told over the gap."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chain import extract_config, ignore, markers, run_materialize

from posemill.errors import StoreCorrupted
from posemill.pipelines.extract import extract, plan_extract
from posemill.pipelines.retry import RetryConfig, plan_retry, retry
from posemill.pipelines.status import status
from posemill.pipelines.verify import verify
from posemill.schema import Video, VideoStatus
from posemill.storage.features import FeatureStore
from posemill.storage.poses import PlanTable, PoseStore, ShardCommit, VideoEntry

LATE = Video("late", "/data/late.mp4", 9, "identity of late")


@pytest.fixture
def store(poses: Path, tmp_path: Path) -> Path:
    """A copy of the store of shards 0 to 3, grown by a shard 4 of a missing video."""
    place = Path(shutil.copytree(poses, tmp_path / "poses.zarr"))
    opened = PoseStore.open(place)
    assert opened.add_plan(1, PlanTable(1, [4], [LATE], [1.0]))  # type: ignore[arg-type]
    entry = VideoEntry(
        LATE.id, VideoStatus.MISSING, "missing", "", LATE.identity, 0, 0, 4, "", 0, rows=(0, 0)
    )
    assert opened.supersede(ShardCommit(4, 0, opened.configuration_hash, (entry,), {}))
    return place


def test_a_grown_store_with_all_its_plans_is_whole(store: Path) -> None:
    assert verify(store, on_event=ignore).is_whole
    assert status(store)["videos"] == 9


@pytest.mark.parametrize(
    "command",
    [
        lambda catalog, store: extract(extract_config(catalog, store), ignore),
        lambda catalog, store: plan_extract(extract_config(catalog, store)),
        lambda _, store: retry(RetryConfig(store), ignore),
        lambda _, store: plan_retry(RetryConfig(store)),
        lambda _, store: status(store),
    ],
    ids=["extract", "extract-dry-run", "retry", "retry-dry-run", "status"],
)
@pytest.mark.parametrize(
    ("lost", "named"), [(["001"], "shards 4 "), (["000", "001"], "shards 0, 1, 2, 3, 4")]
)
def test_whoever_plans_or_tells_of_a_store_without_its_last_plan_is_refused(
    store: Path, catalog: Path, command: Callable[[Path, Path], Any], lost: list[str], named: str
) -> None:
    for number in lost:
        (store / "plan" / f"{number}.parquet").unlink()
    before = PoseStore.open(store).objects.tree()
    with pytest.raises(StoreCorrupted, match=named) as caught:
        command(catalog, store)
    assert "no plan" in str(caught.value)
    assert "from a backup" in str(caught.value)
    assert PoseStore.open(store).objects.tree() == before


@pytest.mark.parametrize("repair", [False, True])
def test_verify_names_a_lost_plan_and_looks_at_all_else(store: Path, repair: bool) -> None:
    (store / "plan" / "001.parquet").unlink()
    before = markers(store)
    report = verify(store, repair=repair, on_event=ignore)
    (found,) = report.damages
    assert found.place == "plan"
    assert "shards 4 " in found.problem
    assert (report.is_whole, report.num_mended) == (False, 0)
    assert report.num_files > 0
    assert markers(store) == before


@pytest.fixture(scope="module")
def made(poses: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("made") / "features.zarr"
    run_materialize(poses, out, "tempposeconv-j", workers=1)
    return out


@pytest.mark.parametrize("repair", [False, True])
@pytest.mark.parametrize("are_committed", [False, True], ids=["planned", "committed"])
def test_features_without_their_plan_are_left_as_they_are(
    made: Path, tmp_path: Path, repair: bool, are_committed: bool
) -> None:
    features = Path(shutil.copytree(made, tmp_path / "features.zarr"))
    if not are_committed:
        for record in features.glob("commits/s*.json"):
            record.unlink()
    kept = (features / "plan" / "000.parquet").read_bytes()
    (features / "plan" / "000.parquet").unlink()
    before = {path: path.read_bytes() for path in features.rglob("*") if path.is_file()}
    report = verify(features, repair=repair, on_event=ignore)
    (found,) = report.damages
    assert found.place == "plan"
    assert ("pose shards 0, 1, 2, 3" in found.problem) == are_committed
    assert (report.is_whole, report.num_mended) == (False, 0)
    after = {path: path.read_bytes() for path in features.rglob("*") if path.is_file()}
    assert after == before
    (features / "plan" / "000.parquet").write_bytes(kept)
    assert verify(features, on_event=ignore).is_whole
    num_valid = FeatureStore.open(features).valid().sum()
    assert num_valid == (8 if are_committed else 0)  # what nobody committed does not count
