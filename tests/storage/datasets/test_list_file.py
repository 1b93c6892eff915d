"""Lists of paths and addresses, good ones and bad ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from objects_put import put_object
from tar_files import make_tar

from posemill.errors import EnvironmentFault, InputError
from posemill.schema import Video
from posemill.storage.catalog import Catalog
from posemill.storage.datasets.list_file import index_list
from posemill.storage.files.cache import FileCache
from posemill.storage.identity import ABSENT, file_identity


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(name.encode())


def places(catalog: Catalog) -> dict[str, str]:
    return {video.id: catalog.video_path(video) for video in catalog.videos}


def test_a_line_is_a_video_wherever_it_is(tmp_path: Path, bucket: str, cache: FileCache) -> None:
    root = tmp_path.resolve()
    touch(tmp_path, "lists/a/1.mp4", "other/2.MKV", "lists/12:30 Re: x.mp4", "lists/#3.mp4")
    make_tar(tmp_path / "lists" / "x.tar", {"d/4.mp4": b"four"})
    put_object(f"{bucket}/v/5.webm", b"five5")
    text = (
        f"# a comment\n\n  a/1.mp4  \r\n{root}/other/2.MKV\n./12:30 Re: x.mp4\n./#3.mp4\n"
        f"x.tar#d/4.mp4\n{bucket}/v/5.webm\nnone.mp4\n"
    )
    catalog = index_list(write(tmp_path / "lists" / "mine.txt", text), cache=cache)
    key = bucket.rpartition("/")[2]
    assert places(catalog) == {
        "a/1": f"{root}/lists/a/1.mp4",
        f"{str(root).removeprefix('/')}/other/2": f"{root}/other/2.MKV",
        "12:30 Re: x": f"{root}/lists/12:30 Re: x.mp4",
        "#3": f"{root}/lists/#3.mp4",
        "x/d/4": f"{root}/lists/x.tar#d/4.mp4",
        f"{key}/v/5": f"{bucket}/v/5.webm",
        "none": f"{root}/lists/none.mp4",
    }
    videos = {video.id: video for video in catalog.videos}
    assert videos["a/1"].identity == file_identity(tmp_path / "lists/a/1.mp4")
    sizes = {video_id: videos[video_id].num_bytes for video_id in ("a/1", "x/d/4", f"{key}/v/5")}
    assert sizes == {"a/1": 13, "x/d/4": 4, f"{key}/v/5": 5}
    assert (videos["none"].num_bytes, videos["none"].identity) == (0, ABSENT)
    assert (catalog.name, catalog.root) == ("mine", str(root))
    assert [(clip.id, clip.labels) for clip in catalog.clips] == [(i, ()) for i in videos]


@pytest.mark.parametrize(("suffix", "mark"), [(".csv", ","), (".tsv", "\t")])
def test_a_table_has_labels_subsets_and_spans(
    tmp_path: Path, cache: FileCache, suffix: str, mark: str
) -> None:
    touch(tmp_path, "a.mp4", "b,c.mp4", "d.mp4")
    rows = [
        ("label", "path", "subset", "start", "end", "id"),
        ("run", "a.mp4", "train", "12.5", "22.5", ""),
        ("walk", "a.mp4", "val", "1", "4.25", ""),
        ("", '"b,c.mp4"', "", "", "", "mine"),
        ("run", "d.mp4", "test", "3", "", "d/late"),
        ("", "d.mp4", "", "", "2", "d/early"),
    ]
    text = "\ufeff" + "".join(f"{mark.join(row)}\r\n" for row in rows)
    catalog = index_list(write(tmp_path / f"x{suffix}", text), cache=cache)
    spans = {v.id: (v.start_seconds, v.end_seconds) for v in catalog.videos}
    assert spans == {
        "a": (1.0, 22.5), "mine": (0.0, None), "d/late": (3.0, None), "d/early": (0.0, 2.0)
    }  # fmt: skip
    clips = {
        clip.id: (
            clip.video_id, clip.start_seconds, clip.end_seconds,
            [label.name for label in clip.labels], dict(clip.splits),
        )
        for clip in catalog.clips
    }  # fmt: skip
    assert clips == {
        "a@12.5-22.5": ("a", 12.5, 22.5, ["run"], {"default": "train"}),
        "a@1-4.25": ("a", 1.0, 4.25, ["walk"], {"default": "val"}),
        "mine": ("mine", 0.0, None, [], {}),
        "d/late": ("d/late", 3.0, None, ["run"], {"default": "test"}),
        "d/early": ("d/early", 0.0, 2.0, [], {}),
    }
    assert catalog.classes == ("run", "walk")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("x.txt", "# nothing\n\n", "no video in it"),
        ("x.txt", "a.mp4\nsub/../b.avi\n", "line 2: the id of a video must be a plain"),
        ("x.txt", "a.mp4\na.avi\n", "lines 1 and 2: .*a.mp4' and .*a.avi' have the same id, 'a'"),
        ("x.txt", "a.mp4\n\na.mp4\n", "lines 1 and 3: the same span"),
        ("x.txt", "a.mp4\nconcat:a.mp4|b.mp4\n", "line 2: .* concat: is not taken"),
        ("x.txt", "file:///etc/passwd\n", "line 1: .* file: is not taken"),
        ("x.txt", "simplecache::https://h/a.mp4\n", "line 1: .* not chained"),
        ("x.txt", "https://me:secret@h/a.mp4\n", "line 1: .* a user or a password"),
        ("x.txt", "x.tar#../a.mp4\n", "line 1: .*the member's name"),
        ("x.txt", "a\x00.mp4\n", "line 1: .*control character"),
        ("x.txt", f"{'a' * 300}.mp4\n", "line 1: .*at most 255"),
        ("x.csv", "", "line 1: the column 'path' is missing; .*the file is empty"),
        ("x.csv", "label,subset\nrun,train\n", "line 1: .*; the columns are 'label', 'subset'"),
        ("x.csv", "path,colour\na.mp4,red\n", "x.csv: the columns are .*Remove 'colour'"),
        ("x.csv", "path,path\na.mp4,a.mp4\n", "line 1: the column 'path' is there twice"),
        ("x.csv", "path,label\na.mp4\n", "line 2: has 1 values; expected 2"),
        ("x.csv", "path,label\na.mp4,run,train\n", "line 2: has 3 values; expected 2"),
        ("x.csv", "path,label\n,run\n", "line 2: has no path"),
        ("x.csv", 'path,label\n"a.mp4,run\n', "line 2: "),
        ("x.csv", "path,start,end\na.mp4,3,3\n", "line 2: the span .* is empty"),
        ("x.csv", "path,start,end\na.mp4,,0\n", "line 2: the span .* is empty"),
        ("x.csv", "path,start\na.mp4,soon\n", "line 2: expected seconds from 0 on"),
        ("x.csv", "path,start\na.mp4,-1\n", "line 2: expected seconds from 0 on"),
        ("x.csv", "path,end\na.mp4,nan\n", "line 2: expected seconds from 0 on"),
        ("x.csv", "path,id\na.mp4,../a\n", "line 2: the id of a video must be a plain"),
    ],
)
def test_a_wrong_line_is_named(
    tmp_path: Path, cache: FileCache, name: str, text: str, message: str
) -> None:
    touch(tmp_path, "a.mp4", "b.mp4")
    with pytest.raises(InputError, match=message) as caught:
        index_list(write(tmp_path / name, text), cache=cache)
    assert str(tmp_path / name) in str(caught.value)


def test_a_list_that_cannot_be_read_is_named(tmp_path: Path, cache: FileCache) -> None:
    with pytest.raises(InputError, match=r"none\.txt: cannot be read"):
        index_list(tmp_path / "none.txt", cache=cache)
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9.mp4\n")
    with pytest.raises(InputError, match=r"latin\.txt, line 1: character 4 is not utf-8 text"):
        index_list(tmp_path / "latin.txt", cache=cache)


def test_an_address_that_gives_no_answer_ends_it(tmp_path: Path, cache: FileCache) -> None:
    with pytest.raises(EnvironmentFault, match=r"https://127\.0\.0\.1:9/a\.mp4"):
        index_list(write(tmp_path / "x.txt", "https://127.0.0.1:9/a.mp4\n"), cache=cache)


def test_links_in_folders_are_resolved(tmp_path: Path, cache: FileCache) -> None:
    touch(tmp_path, "data/a.mp4")
    (tmp_path / "link").symlink_to(tmp_path / "data")
    catalog = index_list(write(tmp_path / "x.txt", "link/a.mp4\n"), cache=cache)
    assert places(catalog) == {"link/a": f"{tmp_path.resolve()}/data/a.mp4"}
    assert catalog.root == f"{tmp_path.resolve()}/data"
    assert isinstance(catalog.videos[0], Video)
