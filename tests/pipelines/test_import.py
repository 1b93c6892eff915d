"""The stage `import`: from files to a store that is as an extracted one, and what may befall it."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest
from chain import all_poses, assert_equal_poses, ignore, markers, run_materialize
from hypothesis import given
from hypothesis import strategies as st
from in_process import InThisProcess
from kills import kill_half_way
from pifpaf_files import line, person, write_frames, write_video

from posemill.errors import ConfigurationMismatch, EnvironmentFault, InputError
from posemill.pipelines import import_poses as import_module
from posemill.pipelines import retry as retry_module
from posemill.pipelines.engines import ENGINES
from posemill.pipelines.engines.base import EngineOptions
from posemill.pipelines.events import Event
from posemill.pipelines.gc import collect_garbage
from posemill.pipelines.import_poses import ImportConfig, import_poses, plan_import
from posemill.pipelines.import_settings import ImportSettings, stored_settings
from posemill.pipelines.import_shard import ImportWorker
from posemill.pipelines.pose_job import PoseSummary
from posemill.pipelines.retry import RetryConfig, plan_retry, retry
from posemill.pipelines.status import status
from posemill.pipelines.verify import verify
from posemill.schema import VideoStatus
from posemill.storage.catalog import write_catalog
from posemill.storage.datasets.list_file import index_list
from posemill.storage.fixed_point import STEP_PX
from posemill.storage.formats.openpifpaf import OpenpifpafFormat
from posemill.storage.poses import PoseStore
from posemill.transforms.tracking import TrackSettings

SIZE_WH, FPS = (640, 480), 20.0
NAMES = ("a/one", "a/two", "b/three", "b/four", "five")


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Five videos of three frames: in the second somebody more, in the third nobody."""
    root = tmp_path / "files"
    for number, name in enumerate(NAMES):
        x = 10.0 * number
        frames = [[person(x)], [person(x + 1), person(300)], []]
        write_video(root / f"{name}.mp4.openpifpaf.json", frames)
    return root


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything in this process, where it can be changed."""
    for module in (import_module, retry_module):
        monkeypatch.setattr(module, "create_engine", lambda *_: InThisProcess())


def configured(files: Path, out: Path, **changes: Any) -> ImportConfig:
    settings = ImportSettings(OpenpifpafFormat(), SIZE_WH, FPS)
    return replace(ImportConfig(files, out, settings, videos_per_shard=2), **changes)


def bring(files: Path, out: Path, **changes: Any) -> PoseSummary:
    return import_poses(configured(files, out, **changes), ignore)


def path_of(files: Path, name: str) -> Path:
    return files / f"{name}.mp4.openpifpaf.json"


@pytest.mark.parametrize("engine", sorted(ENGINES))
def test_every_engine_makes_the_same_store(files: Path, tmp_path: Path, engine: str) -> None:
    if engine != "local":
        pytest.importorskip({"beam": "apache_beam"}.get(engine, engine))
    path_of(files, "b/four").write_text("[")
    out = tmp_path / "poses.zarr"
    summary = bring(files, out, engine=engine, engine_options=EngineOptions(workers=2))
    assert summary.as_dict() | {"seconds": 0, "not_whole": {}} == {
        "videos": 5,
        **{status: {"ok": 4, "quarantined": 1}.get(status, 0) for status in VideoStatus},
        "frames": 12,
        "imported_now": 5,
        "imported_twice": 0,
        "shards_of_other_sources": 0,
        "seconds": 0,
        "not_whole": {},
    }
    assert list(summary.not_whole) == ["b/four"]
    assert len(markers(out)) == 3
    for number, name in enumerate(NAMES):
        if name != "b/four":
            found = PoseStore.open(out).read(name)
            np.testing.assert_array_equal(
                found.xy_px[:, 0, 0], [10.0 * number, 10 * number + 1, 300]
            )
            assert found.frame.tolist() == [0, 1, 1]
            assert found.pts_seconds.tolist() == [0.0, 0.05, 0.1]
            assert (found.width, found.height, found.frames_declared) == (640, 480, 3)
            assert found.slot.tolist() == [0, 0, 1]  # followed, and who is there longer comes first


@pytest.mark.usefixtures("here")
def test_a_second_run_does_nothing_and_a_grown_folder_adds_a_plan(
    files: Path, tmp_path: Path
) -> None:
    out = tmp_path / "poses.zarr"
    assert plan_import(configured(files, out)).as_dict()["videos_to_do"] == 5
    assert not out.exists()
    assert bring(files, out).num_made_videos == 5
    before = markers(out)
    assert bring(files, out).num_made_videos == 0
    assert markers(out) == before
    write_frames(files / "a" / "new", [[], [person(50)]])
    plan = plan_import(configured(files, out))
    assert (plan.num_new_videos, len(plan.pending), plan.num_committed_shards) == (1, 1, 3)
    assert bring(files, out).num_made_videos == 1
    assert before.items() <= markers(out).items()
    assert len(list((out / "plan").glob("*.parquet"))) == 2
    assert PoseStore.open(out).read("a/new").num_frames == 2
    part = bring(files / "a", tmp_path / "part.zarr")
    assert part.statuses == {"ok": 3}


@pytest.mark.usefixtures("here")
def test_files_are_read_again_only_where_size_or_time_differ(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(files, tmp_path / "p")
    monkeypatch.setattr(Path, "open", lambda path, *_: pytest.fail(f"{path} was read"))
    plan_import(configured(files, tmp_path / "p"))


@pytest.mark.usefixtures("here")
def test_another_configuration_is_refused(files: Path, tmp_path: Path) -> None:
    out = tmp_path / "poses.zarr"
    bring(files, out)
    before = markers(out)
    settings = configured(files, out).settings
    for other, told in (
        (replace(settings, fps=25.0), "fps: asked for 25.0"),
        (replace(settings, size_wh=(641, 480)), r"size_wh: asked for \[641, 480\]"),
        (replace(settings, format=OpenpifpafFormat(first_frame=0)), "settings.first_frame: asked"),
        (replace(settings, tracks=TrackSettings(max_persons=1)), "tracks.max_persons: asked for 1"),
    ):
        with pytest.raises(ConfigurationMismatch, match=told):
            bring(files, out, settings=other)
    assert markers(out) == before
    assert stored_settings(PoseStore.open(out).configuration) == settings


@pytest.mark.usefixtures("here")
def test_a_changed_file_is_told_and_made_again(files: Path, tmp_path: Path) -> None:
    out = tmp_path / "poses.zarr"
    bring(files, out)
    write_video(path_of(files, "a/two"), [[person(77)]])
    with pytest.raises(InputError, match=r"1 of the videos changed(.|\n)*a/two: (.|\n)*--changed"):
        bring(files, out)
    assert plan_retry(RetryConfig(out)).video_ids == ()
    asked = RetryConfig(out, changed=True)
    assert plan_retry(asked).video_ids == ("a/two",)
    assert retry(asked, ignore).statuses == {"ok": 1}
    assert PoseStore.open(out).read("a/two").xy_px[:, 0, 0].tolist() == [77]
    assert bring(files, out).num_made_videos == 0


@pytest.mark.usefixtures("here")
def test_a_copy_of_the_files_is_known_but_for_its_times(files: Path, tmp_path: Path) -> None:
    out = tmp_path / "poses.zarr"
    write_frames(files / "frames", [[], [person(50)]])
    bring(files, out)
    shutil.copytree(files, tmp_path / "copy", copy_function=shutil.copyfile)
    with pytest.raises(InputError, match="the files differ"):
        bring(tmp_path / "copy", out)
    assert bring(tmp_path / "copy", out, ignore_times=True).num_made_videos == 0


@pytest.mark.usefixtures("here")
def test_what_is_quarantined_or_missing_is_read_again(files: Path, tmp_path: Path) -> None:
    out, big = tmp_path / "poses.zarr", path_of(files, "five")
    path_of(files, "a/one").write_text("{")
    held = big.read_text()
    big.write_text(held + " " * 10_000)
    config = configured(files, out, max_bytes=9_000)
    gone = path_of(files, "b/four")

    def lose_one(_: Event) -> None:
        gone.unlink(missing_ok=True)

    summary = import_poses(config, lose_one)
    assert summary.statuses == {"ok": 2, "quarantined": 2, "missing": 1}
    assert "line 1, character 2" in summary.not_whole["a/one"]
    assert "bytes, more than 9,000; raise --max-gib" in summary.not_whole["five"]
    assert summary.num_unhappy(strict=False) == 2
    assert summary.num_unhappy(strict=True) == 3
    assert plan_retry(RetryConfig(out)).still_missing == ("b/four",)
    write_video(path_of(files, "a/one"), [[person(5)]])
    write_video(gone, [[]])
    with pytest.raises(InputError, match="was imported, so that --catalog tells nothing"):
        plan_retry(RetryConfig(out, catalog=tmp_path))
    assert retry(RetryConfig(out), ignore).statuses == {"ok": 2, "empty": 1}
    assert PoseStore.open(out).read("a/one").num_frames == 1
    assert PoseStore.open(out).entries()["five"].status is VideoStatus.OK


@pytest.mark.usefixtures("here")
def test_a_store_without_a_plan_has_nothing_to_retry(files: Path, tmp_path: Path) -> None:
    """An import was killed when it had made the store."""
    settings = configured(files, tmp_path).settings
    PoseStore.create(tmp_path / "p", settings.configuration())
    assert plan_retry(RetryConfig(tmp_path / "p")).video_ids == ()
    assert bring(files, tmp_path / "p").num_made_videos == 5


@pytest.mark.usefixtures("here")
def test_a_job_in_which_all_is_wrong_stops(tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / f"{number}.jsonl").write_text("not JSON\n")
    with pytest.raises(EnvironmentFault, match="11 of 11 videos tried are quarantined"):
        bring(tmp_path, tmp_path / "poses.zarr")


def worker(files: Path, out: Path, **changes: Any) -> tuple[ImportWorker, PoseStore]:
    """A worker of a store whose plan is frozen and of which nothing is made."""
    config = configured(files, out, **changes)
    store = PoseStore.open_or_create(out, config.settings.configuration())
    import_module._job(config, import_module._find(config, store)).freeze_plan(store)
    return ImportWorker(files, {}, out, config.settings, config.max_bytes), store


def tasks(files: Path, out: Path) -> tuple[Any, ...]:
    return plan_import(configured(files, out)).pending


@pytest.mark.parametrize("fault", [PermissionError(13, "no"), OSError(5, "I/O error")])
def test_what_the_disk_does_condemns_no_video(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: OSError
) -> None:
    made, store = worker(files, tmp_path / "p")
    task = tasks(files, tmp_path / "p")[0]

    def refuse(*_: object) -> None:
        raise fault

    with monkeypatch.context() as patch:
        patch.setattr(OpenpifpafFormat, "read", refuse)
        with pytest.raises(EnvironmentFault, match="the disk refused"):
            made.run(task, ignore)
    assert store.records() == {}
    made.run(task, ignore)
    assert set(store.records()) == {task.shard_id}
    assert made.run(task, ignore).outcome == "skipped"


@pytest.mark.usefixtures("here")
def test_sources_that_are_gone_altogether_are_the_machine_s_fault(
    files: Path, tmp_path: Path
) -> None:
    made, store = worker(files, tmp_path / "p")
    task = tasks(files, tmp_path / "p")[0]
    files.rename(tmp_path / "elsewhere")
    for attempt in (made.ready, lambda: made.run(task, ignore)):
        with pytest.raises(EnvironmentFault, match="the sources are not there"):
            attempt()
    assert store.records() == {}


def test_a_fault_of_the_reader_s_own_is_the_file_s(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, store = worker(files, tmp_path / "p")
    monkeypatch.setattr(OpenpifpafFormat, "read", lambda *_: {}["joints"])
    made.run(tasks(files, tmp_path / "p")[0], ignore)
    entry = store.entries()["a/one"]
    assert (entry.status, entry.reason) == (VideoStatus.QUARANTINED, "unreadable")
    assert "one.mp4.openpifpaf.json: KeyError: 'joints'" in entry.message


WRONG = {
    "no frame": ("", "there is not one frame in it"),
    "another size": (
        line(1, [person(1900)]),
        r"frame 0: a joint is at \(1916, 132\) px.*640 x 480",
    ),
    "one track twice": (line(1, [person(1, track=1), person(9, track=1)]), "share a slot"),
    "a crowd": (line(1, [person(1)] * 1001), "1,001 people in a frame"),
}


@pytest.mark.parametrize("fault", WRONG)
def test_what_cannot_be_poses_is_quarantined(tmp_path: Path, fault: str) -> None:
    text, message = WRONG[fault]
    (tmp_path / "v.jsonl").write_text(text)
    made, store = worker(tmp_path, tmp_path / "p")
    made.run(tasks(tmp_path, tmp_path / "p")[0], ignore)
    entry = store.entries()["v"]
    assert entry.status is VideoStatus.QUARANTINED
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(entry.message)
    assert entry.message.startswith(str(tmp_path / "v.jsonl"))


@pytest.mark.usefixtures("here")
def test_tracks_that_the_files_tell_are_kept(tmp_path: Path) -> None:
    # Two people who change places from one frame to the next: only the file knows.
    frames = [[person(10, track=4), person(400, track=9)], [person(400, track=4)]]
    write_video(tmp_path / "v.jsonl", frames)
    bring(tmp_path, tmp_path / "p")
    found = PoseStore.open(tmp_path / "p").read("v")
    assert found.slot.tolist() == [0, 1, 0]
    assert found.xy_px[:, 0, 0].tolist() == [10, 400, 400]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size_wh": None}, "do not tell the size of the frames; give it with --size 1920x1080"),
        ({"fps": None}, "do not tell the frames per second; give it with --fps 25"),
        ({"size_wh": (0, 480)}, "--size must be from 1x1 .* got 0x480"),
        ({"fps": 0.0}, "--fps must be more than 0"),
        ({"fps": float("nan")}, "--fps must be more than 0"),
    ],
)
def test_what_no_file_tells_must_be_given(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        replace(ImportSettings(OpenpifpafFormat(), SIZE_WH, FPS), **changes)


def test_what_cannot_be_imported_is_said_before_anything_is_made(
    files: Path, tmp_path: Path
) -> None:
    out = tmp_path / "p"
    (tmp_path / "empty").mkdir()
    for source, message in (
        (tmp_path / "none", "cannot be read .No such file"),
        (tmp_path / "empty", "no poses of openpifpaf in it"),
        (Path("s3://bucket/x"), "copy or mount"),
    ):
        with pytest.raises(InputError, match=message):
            bring(source, out)
    write_frames(files / "a" / "one", [[]])
    with pytest.raises(InputError, match=r"given twice: \['a/one'\]"):
        bring(files, out)
    assert not out.exists()


@pytest.mark.usefixtures("here")
def test_the_store_is_like_one_that_was_extracted(files: Path, tmp_path: Path) -> None:
    """The documented way to labels without any video: a list of the same ids."""
    table = tmp_path / "labels.csv"
    rows = [f"files/{name}.mp4,{name},{name[0]},train" for name in NAMES]
    table.write_text("\n".join(["path,id,label,subset", *rows]))
    write_catalog(tmp_path / "catalog", index_list(table))
    out = tmp_path / "poses.zarr"
    bring(files, out, catalog=tmp_path / "catalog")
    shown = status(out)
    assert {shown[key] for key in ("estimator", "format")} == {"imported", "openpifpaf"}
    assert (shown["videos_done"], shown["shards_to_do"], shown["skeleton"]) == (5, 0, "coco-17")
    assert "source_bytes_per_second" in shown
    made = run_materialize(out, tmp_path / "features.zarr", "potion", "canvas_hw=12,16", workers=1)
    assert made.num_valid == 5
    (group,) = (out / "shards").glob("s000000*")
    next(path for path in group.rglob("c/*/*") if path.is_file()).write_bytes(b"altered")
    report = verify(out, repair=True, on_event=ignore)
    assert (report.num_damaged, report.num_mended) == (1, 1)
    assert bring(files, out).num_made_videos == 2
    assert verify(out, on_event=ignore).is_whole
    assert [each.name for each in collect_garbage(str(out), dry_run=False).garbage]
    assert len(all_poses(out)) == 5


def test_a_catalog_of_other_videos_is_refused(files: Path, tmp_path: Path) -> None:
    table = tmp_path / "other.csv"
    table.write_text("path,id\nx.mp4,x\n")
    write_catalog(tmp_path / "catalog", index_list(table))
    with pytest.raises(InputError, match=r"none of the 5 videos imported, such as 'a/one'.*'x'"):
        bring(files, tmp_path / "p", catalog=tmp_path / "catalog")


joints = st.lists(
    st.tuples(st.integers(0, 63_900), st.integers(0, 47_900), st.integers(0, 100)),
    min_size=17,
    max_size=17,
).map(lambda rows: np.array(rows) / 100)
videos_of_joints = st.lists(st.lists(joints, max_size=2), min_size=1, max_size=4)


@hypothesis.settings(max_examples=20)  # each writes a store
@given(frames=videos_of_joints)
def test_what_was_predicted_is_what_is_read(
    frames: list[list[np.ndarray]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("round")
    people = [[(each, None) for each in frame] for frame in frames]
    write_video(root / "lines.jsonl", people)
    write_frames(root / "frames", people)
    made, store = worker(root, root / "p")
    for task in tasks(root, root / "p"):
        made.run(task, ignore)
    expected = [(i, each) for i, frame in enumerate(frames) for each in frame if each[:, 2].any()]
    for name in ("lines", "frames"):
        found = store.read(name)
        assert found.num_frames == len(frames)
        assert found.frame.tolist() == [number for number, _ in expected]
        left = list(range(found.num_rows))
        for number, truth in expected:  # those of a frame may have changed places
            seen = truth[:, 2] > 0
            (row, *_) = [
                row
                for row in left
                if found.frame[row] == number
                and np.array_equal(found.score[row] > 0, seen)
                and np.abs(found.xy_px[row] - truth[:, :2])[seen].max() <= STEP_PX / 2 + 1e-4
                and np.abs(found.score[row] - truth[:, 2]).max() <= 0.5 / 255 + 1e-6
            ]
            left.remove(row)


def command(files: Path, out: Path) -> list[str]:
    return [
        *(sys.executable, "-m", "posemill", "import", "openpifpaf", str(files), "-o", str(out)),
        *("--size", "640x480", "--fps", "20", "--shard-videos", "1", "--workers", "1"),
    ]


@pytest.mark.usefixtures("here")
def test_a_killed_import_goes_on_where_it_was(tmp_path: Path) -> None:
    files, num_videos = tmp_path / "files", 20
    for number in range(num_videos):
        frames = [[person(number), person(300)]] * 100
        write_video(files / f"{number:02d}.jsonl", frames)
    out = tmp_path / "poses.zarr"
    before = kill_half_way(command(files, out), out, num_videos)
    summary = bring(files, out, videos_per_shard=1)
    assert summary.statuses == {"ok": num_videos}
    assert summary.num_made_videos == num_videos - len(before)
    assert before.items() <= markers(out).items()
    bring(files, tmp_path / "whole.zarr", videos_per_shard=1)
    assert_equal_poses(out, tmp_path / "whole.zarr")


@pytest.mark.usefixtures("here")
def test_of_two_imports_at_once_each_shard_counts_once(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one does all of it when this one has read the sources of its first shard."""
    out = tmp_path / "poses.zarr"
    real, others = PoseStore.write_shard, list[PoseSummary]()

    def overtaken(self: PoseStore, *arguments: Any, **named: Any) -> bool:
        monkeypatch.setattr(PoseStore, "write_shard", real)
        others.append(bring(files, out))
        return real(self, *arguments, **named)

    monkeypatch.setattr(PoseStore, "write_shard", overtaken)
    ours = bring(files, out)
    assert [each.num_made_videos for each in others] == [5]
    assert (ours.num_made_videos, ours.statuses) == (0, {"ok": 5})
    assert 1 <= ours.num_lost_videos <= 2
    assert len(list((out / "plan").glob("*.parquet"))) == 1
    assert len(list((out / "shards").glob("s*"))) == 3  # who lost left nothing
    assert json.loads((out / "zarr.json").read_text())["attributes"]["configuration"]["fps"] == 20
