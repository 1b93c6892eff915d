"""`index list`, `index tar` and `index folder` of a bucket, as their users type them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from dataset_files import put_files, put_videos
from objects_put import put_object
from tar_files import make_tar

from posemill.storage.catalog import read_catalog
from posemill.storage.datasets.registry import dataset_names, get_dataset


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSEMILL_CACHE", str(tmp_path / "cache"))


def test_every_source_makes_a_catalog(run, bucket: str, tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"a")
    (tmp_path / "list.csv").write_text("path,label,subset\na.mp4,run,train\nnone.mp4,walk,test\n")
    tar = make_tar(tmp_path / "train-1.tar", {"k.mp4": b"four", "k.cls": b"run"})
    put_object(f"{bucket}/set/test/walk/b.mp4", b"bb")
    sources = {
        "list": (tmp_path / "list.csv", (2, {"default": {"test": 1, "train": 1}}, 1, 1)),
        "tar": (tar, (1, {"default": {"train": 1}}, 4, 0)),
        "folder": (f"{bucket}/set", (1, {"default": {"test": 1}}, 2, 0)),
    }
    for name, (source, expected) in sources.items():
        out = tmp_path / f"catalog-{name}"
        status, text, err = run("index", name, source, "-o", out, "--dry-run")
        assert (status, out.exists()) == (0, False), err
        assert text.startswith(f"would write {out}: ")
        status, text, err = run("index", name, source, "-o", out, "--json")
        told = json.loads(text)
        assert status == 0
        assert (told["videos"], told["splits"], told["bytes"], told["videos_absent"]) == expected
        assert len(read_catalog(out).videos) == expected[0]
    put_object(f"{bucket}/set/test/walk/c.mp4", b"c")
    out = tmp_path / "catalog-folder"
    status, _, err = run("index", "folder", f"{bucket}/set", "-o", out)
    assert (status, "--overwrite" in err) == (2, True)
    status, text, _ = run("index", "folder", f"{bucket}/set", "-o", out, "--overwrite")
    assert (status, text) == (
        0,
        f"{out}: 2 videos, 2 clips, 1 class, split: default 2 test, 0.0 kB\n",
    )


def test_options_may_come_from_a_file(run, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("none.mp4\n")
    (tmp_path / "options.yaml").write_text(f"out: {tmp_path / 'catalog'}\n")
    status, text, _ = run(
        "index", "list", tmp_path / "list.txt", "--config", tmp_path / "options.yaml"
    )
    assert status == 0
    assert text.endswith(f"; 1 video not there, see {tmp_path / 'catalog' / 'missing.txt'}\n")


@pytest.mark.parametrize(
    ("command", "status", "message"),
    [
        (("list", "none.txt"), 2, "none.txt: cannot be read"),
        (("tar", "x.tar.gz"), 2, "gunzip"),
        (("folder", "https://host/set"), 2, "posemill index list"),
        (("folder", "ftp://host/set"), 2, "ftp: is not taken"),
        (("folder", "simplecache::s3://b/set"), 2, "not chained"),
        (("folder", "s3://nowhere/set"), 3, "NoSuchBucket"),
    ],
)
def test_what_cannot_be_indexed_is_said_in_one_line(
    run, bucket: str, tmp_path: Path, command: tuple[str, str], status: int, message: str
) -> None:
    ended, out, err = run("index", *command, "-o", tmp_path / "catalog")
    assert (ended, out) == (status, "")
    assert message in err
    assert len(err.strip().splitlines()) == 1
    assert not (tmp_path / "catalog").exists()


def test_a_table_with_columns_of_other_names(run, tmp_path: Path) -> None:
    put_files(tmp_path, {"mine.csv": "file;Tätigkeit;part;n\na.mp4;go+run;train;1\n".encode("l1")})
    flags = ["--column", "path=file", "--column", "label=Tätigkeit", "--column", "split:x=part"]
    flags += ["--label-separator", "+", "--encoding", "latin-1"]
    out = tmp_path / "catalog"
    status, text, _ = run("index", "list", tmp_path / "mine.csv", "-o", out, *flags)
    assert status == 0
    assert text.startswith(f"{out}: 1 video, 1 clip, 2 classes, split: x 1 train, ")
    flags[1] = "paht=file"
    status, _, err = run("index", "list", tmp_path / "mine.csv", "-o", out, *flags)
    assert (status, "--column paht=file: expected OURS=THEIRS" in err) == (2, True)


def test_a_dataset_by_its_annotations(run, tmp_path: Path) -> None:
    head = "label,youtube_id,time_start,time_end,split\n"
    notes = put_files(tmp_path / "notes", {"train.csv": f"{head}run,a,0,10,train\nsit,b,0,9,train"})
    videos = put_videos(tmp_path / "videos", "a_000000_000010.mp4")
    out = tmp_path / "catalog"
    status, text, _ = run("index", "kinetics", notes, "--videos", videos, "-o", out)
    assert (status, text) == (
        0,
        f"{out}: 2 videos, 2 clips, 2 classes, split: default 2 train, 0.0 kB; 1 video not there, "
        f"see {out / 'missing.txt'}\n",
    )
    status, _, err = run("index", "kinetics", "--videos", videos, "-o", out)
    assert (status, "no annotations are given. Expected train.csv" in err) == (2, True)
    setting = ("--set", "encoding=ascii")
    status, _, err = run("index", "kinetics", notes, "--videos", videos, "-o", out, *setting)
    assert (status, "encoding must be utf-8 or latin-1 or utf-16" in err) == (2, True)


@pytest.mark.parametrize("name", dataset_names())
def test_help_shows_the_files_of_each_dataset(run, name: str) -> None:
    status, text, _ = run("index", name, "--help")
    assert status == 0
    for line in get_dataset(name).files.splitlines():
        assert line.strip()[:40] in text
