"""A store is found and mended alike on every engine, whatever befalls its workers."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from chain import ignore, markers, run_materialize

from posemill.pipelines.engines import ENGINES
from posemill.pipelines.engines.base import EngineOptions
from posemill.pipelines.events import Event, ItemDone, ShardEnded, WorkerLost
from posemill.pipelines.verify import VerifyReport, verify
from posemill.storage.damage import Damage
from posemill.storage.features import FeatureStore
from posemill.storage.poses import PoseStore

OPTIONS = EngineOptions(workers=2)
Damaging = Callable[[Path], list[Damage]]
on_every_engine = pytest.mark.parametrize("engine", sorted(ENGINES))


@pytest.fixture(autouse=True)
def _engine_is_there(request: pytest.FixtureRequest) -> None:
    """What an engine runs on is started once, not by each test."""
    engine = request.node.callspec.params.get("engine") if hasattr(request.node, "callspec") else ""
    if engine == "ray":
        request.getfixturevalue("ray_driver")
    if engine == "beam":
        pytest.importorskip("apache_beam")


@pytest.fixture
def poses_here(poses: Path, tmp_path: Path) -> Path:
    """A copy of the pose store of four shards of two videos."""
    return Path(shutil.copytree(poses, tmp_path / "stores" / "poses.zarr"))


@pytest.fixture(scope="module")
def made(poses: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("made") / "features.zarr"
    run_materialize(poses, out, "tempposeconv-j", workers=1)
    return out


@pytest.fixture
def features_here(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "stores" / "features.zarr"))


def cut(path: Path) -> str:
    """What `verify` says of a file whose last byte is lost."""
    data = path.read_bytes()
    path.write_bytes(data[:-1])
    return f"has {len(data) - 1} bytes, expected {len(data)}"


def damage_poses(store: Path) -> list[Damage]:
    """A file of shard 1 is cut, the record of shard 2, and a file of shard 3 is gone."""
    commits = PoseStore.open(store).committed()
    ids = {i: tuple(e.video_id for e in commit.entries) for i, commit in commits.items()}
    groups = {i: next(iter(commit.files)) for i, commit in commits.items()}
    first, last = f"shards/{groups[1]}/slot/c/0", f"shards/{groups[3]}/frame/c/0"
    found = [Damage(first, cut(store / first), ids[1])]
    cut(store / "commits/s000002.g000.json")
    found.append(Damage("commits/s000002.g000.json", "was altered or cut short", ids[2]))
    (store / last).unlink()
    return [*found, Damage(last, "is missing", ids[3])]


def damage_features(store: Path) -> list[Damage]:
    """The labels of all rows are altered, the rows of shard 1 cut, the record of shard 2 also."""
    opened = FeatureStore.open(store)
    clips = {
        shard: tuple(r.clip_id for r in opened.rows() if r is not None and r.pose_shard == shard)
        for shard in opened.committed()
    }
    rows = min(name for name in opened.committed()[1].files if not name.startswith("valid/"))
    labels = store / "label" / "c" / "0"
    labels.write_bytes(labels.read_bytes()[::-1])
    problem = cut(store / rows)
    cut(store / "commits/s000002.g000.json")
    return [
        Damage(rows, problem, clips[1]),
        Damage("commits/s000002.g000.json", "was altered or cut short", clips[2]),
    ]


def tree(store: Path) -> dict[str, bytes]:
    """All files, but for the sign that the part for mail is a group: no letter may stay there."""
    files = (path for path in store.rglob("*") if path.is_file())
    found = {str(path.relative_to(store)): path.read_bytes() for path in files}
    return {name: data for name, data in found.items() if name != "mail/zarr.json"}


def check(store: Path, engine: str, *, repair: bool = False) -> VerifyReport:
    return verify(store, repair=repair, engine=engine, engine_options=OPTIONS, on_event=ignore)


@on_every_engine
def test_damaged_poses_are_found_and_mended_alike(engine: str, poses_here: Path) -> None:
    expected = damage_poses(poses_here)
    before = tree(poses_here)
    report = check(poses_here, engine, repair=True)
    assert list(report.damages) == expected
    assert (report.num_shards, report.num_shards_to_do, report.num_irreparable) == (4, 0, 0)
    assert (report.num_damaged, report.num_mended, report.is_whole) == (3, 3, True)
    after = tree(poses_here)
    assert {name: after[name] for name in before} == before
    assert after.keys() - before.keys() == {
        f"commits/s{shard:06d}.g001.json" for shard in (1, 2, 3)
    }
    void = PoseStore.open(poses_here).remainders().values()
    assert [left.video_ids for left in void] == [found.items for found in expected]


@on_every_engine
def test_damaged_features_are_found_and_mended_alike(
    engine: str, features_here: Path, made: Path
) -> None:
    expected = damage_features(features_here)
    report = check(features_here, engine, repair=True)
    shared, *others = report.damages
    assert shared.place == "label"
    assert others == expected
    assert (report.num_shards, report.num_shards_to_do, report.num_irreparable) == (4, 0, 0)
    assert (report.num_damaged, report.num_mended, report.is_whole) == (3, 3, True)
    assert (features_here / "label/c/0").read_bytes() == (made / "label/c/0").read_bytes()
    assert sorted(FeatureStore.open(features_here).committed()) == [0, 3]


@pytest.mark.parametrize("engine", sorted(set(ENGINES) - {"local"}))
def test_a_worker_that_is_killed_changes_nothing_of_what_is_told(
    engine: str, poses_here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It had mended a shard, and not said so yet."""
    monkeypatch.setattr("posemill.pipelines.verify.WORKER", "verify_faults:DyingWorker")
    expected = damage_poses(poses_here)
    events: list[Event] = []
    report = verify(
        poses_here, repair=True, engine=engine, engine_options=OPTIONS, on_event=events.append
    )
    assert [event.shard_ids for event in events if isinstance(event, WorkerLost)] == [(1,)]
    assert attempts(poses_here, 1) == 2
    assert list(report.damages) == expected
    assert (report.num_mended, report.is_whole) == (3, True)
    assert markers(poses_here).keys() == {
        *(f"s{shard:06d}.g000.json" for shard in range(4)),
        *(f"s{shard:06d}.g001.json" for shard in (1, 2, 3)),
    }


def attempts(store: Path, shard_id: int) -> int:
    return len(list((store.parent / "attempts").glob(f"{shard_id}.*")))


@on_every_engine
def test_a_shard_that_cannot_be_looked_at_is_told_and_never_whole(
    engine: str, poses_here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("posemill.pipelines.verify.WORKER", "verify_faults:OutOfReachWorker")
    before = tree(poses_here)
    assert_not_looked_at(poses_here, engine, "the network is gone")
    assert tree(poses_here) == before


def test_a_check_that_raises_is_told_and_never_whole(
    poses_here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("posemill.pipelines.verify.WORKER", "verify_faults:DefectiveWorker")
    assert_not_looked_at(poses_here, "local", "RuntimeError: a defect")


def assert_not_looked_at(store: Path, engine: str, cause: str) -> None:
    """Shard 2, and that was tried as often as it may be."""
    events: list[Event] = []
    report = verify(store, engine=engine, engine_options=OPTIONS, on_event=events.append)
    problem = f"was not looked at to the end: {cause}"
    assert report.damages == (Damage("commits/s000002.g000.json", problem),)
    assert (report.num_damaged, report.num_irreparable, report.is_whole) == (1, 1, False)
    assert attempts(store, 2) == OPTIONS.max_attempts
    assert [e.shard_id for e in events if isinstance(e, ShardEnded) and e.message] == [2]


def test_a_repair_that_is_killed_is_finished_by_the_next(poses_here: Path) -> None:
    """Its workers are threads of the driver's, and end with it."""
    expected = damage_poses(poses_here)
    script = f"""
from posemill.pipelines import verify
verify.WORKER = "verify_faults:DyingWorker"
verify.verify({str(poses_here)!r}, repair=True, on_event=lambda event: None)
"""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "support")}
    killed = subprocess.run([sys.executable, "-c", script], env=environment, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert "s000001.g001.json" in markers(poses_here)
    report = check(poses_here, "local", repair=True)
    assert report.is_whole
    assert {*report.damages} < {*expected}
    assert check(poses_here, "local").num_shards_to_do == 3
    assert len(markers(poses_here)) == 4 + 3


def test_two_repairs_at_once_both_end_whole(poses_here: Path) -> None:
    damage_poses(poses_here)
    command = [sys.executable, "-m", "posemill", "verify", str(poses_here), "--repair"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [each.communicate()[0] for each in both]
    assert [each.returncode for each in both] == [0, 0], said
    assert len(markers(poses_here)) == 4 + 3
    assert check(poses_here, "local").num_shards_to_do == 3


@pytest.mark.parametrize("kind", ["poses", "features"])
def test_what_another_repair_mends_first_is_mended(
    kind: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    store: Path = request.getfixturevalue(f"{kind}_here")
    monkeypatch.setattr("posemill.pipelines.verify.WORKER", "verify_faults:OvertakenWorker")
    expected = damage_poses(store) if kind == "poses" else damage_features(store)
    report = check(store, "local", repair=True)
    assert list(report.damages[-len(expected) :]) == expected
    assert (report.num_mended, report.is_whole) == (3, True)
    assert max(markers(store)).endswith("g001.json" if kind == "poses" else "g000.json")


def test_what_another_repair_leaves_damaged_is_to_be_looked_at_again(
    poses_here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("posemill.pipelines.verify.WORKER", "verify_faults:OvertakenByDamageWorker")
        damage_poses(poses_here)
        report = check(poses_here, "local", repair=True)
    assert (report.num_mended, report.num_irreparable, report.is_whole) == (0, 0, False)
    assert check(poses_here, "local", repair=True).is_whole


def test_a_store_that_nobody_may_write_to_can_be_verified(
    poses_here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("nothing may be written")

    for name in ("write_all", "create_if_absent", "delete", "rewrite"):
        monkeypatch.setattr(f"posemill.storage.objects_local.LocalObjects.{name}", refuse)
    events: list[Event] = []
    assert verify(poses_here, on_event=events.append).is_whole
    assert len([event for event in events if isinstance(event, ItemDone)]) == 4
