"""Folders of fixtures: their layout, and what happens to one that is there already."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import pytest

from posemill.errors import EnvironmentFault, InputError
from posemill.fixtures.actions import CLASSES, MIRROR_LABELS
from posemill.fixtures.scene import render_clip
from posemill.pipelines.fixtures import (
    FixtureParameters,
    clip_stem,
    write_fixtures,
    write_video,
)
from posemill.storage.datasets.folder import index_folder

SMALL = FixtureParameters(num_clips=4, seed=9, width=64, height=48, min_frames=3, max_frames=5)


def decoded(path: Path) -> np.ndarray:
    capture, frames = cv2.VideoCapture(str(path)), []
    while True:
        there, frame = capture.read()
        if not there:
            return np.stack(frames)
        frames.append(frame[..., ::-1])


def test_a_folder_holds_videos_and_their_truth(tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    root = tmp_path / "fixtures"
    summary = write_fixtures(root, SMALL, on_progress=lambda *call: calls.append(call))
    assert (summary.num_train, summary.num_test, summary.rendered) == (3, 1, 4)
    assert calls == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert json.loads((root / "mirror_labels.json").read_text()) == dict(MIRROR_LABELS)
    for spec in SMALL.clips():
        clip, stem = render_clip(spec), clip_stem(root, spec)
        frames = decoded(stem.with_suffix(".mp4"))
        assert frames.shape == clip.frames.shape
        assert np.abs(frames.astype(float) - clip.frames).mean() < 16  # the codec is lossy
        with np.load(stem.with_suffix(".npz"), allow_pickle=False) as truth:
            for name in ("xy_px", "xyz_m", "visible", "box_xyxy_px", "principal_xy_px"):
                np.testing.assert_array_equal(truth[name], getattr(clip, name))
            assert truth["actor"] == clip.actor
            assert truth["fps"] == 24.0
            assert truth["focal_px"] == clip.focal_px


def test_files_lie_by_subset_and_class(tmp_path: Path) -> None:
    write_fixtures(tmp_path, SMALL)
    files = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.mp4"))
    assert files == [f"test/{CLASSES[0]}/0000.mp4"] + [
        f"train/{label}/0000.mp4" for label in CLASSES[:3]
    ]
    assert not list(tmp_path.rglob(".*"))


def test_two_workers_write_what_one_writes(tmp_path: Path) -> None:
    write_fixtures(tmp_path / "one", SMALL, workers=1)
    write_fixtures(tmp_path / "two", SMALL, workers=2)
    for spec in SMALL.clips():
        one, two = (clip_stem(tmp_path / name, spec) for name in ("one", "two"))
        frames = [decoded(stem.with_suffix(".mp4")) for stem in (one, two)]
        np.testing.assert_array_equal(*frames)
        with np.load(one.with_suffix(".npz")) as ours, np.load(two.with_suffix(".npz")) as other:
            assert set(ours) == set(other)
            for name in ours:
                np.testing.assert_array_equal(ours[name], other[name])


def test_three_of_four_train_and_classes_are_balanced() -> None:
    clips = FixtureParameters(num_clips=96).clips()
    for subset, each in (("train", 6), ("test", 2)):
        labels = [clip.label for clip in clips if clip.subset == subset]
        assert {label: labels.count(label) for label in CLASSES} == dict.fromkeys(CLASSES, each)
    assert len(set(clips)) == 96


def test_a_complete_folder_is_left_alone(tmp_path: Path) -> None:
    write_fixtures(tmp_path, SMALL)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    assert write_fixtures(tmp_path, SMALL).rendered == 0
    after = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    assert before == after


@pytest.mark.parametrize("suffix", [".mp4", ".npz"])
def test_what_is_missing_is_made_again(tmp_path: Path, suffix: str) -> None:
    write_fixtures(tmp_path, SMALL)
    stem = clip_stem(tmp_path, SMALL.clips()[1])
    whole = stem.with_suffix(".npz").read_bytes()
    stem.with_suffix(suffix).unlink()
    assert write_fixtures(tmp_path, SMALL).rendered == 1
    assert stem.with_suffix(".mp4").is_file()
    assert stem.with_suffix(".npz").read_bytes() == whole
    assert not list(tmp_path.rglob(".*"))


def test_drafts_left_by_a_kill_disturb_nothing(tmp_path: Path) -> None:
    (tmp_path / f".fixtures.json.{'0' * 32}").write_text("{")  # killed within the first write
    folder = clip_stem(tmp_path, SMALL.clips()[0]).parent
    write_fixtures(tmp_path, SMALL)
    (folder / f".0000.{'0' * 32}.mp4").write_bytes(b"half a video")
    assert write_fixtures(tmp_path, SMALL).rendered == 0
    (folder / "0000.mp4").unlink()
    assert write_fixtures(tmp_path, SMALL).rendered == 1
    assert len(index_folder(tmp_path).videos) == 4


def test_a_kill_between_the_folders_two_lists_is_made_good(tmp_path: Path) -> None:
    write_fixtures(tmp_path / "whole", SMALL)
    cut = tmp_path / "cut"
    cut.mkdir()
    shutil.copy(tmp_path / "whole" / "fixtures.json", cut)
    write_fixtures(cut, SMALL)
    assert json.loads((cut / "mirror_labels.json").read_text()) == dict(MIRROR_LABELS)


def command(out: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "posemill", "fixtures", str(out), *options]


def contents(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }


def test_two_calls_on_one_folder_write_what_one_writes(tmp_path: Path) -> None:
    options = ("--clips", "12", "--workers", "1")
    together = [subprocess.Popen(command(tmp_path / "both", *options)) for _ in range(2)]
    assert [process.wait() for process in together] == [0, 0]
    subprocess.run(command(tmp_path / "one", *options), check=True)
    assert contents(tmp_path / "both") == contents(tmp_path / "one")


def test_no_worker_outlives_a_killed_call(tmp_path: Path) -> None:
    options = ("--clips", "600", "--workers", "2")
    driver = subprocess.Popen(command(tmp_path / "out", *options))
    wait_until(lambda: any((tmp_path / "out").rglob("*.npz")))
    started = children(driver.pid)
    assert len(started) >= 2
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    wait_until(lambda: not any(map(is_alive, started)))


def test_a_worker_that_dies_ends_the_call_with_a_clear_line(tmp_path: Path) -> None:
    options = ("--clips", "600", "--workers", "2")
    driver = subprocess.Popen(
        command(tmp_path / "out", *options), stderr=subprocess.PIPE, text=True
    )
    wait_until(lambda: any((tmp_path / "out").rglob("*.npz")))
    worker = next(pid for pid in children(driver.pid) if b"spawn_main" in command_line(pid))
    os.kill(worker, signal.SIGKILL)
    _, told = driver.communicate(timeout=60)
    assert driver.returncode == 3
    assert "died" in told
    assert "Traceback" not in told


def wait_until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def state_and_parent(pid: int) -> tuple[str, int]:
    state, parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
    return state, int(parent)


def command_line(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def children(parent: int) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError):  # it ended meanwhile
            if state_and_parent(int(folder.name))[1] == parent:
                found.append(int(folder.name))
    return found


def is_alive(pid: int) -> bool:
    try:
        return state_and_parent(pid)[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_folder_of_other_parameters_is_refused(tmp_path: Path) -> None:
    write_fixtures(tmp_path, SMALL)
    other = FixtureParameters(num_clips=4, seed=10, width=64, height=48, min_frames=3, max_frames=5)
    with pytest.raises(InputError, match=r"(?s)other parameters.*seed: asked for 10"):
        write_fixtures(tmp_path, other)


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "holiday.txt").write_text("keep me")
    with pytest.raises(InputError, match="not a folder of fixtures"):
        write_fixtures(tmp_path, SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["holiday.txt"]


def test_a_damaged_manifest_is_named(tmp_path: Path) -> None:
    (tmp_path / "fixtures.json").write_text("{")
    with pytest.raises(InputError, match="is not JSON"):
        write_fixtures(tmp_path, SMALL)
    (tmp_path / "fixtures.json").write_text("[1, 2]")
    with pytest.raises(InputError, match=r"must hold a JSON object, got \[1, 2\]"):
        write_fixtures(tmp_path, SMALL)


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="not a folder of fixtures"):
        write_fixtures(tmp_path / "file", SMALL)
    with pytest.raises(EnvironmentFault, match="below: the disk refused"):
        write_fixtures(tmp_path / "file" / "below", SMALL)


def test_a_video_that_cannot_be_written_is_the_machines_fault(tmp_path: Path) -> None:
    frames = np.zeros((2, 48, 64, 3), np.uint8)
    with pytest.raises(EnvironmentFault, match="cannot write"):
        write_video(tmp_path / "missing" / "video.mp4", frames, 24.0)
    with pytest.raises(EnvironmentFault, match="nothing was written"):
        write_video(tmp_path / "video.mp4", frames[:0], 24.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_clips": 1}, "at least 2 clips"),
        ({"num_clips": 4, "fps": 0.0}, "must be positive"),
        ({"num_clips": 4, "width": 65}, "must be even"),
    ],
)
def test_parameters_that_cannot_be_are_refused(change: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        FixtureParameters(**change)  # type: ignore[arg-type]


def test_no_workers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="workers must be at least 1"):
        write_fixtures(tmp_path, SMALL, workers=0)
