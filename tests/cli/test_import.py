"""`import` and `formats`: what they print, what they refuse, and how they end."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from in_process import InThisProcess
from pifpaf_files import person, write_video

from posemill.pipelines import import_poses, retry

Run = Callable[..., tuple[int, str, str]]
TOLD = ("--size", "640x480", "--fps", 20)


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (import_poses, retry):
        monkeypatch.setattr(module, "create_engine", lambda *_: InThisProcess())


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for name in "ab":
        write_video(tmp_path / "files" / f"{name}.mp4.openpifpaf.json", [[person(1)], []])
    return tmp_path / "files"


def test_a_folder_is_imported_once(run: Run, files: Path, tmp_path: Path) -> None:
    command = ("import", "openpifpaf", files, "-o", tmp_path / "p", *TOLD)
    status, out, _ = run(*command, "--dry-run")
    assert status == 0
    assert out.startswith("would import 2 videos in 2 shards, 0.0 MB to read; 0 of 2 shards done")
    assert not (tmp_path / "p").exists()
    status, out, _ = run(*command)
    assert (status, "2 videos (2 ok), 4 frames; 2 imported now" in out) == (0, True)
    status, out, _ = run(*command, "--json")
    told = json.loads(out)
    assert (status, told["imported_now"], told["ok"], told["frames"]) == (0, 0, 2, 4)
    status, out, _ = run("status", tmp_path / "p", "--json")
    assert json.loads(out)["format"] == "openpifpaf"


def test_bad_files_are_named_and_count_for_the_exit_status(
    run: Run, files: Path, tmp_path: Path
) -> None:
    bad = files / "b.mp4.openpifpaf.json"
    bad.write_text(bad.read_text()[:50])
    status, out, err = run("import", "openpifpaf", files, "-o", tmp_path / "p", *TOLD)
    assert (status, "2 videos (1 ok, 1 quarantined)" in out) == (1, True)
    assert f"b: quarantined: {bad}, line 1, character" in err
    status, out, _ = run("retry", tmp_path / "p", "--dry-run")
    assert (status, out) == (0, "would make 1 video again (1 quarantined) in 1 shard\n")
    write_video(bad, [[]])
    status, out, _ = run("retry", tmp_path / "p", "--max-gib", "0.5")
    assert (status, "1 video made again (1 empty)" in out) == (0, True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "do not tell the size of the frames; give it with --size 1920x1080"),
        (("--size", "640x480"), "do not tell the frames per second; give it with --fps"),
        (("--size", "640,480", "--fps", 20), "WIDTHxHEIGHT in pixels, such as 1920x1080, got"),
        ((*TOLD, "--set", "joints=18"), "joints must be coco-17 or wholebody-133, got 18"),
        ((*TOLD, "--engine", "none"), "no engine is called 'none'"),
    ],
)
def test_wrong_options_are_said_before_anything_is_made(
    run: Run,
    files: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[object, ...],
    message: str,
) -> None:
    monkeypatch.undo()
    status, _, err = run("import", "openpifpaf", files, "-o", tmp_path / "p", *options)
    assert (status, message in err) == (2, True), err
    assert not (tmp_path / "p").exists()


def test_options_may_come_from_a_file(run: Run, files: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("size: 640x480\nfps: 20\nset: [first_frame=0]\nengine-option: []\n")
    command = ("import", "openpifpaf", files, "-o", tmp_path / "p", "--config", config, "--json")
    status, out, _ = run(*command)
    assert (status, json.loads(out)["frames"]) == (0, 6)  # numbers 1 and 2 are after a frame 0


def test_formats_are_listed_with_what_they_need(run: Run) -> None:
    status, out, _ = run("formats")
    assert status == 0
    assert re.search(r"^openpifpaf +openpifpaf's JSON", out, re.MULTILINE)
    status, out, _ = run("formats", "openpifpaf", "--json")
    told = json.loads(out)
    assert (status, told["needs"]) == (0, ["--size", "--fps"])
    assert told["settings"]["first_frame"]["default"] == "1"
    status, _, err = run("formats", "none")
    assert (status, "no pose format is called 'none'" in err) == (2, True)
