"""Missing, quarantined and void videos are made again, and only they."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chain import ignore, index, markers, run_extract, run_materialize
from in_process import InThisProcess

from posemill.errors import InputError
from posemill.pipelines import retry as retry_module
from posemill.pipelines.engines.base import RunReport
from posemill.pipelines.retry import RetryConfig, RetrySummary, plan_retry, retry
from posemill.pipelines.tasks import ShardOutcome
from posemill.storage.identity import file_identity
from posemill.storage.poses import PoseStore

RECIPE = "tempposeconv-j"


@dataclass(frozen=True)
class Troubled:
    """Four videos in shards of two: good ones, one whose file is away, one that is no video."""

    root: Path
    good: Path

    @property
    def store(self) -> Path:
        return self.root / "poses.zarr"

    def restore(self) -> None:
        """Put good videos in the place of the missing and the bad one."""
        for name in ("a/away", "b/bad"):
            shutil.copy(self.good, self.root / "videos" / f"{name}.mp4")


@pytest.fixture(scope="module")
def made(videos: Path, tmp_path_factory: pytest.TempPathFactory) -> Troubled:
    root = tmp_path_factory.mktemp("troubled")
    good, *others = sorted(videos.rglob("*.mp4"))
    for name in ("a", "b"):
        (root / "videos" / name).mkdir(parents=True)
    shutil.copy(good, root / "videos" / "a" / "away.mp4")
    shutil.copy(others[0], root / "videos" / "a" / "good.mp4")
    (root / "videos" / "b" / "bad.mp4").write_text("this is no video\n" * 100)
    shutil.copy(others[1], root / "videos" / "b" / "good.mp4")
    catalog = index(root / "videos", root / "catalog")
    (root / "videos" / "a" / "away.mp4").unlink()
    run_extract(catalog, root / "poses.zarr")
    return Troubled(root, good)


def statuses(store: Path) -> dict[str, str]:
    return {i: str(entry.status) for i, entry in PoseStore.open(store).entries().items()}


def test_a_dry_run_tells_what_is_to_do_and_what_is_still_missing(made: Troubled) -> None:
    before = markers(made.store)
    plan = plan_retry(RetryConfig(made.store))
    assert plan.video_ids == ("b/bad",)
    assert plan.still_missing == ("a/away",)
    assert plan.statuses == {"quarantined": 1}
    assert plan.as_dict()["videos_to_do"] == 1
    assert markers(made.store) == before


@pytest.mark.parametrize(
    ("selection", "chosen"),
    [
        ({"statuses": ["missing"]}, ()),
        ({"statuses": ["void"]}, ()),
        ({"statuses": ["quarantined"]}, ("b/bad",)),
        ({"reasons": ["unreadable"]}, ("b/bad",)),
        ({"reasons": ["failed"]}, ()),
        ({"video_ids": ["b/bad"]}, ("b/bad",)),
    ],
)
def test_a_selection_is_kept_to(
    made: Troubled, selection: dict[str, Any], chosen: tuple[str, ...]
) -> None:
    assert plan_retry(RetryConfig(made.store, **selection)).video_ids == chosen


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        ({"video_ids": ["a/good"]}, r"'a/good' is ok"),
        ({"video_ids": ["a/none"]}, r"'a/none' is not there"),
        ({"video_ids": ["b/bad"], "statuses": ["missing"]}, r"missing.*'b/bad' is quarantined"),
        ({"statuses": ["ok"]}, r"missing, quarantined, void; got the status 'ok'"),
    ],
)
def test_what_cannot_be_retried_is_refused(
    made: Troubled, selection: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        plan_retry(RetryConfig(made.store, **selection))


@pytest.fixture
def restored(made: Troubled) -> Iterator[Troubled]:
    """Good videos in the place of the missing and the bad one, for one test."""
    bad = (made.root / "videos" / "b" / "bad.mp4").read_bytes()
    good = made.root / "videos" / "a" / "good.mp4"
    shutil.copy2(good, made.root / "good.mp4")
    kept = shutil.copytree(made.store, made.root / "kept.zarr")
    made.restore()
    yield made
    (made.root / "videos" / "a" / "away.mp4").unlink()
    (made.root / "videos" / "b" / "bad.mp4").write_bytes(bad)
    shutil.copy2(made.root / "good.mp4", good)
    shutil.rmtree(made.store)
    kept.rename(made.store)


def test_what_came_back_is_made_and_all_else_is_carried_over(
    restored: Troubled, poses: Path
) -> None:
    store, features = restored.store, restored.root / "features.zarr"
    run_materialize(store, features, RECIPE, workers=1)
    before, known = markers(store), PoseStore.open(store).entries()
    summary = retry(RetryConfig(store, statuses=["missing"]), ignore)
    assert (summary.statuses, summary.not_whole, summary.num_shards_lost) == ({"ok": 1}, {}, 0)
    after, found = markers(store), PoseStore.open(store).entries()
    assert {name: after[name] for name in before} == before
    assert after.keys() - before.keys() == {"s000000.g001.json"}
    assert {i for i in known if known[i] != found[i]} == {"a/away"}
    ours = PoseStore.open(store).read("a/away")
    (same,) = [i for i in PoseStore.open(poses).entries() if restored.good.match(f"*/{i}.mp4")]
    theirs = PoseStore.open(poses).read(same)
    for name in ("xy_px", "score", "frame", "slot", "pts_seconds"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))
    again = run_materialize(store, features, RECIPE, workers=1)
    assert again.plan.num_clips_to_do == 2  # of the first shard
    assert again.num_valid == 3
    assert statuses(store)["b/bad"] == "quarantined"


def test_a_video_whose_file_changed_is_made_again(restored: Troubled) -> None:
    video = restored.root / "videos" / "a" / "good.mp4"
    old = PoseStore.open(restored.store).read("a/good")
    shutil.copy(restored.good, video)
    catalog = index(restored.root / "videos", restored.root / "catalog_now")
    with pytest.raises(InputError, match="--changed"):
        run_extract(catalog, restored.store)
    asked = RetryConfig(restored.store, catalog=catalog, changed=True)
    assert plan_retry(asked).video_ids == ("a/good",)
    assert retry(asked, ignore).statuses == {"ok": 1}
    new = PoseStore.open(restored.store).read("a/good")
    assert new.num_rows != old.num_rows or not np.array_equal(new.xy_px, old.xy_px)
    assert plan_retry(asked).video_ids == ()


def test_a_file_that_changed_since_the_index_is_found_on_the_disk(restored: Troubled) -> None:
    asked = RetryConfig(restored.store, changed=True)
    video = restored.root / "videos" / "a" / "good.mp4"
    seen = video.stat()
    assert plan_retry(asked).video_ids == ()
    os.utime(video, ns=(seen.st_atime_ns, seen.st_mtime_ns + 1))
    assert plan_retry(asked).video_ids == ("a/good",)
    assert plan_retry(replace(asked, ignore_times=True)).video_ids == ()
    video.unlink()
    assert plan_retry(asked).video_ids == ()  # missing, if anything
    shutil.copy(restored.good, video)
    assert plan_retry(replace(asked, ignore_times=True)).video_ids == ("a/good",)
    assert retry(asked, ignore).statuses == {"ok": 1}
    assert PoseStore.open(restored.store).entries()["a/good"].identity == file_identity(video)
    assert plan_retry(asked).video_ids == ()


@pytest.mark.parametrize("step", ["write_shard", "_publish"])
def test_of_two_retries_at_once_one_loses_cleanly(
    restored: Troubled, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """The other one commits when this one has its poses, or has written them, too."""
    asked = RetryConfig(restored.store, statuses=["quarantined"])
    real, done = getattr(PoseStore, step), list[RetrySummary]()

    def overtaken(self: PoseStore, *arguments: Any, **named: Any) -> Any:
        monkeypatch.setattr(PoseStore, step, real)
        done.append(retry(asked, ignore))
        return real(self, *arguments, **named)

    monkeypatch.setattr(retry_module, "create_engine", lambda *_: InThisProcess())
    monkeypatch.setattr(PoseStore, step, overtaken)
    outcomes: list[ShardOutcome] = []
    run = InThisProcess.run

    def note(self: InThisProcess, *arguments: Any) -> RunReport:
        report = run(self, *arguments)
        outcomes.extend(result.outcome for result in report.results)
        return report

    monkeypatch.setattr(InThisProcess, "run", note)
    summary = retry(asked, ignore)
    assert outcomes == [ShardOutcome.COMMITTED, ShardOutcome.LOST_RACE]
    assert [each.num_shards_lost for each in done] == [0]
    assert summary.num_shards_lost == 1
    assert summary.statuses == {"ok": 1}
    store = PoseStore.open(restored.store)
    assert store.committed()[1].generation == 1
    groups = {group for commit in store.committed().values() for group in commit.files}
    assert {name for name in store.objects.at("shards").names() if "-" in name} == groups
