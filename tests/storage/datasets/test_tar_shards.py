"""Tar files of samples: keys, labels, subsets, and what is refused."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from objects_put import put_object
from tar_files import make_tar

from posemill.errors import InputError
from posemill.storage.catalog import Catalog
from posemill.storage.datasets.tar_shards import index_tar
from posemill.storage.files.cache import FileCache
from posemill.storage.identity import file_identity

MEMBERS = {
    "a/1.mp4": b"one",
    "a/1.cls": b"run\n",
    "a/1.json": b'{"label": "walk", "subset": "val"}',
    "a/2.json": b'{"label": 3, "more": [1]}',
    "a/2.webm": b"two",
    "3.txt": b"juggling balls\n",
    "3.mp4": b"three",
    "4.mp4": b"four",
    "4.cam2.mp4": b"four again",
    "5.json": b"no video has this",
    ".hidden.mp4": b"",
}


def told(catalog: Catalog) -> dict[str, tuple[list[str], dict[str, str]]]:
    return {c.id: ([label.name for label in c.labels], dict(c.splits)) for c in catalog.clips}


def test_what_shares_a_key_is_a_sample(tmp_path: Path, cache: FileCache) -> None:
    tar = make_tar(tmp_path / "train-0001.tar", MEMBERS)
    catalog = index_tar([str(tar)], cache=cache)
    train = {"default": "train"}
    assert told(catalog) == {
        "train-0001/a/1": (["run"], {"default": "val"}),
        "train-0001/a/2": (["3"], train),
        "train-0001/3": (["juggling balls"], train),
        "train-0001/4": ([], train),
        "train-0001/4.cam2": ([], train),
    }
    assert catalog.classes == ("3", "juggling balls", "run")
    root = str(tmp_path.resolve())
    assert (catalog.root, catalog.videos[0].uri) == (root, "train-0001.tar#a/1.mp4")
    assert catalog.video_path(catalog.videos[0]) == f"{root}/train-0001.tar#a/1.mp4"
    (tmp_path / "1.mp4").write_bytes(b"one")
    size, _, digest = file_identity(tmp_path / "1.mp4").split("-")
    assert catalog.videos[0].identity == f"{size}-{7 * 10**9}-{digest}"


@pytest.mark.parametrize(
    ("path", "subset"),
    [
        ("train-0001.tar", "train"),
        ("val_7.tar", "val"),
        ("test.tar", "test"),
        ("test/x.tar", "test"),
        ("training.tar", ""),
        ("data/x.tar", ""),
    ],
)
def test_a_tar_files_name_or_folder_is_a_subset(
    tmp_path: Path, cache: FileCache, path: str, subset: str
) -> None:
    tar = make_tar(tmp_path / "set" / path, {"a.mp4": b"a"})
    (clip,) = index_tar([str(tar)], cache=cache).clips
    assert dict(clip.splits) == ({"default": subset} if subset else {})


def test_tar_files_may_be_at_addresses(tmp_path: Path, bucket: str, cache: FileCache) -> None:
    tar = make_tar(tmp_path / "train-0001.tar", MEMBERS)
    address = put_object(f"{bucket}/train-0001.tar", tar.read_bytes())
    ours, theirs = (index_tar([place], cache=cache) for place in (address, str(tar)))
    assert ours.clips == theirs.clips
    assert [v.identity for v in ours.videos] == [v.identity for v in theirs.videos]
    assert ours.video_path(ours.videos[0]) == f"{address}#a/1.mp4"


def test_two_tar_files_of_one_name_are_refused(tmp_path: Path, cache: FileCache) -> None:
    tars = [str(make_tar(tmp_path / part / "x.tar", {"a.mp4": b"a"})) for part in "12"]
    with pytest.raises(InputError, match=r"1/x\.tar#a\.mp4 and .*2/x\.tar#a\.mp4 have the same id"):
        index_tar(tars, cache=cache)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"a.txt": b"a"}, "no video in it"),
        ({"../a.mp4": b"a"}, "the member's name"),
        ({"a.mp4": b"a", "a.cls": b"\xff"}, r"x\.tar#a\.cls: .*utf-8"),
        ({"a.mp4": b"a", "a.cls": b"x\ny"}, r"x\.tar#a\.cls: expected a label in one line"),
        ({"a.mp4": b"a", "a.txt": b"x" * 256}, r"x\.tar#a\.txt: expected a label in one line"),
        ({"a.mp4": b"a", "a.cls": b"x" * (1 << 21)}, r"x\.tar#a\.cls: a label of 2,097,152 bytes"),
        ({"a.mp4": b"a", "a.json": b"["}, r"x\.tar#a\.json: Expecting value"),
        ({"a.mp4": b"a", "a.json": b"[1]"}, r"x\.tar#a\.json: expected an object"),
        ({"a.mp4": b"a", "a.json": b'{"label": [1]}'}, r"x\.tar#a\.json: expected a label"),
        ({f"{'a' * 300}.mp4": b"a"}, "at most 255"),
    ],
)
def test_what_cannot_be_a_sample_is_named(
    tmp_path: Path, cache: FileCache, members: dict[str, bytes], message: str
) -> None:
    tar = make_tar(tmp_path / "x.tar", members)
    with pytest.raises(InputError, match=message):
        index_tar([str(tar)], cache=cache)


def test_what_is_no_tar_file_is_named(tmp_path: Path, cache: FileCache) -> None:
    tar = make_tar(tmp_path / "x.tar", MEMBERS)
    packed = tmp_path / "y.tar.gz"
    packed.write_bytes(gzip.compress(tar.read_bytes()))
    for name in (str(packed), str(tmp_path / "a.mp4"), f"{tar}#a/1.mp4"):
        with pytest.raises(InputError, match="expected the path or the address"):
            index_tar([name], cache=cache)
    (tmp_path / "z.tar").write_bytes(packed.read_bytes())
    with pytest.raises(InputError, match="gunzip"):
        index_tar([str(tmp_path / "z.tar")], cache=cache)
    with pytest.raises(InputError, match=r"none\.tar: cannot be read"):
        index_tar([str(tmp_path / "none.tar")], cache=cache)
    with pytest.raises(InputError, match="ftp: is not taken"):
        index_tar(["ftp://host/x.tar"], cache=cache)
