"""Poses of videos in buckets, on web servers and in tar files are those of the local files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import web_server
from chain import extract_config, ignore
from objects_put import put_object
from tar_files import make_tar

from posemill.errors import EnvironmentFault, InputError
from posemill.pipelines.extract import extract, plan_extract
from posemill.pipelines.retry import RetryConfig, plan_retry, retry
from posemill.pipelines.supervise import Limits
from posemill.storage.catalog import Catalog, write_catalog
from posemill.storage.datasets.list_file import index_list
from posemill.storage.objects import Place
from posemill.storage.poses import PoseStore


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[web_server.WebServer]:
    monkeypatch.setenv("POSEMILL_ALLOW_HTTP", "1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with web_server.running() as server:
        yield server


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("POSEMILL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "videos"


def put(catalog: Catalog, path: Path) -> Path:
    write_catalog(path, catalog, overwrite=True)
    return path


def statuses(store: Place) -> dict[str, str]:
    return {i: str(entry.status) for i, entry in PoseStore.open(store).entries().items()}


def test_poses_are_those_of_the_local_files(
    videos: Path,
    poses: Path,
    bucket: str,
    web: web_server.WebServer,
    tmp_path: Path,
    own_cache: Path,
) -> None:
    files = {
        str(path.relative_to(videos).with_suffix("")): path.read_bytes()
        for path in sorted(videos.glob("*/*/*.mp4"))[:4]
    }
    one, two, three, four = files
    tar = make_tar(tmp_path / "x.tar", {"a/2.mp4": files[two], "3.mp4": files[three]})
    places = {
        one: put_object(f"{bucket}/1.mp4", files[one]),
        two: "x.tar#a/2.mp4",
        three: f"{put_object(f'{bucket}/x.tar', tar.read_bytes())}#3.mp4",
        four: f"{web.url}/4.mp4",
        "text": web.put("/text.mp4", b"no video" * 1000),
    }
    listed = tmp_path / "list.csv"
    listed.write_text("path,id\n" + "".join(f"{place},{i}\n" for i, place in places.items()))
    catalog = put(index_list(listed), tmp_path / "catalog")
    config = extract_config(catalog, tmp_path / "poses.zarr", workers=1, videos_per_shard=9)
    expected = plan_extract(config)
    assert (expected.num_missing, expected.input_bytes) == (
        1, sum(len(files[i]) for i in (one, two, three)) + 8000
    )  # fmt: skip
    extract(config, ignore)
    ok = dict.fromkeys(files, "ok")
    assert statuses(config.out) == {**ok, four: "missing", "text": "quarantined"}
    message = PoseStore.open(config.out).entries()["text"].message
    assert places["text"] in message
    assert str(own_cache) not in message
    assert plan_retry(RetryConfig(config.out)).still_missing == (four,)
    web.put("/4.mp4", files[four])
    retry(RetryConfig(config.out, statuses=("missing",)), ignore)
    assert statuses(config.out) == {**ok, "text": "quarantined"}
    ours, theirs = PoseStore.open(config.out), PoseStore.open(poses)
    for video_id in files:
        mine, other = ours.read(video_id), theirs.read(video_id)
        for name in ("xy_px", "score", "frame", "slot", "pts_seconds"):
            assert getattr(mine, name).tobytes() == getattr(other, name).tobytes()
    assert list((own_cache / "drafts").iterdir()) == []
    indexed = {video.id: video.identity for video in index_list(listed).videos}
    assert {i: entry.identity for i, entry in ours.entries().items()} == indexed

    put_object(places[one], files[two])
    put(index_list(listed), catalog)
    with pytest.raises(InputError, match=rf"1 of the videos changed .*\n.*{one}: "):
        extract(config, ignore)
    assert plan_retry(RetryConfig(config.out, changed=True)).video_ids == (one,)


def test_a_network_that_fails_condemns_no_video(web: web_server.WebServer, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text(web.put("/a.mp4", b"a") + "\n")
    catalog = put(index_list(tmp_path / "list.txt"), tmp_path / "catalog")
    config = extract_config(catalog, tmp_path / "poses.zarr", workers=1)
    web.refuse("/a.mp4", 503)
    with pytest.raises(EnvironmentFault, match="503"):
        extract(config, ignore)
    assert statuses(config.out) == {}


def test_plain_http_is_refused_before_anything_is_begun(
    web: web_server.WebServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "list.txt").write_text(web.put("/a.mp4", b"a") + "\n")
    catalog = put(index_list(tmp_path / "list.txt"), tmp_path / "catalog")
    monkeypatch.delenv("POSEMILL_ALLOW_HTTP")
    config = extract_config(catalog, tmp_path / "poses.zarr", workers=1)
    for act in (lambda: extract(config, ignore), lambda: plan_extract(config)):
        with pytest.raises(InputError, match="POSEMILL_ALLOW_HTTP"):
            act()
    assert not (tmp_path / "poses.zarr").exists()


def test_what_a_slow_network_takes_is_not_the_videos_time(
    web: web_server.WebServer, videos: Path, tmp_path: Path
) -> None:
    """Fetched for longer than the video may take, twice as long as when it is alone."""
    data = next(videos.glob("*/*/*.mp4")).read_bytes()
    (tmp_path / "list.txt").write_text(web.trickle("/a.mp4", data, seconds=9.0) + "\n")
    catalog = put(index_list(tmp_path / "list.txt"), tmp_path / "catalog")
    limits = Limits(item_seconds=4.0, item_seconds_per_cost=1e-6)
    config = extract_config(catalog, tmp_path / "poses.zarr", workers=1)
    extract(replace(config, limits=limits), ignore)
    assert statuses(config.out) == {"a": "ok"}
