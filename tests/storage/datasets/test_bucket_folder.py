"""A prefix of a bucket is indexed as a folder is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from objects_put import put_object

from posemill.errors import EnvironmentFault, InputError
from posemill.storage.datasets.bucket_folder import index_bucket_folder
from posemill.storage.datasets.folder import index_folder
from posemill.storage.files.cache import FileCache
from posemill.storage.files.fetch import look
from posemill.storage.files.location import Location

FILES = {
    "train/left/1.mp4": b"1",
    "train/right/1.avi": b"22",
    "right/2 b#c.mp4": b"333",
    "top.mkv": b"4444",
    "Re: 5.mp4": b"55555",
    ".hidden/x.mp4": b"",
    "notes.txt": b"",
    "mirror_labels.json": json.dumps({"left": "right"}).encode(),
}


def test_a_bucket_is_a_folder(tmp_path: Path, bucket: str, cache: FileCache) -> None:
    folder, address = tmp_path / "set", f"{bucket}/set"
    for name, data in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
        put_object(f"{address}/{name}", data)
    put_object(f"{bucket}/settled/x.mp4", b"of another prefix")
    ours, theirs = index_bucket_folder(f"{address}/"), index_folder(folder)
    assert (ours.name, ours.root) == ("set", address)
    assert (ours.clips, ours.classes) == (theirs.clips, theirs.classes)
    assert [(v.id, v.uri, v.num_bytes) for v in ours.videos] == [
        (v.id, v.uri, v.num_bytes) for v in theirs.videos
    ]
    for video in ours.videos:
        place = ours.video_path(video)
        assert place == f"{address}/{video.uri.removeprefix('./')}"
        assert look(Location.parse(place), cache).identity == video.identity


def test_mirror_labels_may_be_a_local_file(tmp_path: Path, bucket: str) -> None:
    put_object(f"{bucket}/left/1.mp4", b"1")
    (tmp_path / "mirrors.json").write_text('{"left": "right"}')
    catalog = index_bucket_folder(bucket, mirror_labels=tmp_path / "mirrors.json")
    assert catalog.clips[0].mirror_label == "right"


def test_what_cannot_be_listed_is_named(bucket: str) -> None:
    with pytest.raises(InputError, match="no video in it"):
        index_bucket_folder(bucket)
    with pytest.raises(EnvironmentFault, match="NoSuchBucket"):
        index_bucket_folder("s3://nowhere/set")
    with pytest.raises(InputError, match="posemill index list"):
        index_bucket_folder("https://host/set")
    with pytest.raises(InputError, match="ftp: is not taken"):
        index_bucket_folder("ftp://host/set")
    put_object(f"{bucket}/{'a' * 300}.mp4", b"")
    with pytest.raises(InputError, match="at most 255"):
        index_bucket_folder(bucket)
