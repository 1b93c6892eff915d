"""`verify`, `retry`, `gc` and `status` as their users see them."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest
from chain import index
from poison import plant, write_video

from posemill.storage.commits import RecordName
from posemill.storage.poses import PoseStore, group_name


@pytest.fixture
def store(poses: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(poses, tmp_path / "poses.zarr"))


def damage(store: Path) -> tuple[str, list[str]]:
    """Cut a file of the first shard: its place, and the ids of the shard's videos."""
    commit = PoseStore.open(store).committed()[0]
    (group,) = commit.files
    (store / "shards" / group / "frame" / "c" / "0").write_bytes(b"cut")
    return f"shards/{group}/frame/c/0", [entry.video_id for entry in commit.entries]


def test_verify_tells_what_is_damaged_by_its_exit_status(run, store: Path) -> None:
    status, out, _ = run("verify", store)
    assert (status, out.split(";")[0]) == (0, f"{store}: whole")
    place, ids = damage(store)
    status, out, err = run("verify", store)
    assert status == 3
    assert "1 damage, of 2 videos" in out
    assert "--repair" in out
    assert f"{place}: has 3 bytes" in err
    assert ids[0] in err
    status, out, _ = run("verify", store, "--json")
    assert status == 3
    assert json.loads(out)["damages"][0]["items"] == ids


def test_verify_repairs_and_status_tells_what_is_void(run, store: Path) -> None:
    damage(store)
    status, out, _ = run("verify", store, "--repair")
    assert (status, "run extract or import again" in out) == (0, True)
    status, out, _ = run("status", store, "--json")
    told = json.loads(out)
    assert (told["void"], told["videos_done"], told["shards_to_do"]) == (2, 6, 1)
    assert told["footage_seconds_per_second"] > 0
    assert told["rate_measured_on_shards"] == 3
    status, out, _ = run("verify", store)
    assert (status, "1 shard to do" in out) == (0, True)


@pytest.mark.parametrize(("part", "helps"), [("shards", True), ("plan", False)])
def test_verify_says_at_once_whether_a_repair_helps(
    run, store: Path, part: str, helps: bool
) -> None:
    shutil.rmtree(store / part)
    status, out, _ = run("verify", store)
    assert status == 3
    assert ("run it again with --repair" in out, "cannot be repaired" in out) == (helps, not helps)
    status, out, _ = run("verify", store, "--repair")
    assert (status, "cannot be repaired" in out) == (0 if helps else 3, not helps)


def test_status_tells_sizes_and_reasons(run, store: Path) -> None:
    status, out, _ = run("status", store, "--json")
    told = json.loads(out)
    assert status == 0
    assert told["bytes"] == sum(PoseStore.open(store).objects.at("shards").tree().values()) - len(
        (store / "shards" / "zarr.json").read_bytes()
    )
    assert (told["reasons"], told["shards_to_do"], told["seconds_left"]) == ({}, 0, 0)
    status, out, _ = run("status", store)
    assert "  reasons: none\n" in out


def test_gc_tells_first_and_then_removes(run, store: Path) -> None:
    lost = store / "shards" / group_name(RecordName(1, 0))
    lost.mkdir()
    (lost / "zarr.json").write_bytes(b"12345")
    status, out, err = run("gc", store, "--dry-run")
    assert (status, out) == (0, f"{store}: would remove 1 leftover, 5 bytes\n")
    assert f"shards/{lost.name}: 5 bytes" in err
    assert lost.exists()
    status, out, _ = run("gc", store, "--json")
    assert (status, json.loads(out)["bytes"]) == (0, 5)
    assert not lost.exists()


def test_retry_of_a_whole_store_has_nothing_to_do(run, store: Path) -> None:
    status, out, _ = run("retry", store, "--dry-run")
    assert (status, out) == (0, "would make 0 videos again (none) in 0 shards\n")
    status, out, _ = run("retry", store)
    assert status == 0
    assert out.startswith(f"{store}: 0 videos made again (none)")


def test_what_extract_advises_where_a_video_changed_helps(
    run, videos: Path, tmp_path: Path
) -> None:
    root, store = tmp_path / "my videos", tmp_path / "poses.zarr"
    shutil.copytree(videos / "test", root)
    first, second = sorted(root.rglob("*.mp4"))
    index(root, tmp_path / "catalog")
    options = ("-o", store, "--estimator", "figure", "--workers", "1")
    assert run("extract", tmp_path / "catalog", *options)[0] == 0
    shutil.copy(second, first)
    now = index(root, tmp_path / "a catalog of now")
    status, _, err = run("extract", now, *options)
    assert status == 2
    (advice,) = re.findall(r"`posemill (.*?)`", err)
    first.rename(tmp_path / "aside.mp4")  # only the catalog that is named tells of the change
    status, out, _ = run(*shlex.split(advice), "--dry-run")
    assert (status, "would make 1 video again" in out) == (0, True)
    (tmp_path / "aside.mp4").rename(first)
    status, out, _ = run(*shlex.split(advice), "--workers", "1")
    assert (status, "1 video made again (1 ok)" in out) == (0, True)
    assert run("extract", now, *options)[0] == 0


def test_retry_with_a_higher_limit_saves_what_was_quarantined_for_memory(
    run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(plant(tmp_path / "plugin"))
    (tmp_path / "videos").mkdir()
    write_video(tmp_path / "videos" / "feast.mp4", width=208)
    catalog, store = index(tmp_path / "videos", tmp_path / "catalog"), tmp_path / "poses.zarr"
    options = ("--workers", "1", "--memory-limit", "1")
    status, _, err = run("extract", catalog, "-o", store, "--estimator", "poison", *options)
    assert (status, "its limit is 1.00 GiB" in err) == (1, True)
    status, out, _ = run("retry", store, *options)
    assert (status, "(1 quarantined)" in out) == (1, True)
    status, out, _ = run("retry", store, "--workers", "1", "--memory-limit", "4")
    assert (status, "(1 ok)" in out) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("verify", "none"), "expected a pose store or a feature store"),
        (("gc", "none"), "expected a pose store or a feature store"),
        (("retry", "none"), "none: is not a"),
        (("retry", "STORE", "--status", "ok"), "got the status 'ok'"),
        (("retry", "STORE", "nobody"), "'nobody' is not there"),
    ],
)
def test_wrong_input_is_one_line(run, poses: Path, arguments: tuple[str, ...], message: str):
    status, out, err = run(*(poses if each == "STORE" else each for each in arguments))
    assert (status, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
