from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from posemill.errors import InputError
from posemill.schema import TimedLabel
from posemill.storage.datasets.folder import index_folder
from posemill.storage.identity import file_identity


def _touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(name.encode())


def test_folders_are_subsets_and_classes(tmp_path: Path) -> None:
    _touch(
        tmp_path,
        "train/run/1.mp4",
        "val/run/1.avi",
        "test/2.MP4",
        "walk/x/3.mkv",
        "4.webm",
        "n.txt",
    )
    catalog = index_folder(tmp_path)
    found = {
        clip.id: ([label.name for label in clip.labels], dict(clip.splits))
        for clip in catalog.clips
    }
    assert found == {
        "4": ([], {}),
        "test/2": ([], {"default": "test"}),
        "train/run/1": (["run"], {"default": "train"}),
        "val/run/1": (["run"], {"default": "val"}),
        "walk/x/3": (["x"], {}),
    }
    assert catalog.classes == ("run", "x")
    assert (catalog.name, catalog.root) == (tmp_path.name, str(tmp_path.resolve()))
    assert [clip.video_id for clip in catalog.clips] == [video.id for video in catalog.videos]


def test_a_video_knows_its_file(tmp_path: Path) -> None:
    _touch(tmp_path, "run/1.mp4")
    catalog = index_folder(tmp_path, name="mine")
    (video,) = catalog.videos
    assert Path(catalog.video_path(video)) == tmp_path.resolve() / "run" / "1.mp4"
    assert video.num_bytes == len("run/1.mp4")
    assert video.identity == file_identity(tmp_path / "run" / "1.mp4")
    assert catalog.clips[0].labels == (TimedLabel("run"),)
    assert catalog.name == "mine"


def test_files_that_differ_by_suffix_keep_it(tmp_path: Path) -> None:
    _touch(tmp_path, "a.mp4", "a.avi", "b.mp4")
    assert [video.id for video in index_folder(tmp_path).videos] == ["a.avi", "a.mp4", "b"]


def test_a_kept_suffix_may_not_take_anothers_id(tmp_path: Path) -> None:
    _touch(tmp_path, "a.mp4", "a.avi", "a.mp4.mp4")
    ids = {video.uri: video.id for video in index_folder(tmp_path).videos}
    assert ids == {name: name for name in ("a.mp4", "a.avi", "a.mp4.mp4")}


def test_hidden_files_and_folders_are_skipped(tmp_path: Path) -> None:
    _touch(tmp_path, "a.mp4", ".b.mp4", ".cache/c.mp4")
    assert [video.id for video in index_folder(tmp_path).videos] == ["a"]


@pytest.mark.parametrize(
    ("step", "name"), [("open", "1.mp4"), ("stat", "1.mp4"), ("iterdir", "run"), ("is_dir", "run")]
)
def test_what_may_not_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, name: str
) -> None:
    _touch(tmp_path, "run/1.mp4", "walk/2.mp4")
    real = getattr(Path, step)

    def refuse(path: Path, *args: object, **kwargs: object) -> object:
        if path.name == name:
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, *args, **kwargs)

    monkeypatch.setattr(Path, step, refuse)
    with pytest.raises(InputError) as caught:
        index_folder(tmp_path)
    assert f"{tmp_path / 'run'}" in str(caught.value)
    assert f"{name}: cannot be read (Permission denied)" in str(caught.value)
    assert "move it out of the dataset, then index again" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [("run/a\nb.mp4", "has a control character"), ("run/" * 80 + "1.mp4", "at most 255")],
)
def test_a_path_that_cannot_be_an_id_is_refused(tmp_path: Path, name: str, message: str) -> None:
    _touch(tmp_path, name)
    with pytest.raises(InputError, match=message) as caught:
        index_folder(tmp_path)
    assert repr(str(tmp_path / name)) in str(caught.value)
    assert "Rename the file or the folder, then index again" in str(caught.value)


def test_links_are_followed_and_circles_end(tmp_path: Path) -> None:
    _touch(tmp_path, "data/run/1.mp4", "elsewhere/2.mp4")
    (tmp_path / "data" / "walk").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "data" / "run" / "again").symlink_to(tmp_path / "data")
    assert [video.id for video in index_folder(tmp_path / "data").videos] == ["run/1", "walk/2"]


@pytest.mark.parametrize("name", ["missing", "empty", "file"])
def test_a_folder_without_videos_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError) as caught:
        index_folder(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)


def test_mirrors_hold_both_ways(tmp_path: Path) -> None:
    _touch(tmp_path, "left/1.mp4", "right/2.mp4", "jump/3.mp4", "spin/4.mp4")
    (tmp_path / "mirror_labels.json").write_text(json.dumps({"left": "right", "jump": "jump"}))
    mirrors = {clip.labels[0].name: clip.mirror_label for clip in index_folder(tmp_path).clips}
    assert mirrors == {"left": "right", "right": "left", "jump": "jump", "spin": None}


def test_a_part_of_a_dataset_keeps_the_classes_of_its_mirror_file(tmp_path: Path) -> None:
    _touch(tmp_path, "left/1.mp4")
    mirrors = {"left": "right", "jump": "jump"}
    (tmp_path / "mirror_labels.json").write_text(json.dumps(mirrors))
    catalog = index_folder(tmp_path)
    assert catalog.classes == ("jump", "left", "right")
    assert catalog.clips[0].mirror_label == "right"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("not json", "not readable as JSON"),
        ('["left"]', "expected an object"),
        ('{"left": 1}', "expected an object"),
        ('{"lift": "lower"}', "names the classes lift, lower, and no video here is of them"),
        ('{"left": "right", "jump": "right"}', "two mirrors"),
    ],
)
def test_a_wrong_mirror_file_is_refused(tmp_path: Path, text: str, message: str) -> None:
    _touch(tmp_path / "set", "left/1.mp4", "right/2.mp4", "jump/3.mp4")
    mirrors = tmp_path / "mirrors.json"
    mirrors.write_text(text)
    with pytest.raises(InputError, match=message):
        index_folder(tmp_path / "set", mirror_labels=mirrors)
    with pytest.raises(InputError, match="not readable"):
        index_folder(tmp_path / "set", mirror_labels=tmp_path / "none.json")


def test_a_name_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/caf\xe9.mp4"
    try:
        os.close(os.open(name, os.O_CREAT | os.O_WRONLY))
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    with pytest.raises(InputError, match="not UTF-8"):
        index_folder(tmp_path)
