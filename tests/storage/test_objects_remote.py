"""What can go wrong between us and an object store."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import obstore
import pytest

from posemill.errors import EnvironmentFault, InputError, MissingDependency
from posemill.storage import objects_remote
from posemill.storage.objects import LocalObjects, open_objects
from posemill.storage.objects_remote import ObstoreObjects
from posemill.storage.poses import PoseStore


@contextmanager
def _server_that_answers(status: int) -> Iterator[str]:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_PUT = do_HEAD = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_addresses_are_told_from_paths() -> None:
    assert open_objects("a/b").url == "a/b"
    assert open_objects(Path("/a/b")).url == "/a/b"
    assert open_objects("c:d").url == "c:d"
    assert open_objects("s3://bucket/a/b.zarr/").url == "s3://bucket/a/b.zarr"
    assert open_objects("s3://bucket").url == "s3://bucket"
    assert isinstance(open_objects("s3://bucket"), ObstoreObjects)
    assert isinstance(open_objects("s3"), LocalObjects)


@pytest.mark.parametrize("address", ["s3://", "s3:///a", "s3://b/../a", "s3://b//a", "s3://b/a\n"])
def test_wrong_addresses_are_refused(address: str) -> None:
    with pytest.raises(InputError, match="not an address of a store; expected s3://bucket/name"):
        open_objects(address)


@pytest.mark.parametrize("place", ["gs://b/a", "http://host/a", Path("s3://b/a")])
def test_other_kinds_of_places_are_refused(place: str | Path) -> None:
    with pytest.raises(InputError, match="expected a path, or s3://bucket/name as a string"):
        open_objects(place)


def test_a_package_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "obstore.store", None)
    with pytest.raises(MissingDependency, match=r"s3://b needs .*'obstore'.*posemill\[s3\]"):
        open_objects("s3://b/a")


def test_a_bucket_that_is_not_there_is_the_users_mistake(bucket: str) -> None:
    missing = open_objects("s3://not-there/a")
    for touch in (
        lambda: missing.read("b"),
        missing.names,
        missing.tree,
        lambda: missing.write("b", b""),
        lambda: missing.create_if_absent("b", b""),
        lambda: PoseStore.open("s3://not-there/a"),
        lambda: PoseStore.create("s3://not-there/a", {}),
    ):
        with pytest.raises(InputError, match=r"s3://not-there/a.*there is no such bucket"):
            touch()


@pytest.mark.parametrize(
    ("status", "words"), [(403, "access was refused"), (401, "access was refused"), (400, "failed")]
)
def test_an_object_store_that_refuses_is_the_environments_fault(
    bucket: str, monkeypatch: pytest.MonkeyPatch, status: int, words: str
) -> None:
    with _server_that_answers(status) as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        for touch in (PoseStore.open, lambda place: PoseStore.create(place, {})):
            with pytest.raises(EnvironmentFault, match=f"{bucket}/a.*{words}"):
                touch(f"{bucket}/a")


def test_a_network_that_is_down_is_the_environments_fault(
    bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setitem(objects_remote._RETRY, "max_retries", 0)
    with pytest.raises(EnvironmentFault, match=f"{bucket}/a.*Check the network") as caught:
        PoseStore.open(f"{bucket}/a")
    assert "Debug source" not in str(caught.value)


@pytest.mark.parametrize("landed", ["ours", "theirs"])
def test_a_lost_reply_is_no_lost_race(
    bucket: str, monkeypatch: pytest.MonkeyPatch, landed: str
) -> None:
    """A put whose reply is lost is sent again, and then finds an object: its own or another's."""
    objects, real = open_objects(bucket), obstore.put

    def put_twice(store: object, key: str, data: bytes, **options: object) -> object:
        if landed == "ours":
            real(store, key, data, **options)  # type: ignore[call-overload]
        else:
            real(store, key, b"theirs", mode="create")  # type: ignore[call-overload]
        return real(store, key, data, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(obstore, "put", put_twice)
    assert objects.create_if_absent("a", b"ours") is (landed == "ours")
    assert objects.read("a") == landed.encode()


def test_a_name_that_stays_contended_is_given_up(
    bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ObstoreObjects, "_put_if", lambda *_: False)
    monkeypatch.setattr(objects_remote, "_CONFLICTS", 2)
    objects = open_objects(bucket)
    objects.write("a", b"")
    with pytest.raises(EnvironmentFault, match="others wrote it in each of 2 tries"):
        objects.rewrite("a", lambda: {"a": b"1"})


def test_a_forked_process_is_refused_not_left_waiting(bucket: str) -> None:
    """A library's threads stay behind in the parent: whoever waits for them waits for ever."""
    objects = open_objects(bucket)
    objects.write("a", b"1")
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            objects.read("a")
        except EnvironmentFault as fault:
            os.write(writer, str(fault).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as answer:
        assert "Start worker processes by `spawn`" in answer.read()
    os.waitpid(child, 0)
    assert objects.read("a") == b"1"
    assert not objects.survives_fork
