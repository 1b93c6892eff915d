"""Videos from disks, buckets, web servers and tar files, and what goes wrong on the way."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pytest
from cached_files import drafts, kept
from objects_put import put_object
from tar_files import make_tar
from web_server import WebServer

from posemill.errors import EnvironmentFault, InputError, UnreadableVideo
from posemill.storage.files import cache as caching
from posemill.storage.files import draft as drafting
from posemill.storage.files import remote
from posemill.storage.files.cache import FileCache
from posemill.storage.files.fetch import (
    are_there,
    local_file,
    look,
    look_at_all,
    require_root,
    require_supported,
)
from posemill.storage.files.location import Location
from posemill.storage.files.tar_members import tar_members
from posemill.storage.identity import file_identity

DATA = os.urandom(300_000)


def fetched(text: str, cache: FileCache) -> bytes:
    with local_file(Location.parse(text), cache) as file:
        assert look(Location.parse(text), cache).identity == file.identity
        return file.path.read_bytes()


def test_a_local_file_is_used_as_it_is(tmp_path: Path, cache: FileCache) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(DATA)
    with local_file(Location(str(path)), cache) as file:
        assert (file.path, file.identity) == (path, file_identity(path))
    assert not cache.folder.exists()
    with pytest.raises(FileNotFoundError), local_file(Location(f"{path}.mkv"), cache):
        pass


@pytest.mark.parametrize("key", ["a.mp4", "deep/b c#1?x=%41.mp4", "ü/a.mp4"])
def test_an_object_is_fetched_once(bucket: str, cache: FileCache, key: str) -> None:
    address = put_object(f"{bucket}/{key}", DATA)
    assert fetched(address, cache) == DATA
    (path,) = kept(cache)
    assert path.suffix == ".mp4"
    before = path.stat().st_ino
    assert fetched(address, cache) == DATA
    assert [each.stat().st_ino for each in kept(cache)] == [before]
    assert drafts(cache) == []


def test_a_page_is_fetched_once_and_anew_when_it_changed(web: WebServer, cache: FileCache) -> None:
    address = web.put("/v/a.mp4", DATA)
    assert fetched(address, cache) == fetched(address, cache) == DATA
    assert web.requests["GET", "/v/a.mp4"] == 1
    before = look(Location(address), cache)
    assert before.num_bytes == len(DATA)
    web.put("/v/a.mp4", DATA[::-1])
    assert look(Location(address), cache).identity != before.identity
    assert fetched(address, cache) == DATA[::-1]
    assert web.requests["GET", "/v/a.mp4"] == 2


def test_a_page_without_a_version_is_fetched_each_time(web: WebServer, cache: FileCache) -> None:
    address = web.put("/a.mp4", DATA, headers={"Content-Type": "video/mp4"})
    assert fetched(address, cache) == fetched(address, cache) == DATA
    assert web.requests["GET", "/a.mp4"] == 2
    assert kept(cache) == drafts(cache) == []


def test_a_query_is_sent_as_it_was_written(web: WebServer, cache: FileCache) -> None:
    seen = []

    def answer(handler, wanted: bool) -> None:
        seen.append(handler.path)
        handler.head(200, {"Content-Length": "2", "ETag": '"q"'})
        if wanted:
            handler.wfile.write(b"ok")

    web.answer("/a.mp4", answer)
    assert fetched(f"{web.url}/a.mp4?sig=a%2Bb%2f+c&e=%41", cache) == b"ok"
    assert set(seen) == {"/a.mp4?sig=a%2Bb%2f+c&e=%41"}


def test_members_of_tar_files_are_the_files(
    tmp_path: Path, bucket: str, web: WebServer, cache: FileCache
) -> None:
    members = {"a/1.mp4": DATA, "a/2.mp4": b"", "3.webm": DATA[:513]}
    tar = make_tar(tmp_path / "x.tar", members)
    bytes_ = tar.read_bytes()
    places = [
        str(tar), put_object(f"{bucket}/x.tar", bytes_), web.put("/x.tar", bytes_)
    ]  # fmt: skip
    identities = {}
    for place in places:
        for name, data in members.items():
            assert fetched(f"{place}#{name}", cache) == data
            seen = look(Location(place, name), cache)
            assert seen.num_bytes == len(data)
            identities.setdefault(name, set()).add(seen.identity)
    assert all(len(found) == 1 for found in identities.values())
    assert web.requests["GET", "/x.tar"] == 1
    assert drafts(cache) == []
    assert {path.suffix for path in kept(cache)} == {".tar"}


def test_a_member_is_known_by_its_bytes_as_a_file_is(tmp_path: Path, cache: FileCache) -> None:
    data = os.urandom((2 << 20) + 5)
    tar = make_tar(tmp_path / "x.tar", {"b.mp4": data[::-1], "a.mp4": data})
    (tmp_path / "a.mp4").write_bytes(data)
    os.utime(tmp_path / "a.mp4", (7, 7))
    assert look(Location(str(tar), "a.mp4"), cache).identity == file_identity(tmp_path / "a.mp4")


def test_what_is_no_tar_file_is_the_videos_fault(tmp_path: Path, cache: FileCache) -> None:
    tar = make_tar(tmp_path / "x.tar", {"1.mp4": DATA, "2.mp4": DATA})
    whole, header = tar.read_bytes(), tar_members(tar)["2.mp4"].offset - 512
    broken = {
        "cut.tar": whole[: len(DATA) // 2],
        "empty.tar": b"",
        "text.tar": b"no tar file" * 100,
        "gone-astray.tar": whole[:header] + b"x" * 512 + whole[header + 512 :],
    }
    for name, data in broken.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(UnreadableVideo, match=name):
            fetched(f"{tmp_path / name}#1.mp4", cache)
    with tarfile.open(tmp_path / "gz.tar", "w:gz") as file:
        file.add(tar, "1.mp4")
    with pytest.raises(UnreadableVideo, match="gunzip"):
        fetched(f"{tmp_path / 'gz.tar'}#1.mp4", cache)


def test_links_and_devices_in_a_tar_file_are_no_videos(tmp_path: Path, cache: FileCache) -> None:
    tar = tmp_path / "x.tar"
    with tarfile.open(tar, "w") as file:
        for name, kind in (("a.mp4", tarfile.SYMTYPE), ("b.mp4", tarfile.CHRTYPE)):
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, "/etc/passwd"
            file.addfile(entry)
    for name in ("a.mp4", "b.mp4"):
        with pytest.raises(FileNotFoundError):
            fetched(f"{tar}#{name}", cache)


def test_what_is_not_there_is_missing(
    tmp_path: Path, bucket: str, web: WebServer, cache: FileCache
) -> None:
    tar = make_tar(tmp_path / "x.tar", {"1.mp4": DATA})
    there = [
        *(str(tar), f"{tar}#1.mp4", put_object(f"{bucket}/a.mp4", DATA)),
        web.put("/a.mp4", DATA),
    ]
    missing = [
        *(f"{tmp_path}/none.mp4", f"{tar}#2.mp4", f"{tmp_path}/none.tar#1.mp4"),
        *(f"{bucket}/none.mp4", f"{bucket}/none.tar#1.mp4"),
        *(f"{web.url}/none.mp4", web.refuse("/gone.mp4", 410)),
    ]
    for text in missing:
        with pytest.raises(FileNotFoundError):
            fetched(text, cache)
    assert are_there([*missing, *there], cache) == [False] * len(missing) + [True] * len(there)
    looks = look_at_all(map(Location.parse, [*missing, *there]), cache)
    assert [seen is not None for seen in looks] == [False] * len(missing) + [True] * len(there)
    assert drafts(cache) == []


def test_a_refusal_or_a_silent_network_is_the_environments_fault(
    bucket: str, web: WebServer, cache: FileCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caching, "_PAUSE_SECONDS", 0.0)
    for address, reason in (
        (web.refuse("/403.mp4", 403), "403"),
        (web.refuse("/401.mp4", 401), "401"),
        (web.refuse("/500.mp4", 500), "500"),
        ("http://127.0.0.1:9/a.mp4", "127.0.0.1:9"),
        ("s3://nowhere/a.mp4", "NoSuchBucket"),
    ):
        with pytest.raises(EnvironmentFault) as caught:
            fetched(address, cache)
        assert str(caught.value).startswith(f"{address}: cannot be read")
        assert reason in str(caught.value)
        assert "run the same command again" in str(caught.value)


def test_a_cut_connection_leaves_no_file_and_is_tried_again(
    web: WebServer, cache: FileCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caching, "_PAUSE_SECONDS", 0.0)
    address = web.cut("/a.mp4", DATA, at=100_000)
    with pytest.raises(EnvironmentFault, match="cannot be read"):
        fetched(address, cache)
    assert web.requests["GET", "/a.mp4"] == 3
    assert kept(cache) == drafts(cache) == []
    answer = web.answers["/a.mp4"]

    def twice_cut(handler, wanted: bool) -> None:
        if web.requests["GET", "/b.mp4"] <= 2:
            answer(handler, wanted)
        else:
            handler.head(200, {"Content-Length": str(len(DATA)), "ETag": '"cut"'})
            if wanted:
                handler.wfile.write(DATA)

    assert fetched(web.answer("/b.mp4", twice_cut), cache) == DATA
    assert web.requests["GET", "/b.mp4"] == 3


def test_a_body_without_an_end_is_the_videos_fault(web: WebServer, cache: FileCache) -> None:
    with pytest.raises(UnreadableVideo, match=r"/endless.mp4: has .* bytes or more"):
        fetched(web.endless("/endless.mp4"), cache)
    assert kept(cache) == drafts(cache) == []


def test_a_file_larger_than_the_cache_is_refused_unread(web: WebServer, cache: FileCache) -> None:
    address = web.put("/a.mp4", bytes(cache.limit_bytes + 1))
    with pytest.raises(UnreadableVideo, match="POSEMILL_CACHE_BYTES"):
        fetched(address, cache)
    assert web.requests["GET", "/a.mp4"] == 0


def test_a_member_that_has_no_room_beside_its_tar_file_is_refused(
    tmp_path: Path, web: WebServer, cache: FileCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafting, "_PATIENCE_SECONDS", 0.0)
    tar = make_tar(tmp_path / "x.tar", {"1.mp4": bytes(600_000)})
    size = tar.stat().st_size
    address = web.put("/x.tar", tar.read_bytes())
    sizes = (
        rf"600,000 bytes beside the {size:,} of.* 1,000,000 together. Raise POSEMILL_CACHE_BYTES"
    )
    with pytest.raises(UnreadableVideo, match=sizes):
        fetched(f"{address}#1.mp4", cache)
    assert drafts(cache) == []
    assert len(fetched(f"{address}#1.mp4", FileCache(cache.folder, size + 600_000))) == 600_000
    assert len(fetched(f"{tar}#1.mp4", cache)) == 600_000  # a local tar file takes no room


def test_a_file_that_changes_while_it_is_read_is_read_anew(
    web: WebServer, cache: FileCache
) -> None:
    versions = [DATA, DATA[::-1]]

    def answer(handler, wanted: bool) -> None:
        data = versions[min(web.requests["GET", "/a.mp4"], 1)]
        handler.head(200, {"Content-Length": str(len(DATA)), "ETag": f'"{data[:4].hex()}"'})
        if wanted:
            handler.wfile.write(versions[0] if web.requests["GET", "/a.mp4"] < 2 else data)

    assert fetched(web.answer("/a.mp4", answer), cache) == DATA[::-1]
    assert web.requests["GET", "/a.mp4"] == 2
    assert len(kept(cache)) == 1


def test_plain_http_has_to_be_allowed(
    web: WebServer, cache: FileCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = web.put("/a.mp4", DATA)
    monkeypatch.delenv("POSEMILL_ALLOW_HTTP")
    with pytest.raises(InputError, match="POSEMILL_ALLOW_HTTP=1"):
        require_supported([address])
    with pytest.raises(EnvironmentFault, match="POSEMILL_ALLOW_HTTP=1"):
        fetched(address, cache)
    assert not web.requests
    require_supported(["/data/a.mp4", "https://host/a.mp4", "s3://bucket/a.mp4"])


def test_a_server_may_not_send_us_to_another_protocol(
    web: WebServer, cache: FileCache, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert fetched(web.send_on("/near.mp4", web.put("/a.mp4", DATA)), cache) == DATA
    (tmp_path / "secret").write_bytes(b"secret")
    for target in (f"file://{tmp_path}/secret", "ftp://127.0.0.1/a.mp4", "data:,x"):
        with pytest.raises(EnvironmentFault):
            fetched(web.send_on("/far.mp4", target), cache)
    monkeypatch.delenv("POSEMILL_ALLOW_HTTP")
    monkeypatch.setattr(remote, "require_remote", lambda _: None)  # as if it were https
    with pytest.raises(EnvironmentFault, match="sends us to http:"):
        fetched(web.send_on("/down.mp4", f"{web.url}/a.mp4"), cache)


def test_a_root_that_is_gone_is_the_environments_fault(
    tmp_path: Path, bucket: str, web: WebServer
) -> None:
    with pytest.raises(EnvironmentFault, match="not there or empty"):
        require_root(str(tmp_path))
    (tmp_path / "a.mp4").write_bytes(DATA)
    require_root(str(tmp_path))
    require_root(bucket)
    with pytest.raises(EnvironmentFault, match="NoSuchBucket"):
        require_root("s3://nowhere/set")


def test_a_reader_of_a_fetched_file_names_where_it_came_from(
    web: WebServer, cache: FileCache
) -> None:
    address = web.put("/a.mp4", DATA)
    with (
        pytest.raises(UnreadableVideo) as caught,
        local_file(Location(address), cache) as file,
    ):
        raise UnreadableVideo(f"{file.path}: no frame decodes")
    assert str(caught.value) == f"{address}: no frame decodes"
