"""The bounded cache: what it keeps, what it gives up, and what a kill leaves behind."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from cached_files import drafts, kept
from web_server import WebServer

from posemill.errors import EnvironmentFault, InputError, UnreadableVideo
from posemill.storage.files import cache as caching
from posemill.storage.files import draft as drafting
from posemill.storage.files.cache import DEFAULT_BYTES, FileCache, Source
from posemill.storage.files.fetch import ignore, local_file
from posemill.storage.files.location import Location
from posemill.storage.files.locks import remove_unused

FETCH = """
import sys
from pathlib import Path
from posemill.storage.files.cache import FileCache
from posemill.storage.files.fetch import local_file
from posemill.storage.files.location import Location
with local_file(Location.parse(sys.argv[1]), FileCache(Path(sys.argv[2]), int(sys.argv[3]))) as f:
    sys.stdout.write(str(len(f.path.read_bytes())))
"""


def source(data: bytes, name: str = "a.mp4", *, num_bytes: int | None = -1) -> Source:
    size = len(data) if num_bytes == -1 else num_bytes
    return Source(name, Path(name).suffix, size, lambda: iter([data[:10], data[10:]]))


def put(cache: FileCache, key: str, num_bytes: int) -> Path:
    with cache.kept(key, source(bytes(num_bytes)), ignore) as path:
        return path


def start(address: str, cache: FileCache) -> subprocess.Popen[bytes]:
    arguments = (address, str(cache.folder), str(cache.limit_bytes))
    return subprocess.Popen([sys.executable, "-c", FETCH, *arguments], stdout=subprocess.PIPE)


def test_the_least_lately_used_goes_first(cache: FileCache) -> None:
    paths = {key: put(cache, key * 8, 300_000) for key in "abc"}
    for time, key in enumerate("abc"):
        os.utime(paths[key], (time, time))
    assert put(cache, "a" * 8, 300_000) == paths["a"]  # used, not written again
    paths["d"] = put(cache, "d" * 8, 300_000)
    assert set(kept(cache)) == {paths["a"], paths["c"], paths["d"]}
    assert sum(path.stat().st_size for path in kept(cache)) <= cache.limit_bytes


def test_a_file_in_use_is_never_removed(cache: FileCache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafting, "_PATIENCE_SECONDS", 0.0)
    with ExitStack() as stack:
        held = [
            stack.enter_context(cache.kept(key * 8, source(bytes(400_000)), ignore)) for key in "ab"
        ]
        with pytest.raises(EnvironmentFault, match="are in use") as caught:
            put(cache, "c" * 8, 400_000)
        assert "POSEMILL_CACHE_BYTES" in str(caught.value)
        assert kept(cache) == held
    assert put(cache, "c" * 8, 400_000).exists()
    assert len(kept(cache)) == 2


def test_a_file_that_is_removed_before_its_reader_holds_it_is_fetched_again(
    cache: FileCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No lock goes from a writer's to a reader's at once: another process has its chance."""
    removed: list[Path] = []
    flock = fcntl.flock

    def late(descriptor: int, operation: int) -> None:
        if operation == fcntl.LOCK_SH and not removed:
            removed.extend(kept(cache))
            removed[0].unlink()
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    with cache.kept("a" * 8, source(bytes(20)), ignore) as path:
        assert removed == [path]
        assert path.read_bytes() == bytes(20)
        assert not remove_unused(path)


def test_who_needs_room_waits_for_it(cache: FileCache) -> None:
    waiting = threading.Event()

    def beat(text: str) -> None:
        if text.startswith("waiting for room"):
            waiting.set()

    def fetch() -> None:
        with cache.kept("b" * 8, source(bytes(700_000)), beat) as path:
            done.append(path.stat().st_size)

    done: list[int] = []
    thread = threading.Thread(target=fetch)
    with cache.kept("a" * 8, source(bytes(700_000)), ignore):
        thread.start()
        assert waiting.wait(60)
        assert done == []
    thread.join()
    assert done == [700_000]


@pytest.mark.parametrize("num_bytes", [5, 25])
def test_another_number_of_bytes_than_announced_is_no_file(
    cache: FileCache, num_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caching, "_PAUSE_SECONDS", 0.0)
    with (
        pytest.raises(EnvironmentFault, match=rf"of {num_bytes} bytes came"),
        cache.kept("a" * 8, source(bytes(20), num_bytes=num_bytes), ignore),
    ):
        pass
    assert kept(cache) == drafts(cache) == []


def test_bytes_of_unknown_number_are_counted_as_they_come(cache: FileCache) -> None:
    with cache.kept("a" * 8, source(bytes(999_999), num_bytes=None), ignore) as path:
        assert path.stat().st_size == 999_999
    with (
        pytest.raises(UnreadableVideo, match=r"a\.mp4"),
        cache.kept("b" * 8, source(bytes(1_000_001), num_bytes=None), ignore),
    ):
        pass
    assert drafts(cache) == []


@pytest.mark.parametrize("suffix", ["", ".mp4", ".p/../x", ".averylongsuffix", ".MP4"])
def test_a_name_leaves_no_more_than_a_plain_suffix(cache: FileCache, suffix: str) -> None:
    odd = Source("odd", suffix, 2, lambda: [b"ok"])
    with cache.kept("a" * 8, odd, ignore) as path, cache.once(odd, ignore) as other:
        assert path.parent == cache.folder / "files"
        assert other.parent == cache.folder / "drafts"
        assert path.suffix == other.suffix == (".mp4" if suffix == ".mp4" else "")


def test_a_failure_of_the_disk_is_the_environments(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    cache = FileCache(tmp_path / "file")
    with pytest.raises(EnvironmentFault, match="the disk refused"):
        put(cache, "a" * 8, 10)


def test_two_processes_fetch_a_file_once(web: WebServer, cache: FileCache) -> None:
    data, may_end = os.urandom(200_000), threading.Event()
    address = web.stall("/a.mp4", data, at=50_000, until=may_end)
    processes = [start(address, cache) for _ in range(2)]
    wait_until(lambda: web.requests["HEAD", "/a.mp4"] >= 2)
    may_end.set()
    assert [process.communicate()[0] for process in processes] == [b"200000", b"200000"]
    assert web.requests["GET", "/a.mp4"] == 1
    assert [path.read_bytes() for path in kept(cache)] == [data]


def test_a_killed_process_leaves_nothing_that_counts(web: WebServer, cache: FileCache) -> None:
    data, may_end = os.urandom(600_000), threading.Event()
    address = web.stall("/a.mp4", data, at=50_000, until=may_end)
    process = start(address, cache)
    wait_until(lambda: any(path.stat().st_size for path in drafts(cache)))
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert kept(cache) == []
    assert len(drafts(cache)) == 1
    may_end.set()
    with local_file(Location(address), cache) as file:  # has room: the dead one's is free again
        assert file.path.read_bytes() == data
    assert drafts(cache) == []


def test_a_draft_of_a_living_process_stays(web: WebServer, cache: FileCache) -> None:
    may_end = threading.Event()
    address = web.stall("/a.mp4", bytes(100_000), at=50_000, until=may_end)
    process = start(address, cache)
    wait_until(lambda: any(path.stat().st_size for path in drafts(cache)))
    put(cache, "b" * 8, 100_000)
    assert len(drafts(cache)) == 1
    may_end.set()
    assert process.communicate()[0] == b"100000"


def test_the_environment_tells_where_and_how_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSEMILL_CACHE", str(tmp_path))
    monkeypatch.delenv("POSEMILL_CACHE_BYTES", raising=False)
    assert FileCache.of_environment() == FileCache(tmp_path / "videos", DEFAULT_BYTES)
    for text, expected in (("1000", 1000), ("50G", 50 << 30), ("2 MiB", 2 << 20), ("1TB", 1 << 40)):
        monkeypatch.setenv("POSEMILL_CACHE_BYTES", text)
        assert FileCache.of_environment().limit_bytes == expected
    for text in ("", "much", "-1", "0", "1.5G"):
        monkeypatch.setenv("POSEMILL_CACHE_BYTES", text)
        with pytest.raises(InputError, match="POSEMILL_CACHE_BYTES"):
            FileCache.of_environment()


def wait_until(holds: Callable[[], bool]) -> None:
    """Until the test's own limit of time."""
    pause = threading.Event()
    while not holds():
        pause.wait(0.02)


def test_a_lock_is_free_again_when_a_fetch_fails(cache: FileCache) -> None:
    def broken() -> Iterator[bytes]:
        raise FileNotFoundError(2, "gone")

    for _ in range(2):
        with (
            pytest.raises(FileNotFoundError),
            cache.kept("a" * 8, Source("a.mp4", ".mp4", 3, broken), ignore),
        ):
            pass
    assert put(cache, "a" * 8, 3).exists()
