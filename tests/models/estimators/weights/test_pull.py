"""Weights that are pulled: whole or not at all, compared with hashes, by one process at a time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest
from published import install_tables, sha256, weights, zipped
from web_server import WebServer

from posemill.errors import EnvironmentFault, InputError, WeightsUnavailable
from posemill.models.estimators.weights.cached import (
    WeightsState,
    cached_weights,
    find_weights,
    weights_state,
)
from posemill.models.estimators.weights.published import HubRepo, PublishedFile, WebFile
from posemill.models.estimators.weights.pull import pull_weights, pull_with_companions

CONTENT = b"a network" * 1000
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def convert_upper(source: Path, target: Path, *, trust: bool) -> None:
    """A converter: what it writes tells what it read."""
    assert trust
    target.write_bytes(source.read_bytes().upper())


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def served(web: WebServer, content: bytes = CONTENT, **changes):
    return weights(source=WebFile(web.put("/net.onnx", content)), **changes)


def test_a_file_without_a_published_hash_is_trusted_once(web: WebServer, cache: Path) -> None:
    published = served(web)
    heard: list[tuple[int, int | None]] = []
    pulled = pull_weights(published, on_bytes=lambda *sizes: heard.append(sizes))
    assert pulled.path == cache / "demo" / "demo-s" / "net.onnx"
    assert pulled.path.read_bytes() == CONTENT
    assert heard[-1] == (len(CONTENT), len(CONTENT))
    manifest = json.loads((pulled.folder / "manifest.json").read_text())
    assert manifest["sha256"] == {"net.onnx": sha256(CONTENT)}
    assert manifest["source"] == f"{web.url}/net.onnx"
    assert manifest["source_sha256"] == sha256(CONTENT)
    assert cached_weights(published).sha256 == {"net.onnx": sha256(CONTENT)}


def test_what_is_there_is_not_fetched_again(web: WebServer) -> None:
    published = served(web)
    pull_weights(published)
    pull_weights(published)
    assert web.requests["GET", "/net.onnx"] == 1


def test_a_file_that_changes_later_is_refused_with_both_hashes(web: WebServer) -> None:
    published = served(web)
    path = pull_weights(published).path
    path.write_bytes(b"something else")
    with pytest.raises(WeightsUnavailable) as caught:
        cached_weights(published)
    for words in (str(path), sha256(b"something else"), sha256(CONTENT), "14 bytes", "models pull"):
        assert words in str(caught.value)
    assert weights_state(published)[0] is WeightsState.DAMAGED
    pull_weights(published)
    assert path.read_bytes() == CONTENT


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": "x"}', '{"format": 1, "sha256": {}}'])
def test_a_damaged_manifest_is_no_manifest(web: WebServer, text: str) -> None:
    published = served(web)
    folder = pull_weights(published).folder
    (folder / "manifest.json").write_text(text)
    with pytest.raises(WeightsUnavailable, match="is not the list of what was pulled"):
        cached_weights(published)
    assert pull_weights(published).manifest is not None


def test_a_file_put_there_by_hand_needs_a_published_hash(cache: Path) -> None:
    folder = cache / "demo" / "demo-s"
    folder.mkdir(parents=True)
    (folder / "net.onnx").write_bytes(CONTENT)
    known = weights(files=(PublishedFile("net.onnx", sha256=sha256(CONTENT)),))
    assert cached_weights(known).path == folder / "net.onnx"
    for digits in ("", sha256(CONTENT)[:8]):
        unknown = weights(files=(PublishedFile("net.onnx", sha256=digits),))
        with pytest.raises(WeightsUnavailable, match="not on this machine"):
            cached_weights(unknown)


def test_absent_weights_say_the_command(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    small = weights(num_bytes=39_400_000)
    large = weights(name="demo-l", default=True, entry="")
    pickled = weights(name="demo-p", converter="a:b", entry="net.safe")
    install_tables(monkeypatch, {"demo": (small, large, pickled)})
    with pytest.raises(WeightsUnavailable) as caught:
        find_weights("demo", "demo-s")
    for words in (
        str(cache / "demo" / "demo-s"),
        "`posemill models pull demo --name demo-s` (39 MB, once), pass --pull, or give a file",
    ):
        assert words in str(caught.value)
    with pytest.raises(WeightsUnavailable, match=r"`posemill models pull demo` .*a folder that"):
        find_weights("demo")
    with pytest.raises(WeightsUnavailable, match=r"--name demo-p --trust` \(once\), or give"):
        find_weights("demo", "demo-p")
    assert not cache.exists()


def test_a_published_hash_is_required_even_a_part_of_it(web: WebServer, cache: Path) -> None:
    for digits in (sha256(CONTENT), sha256(CONTENT)[:8]):
        right = weights(name=f"r-{digits}", source=WebFile(web.put("/n", CONTENT), digits))
        assert pull_weights(right).path.read_bytes() == CONTENT
    wrong = weights(source=WebFile(web.put("/n", CONTENT), "00000000"))
    with pytest.raises(WeightsUnavailable, match=rf"{sha256(CONTENT)}, expected 00000000.*/n"):
        pull_weights(wrong)
    assert not (cache / "demo" / "demo-s").exists()
    file = PublishedFile("net.onnx", sha256="11111111")
    with pytest.raises(WeightsUnavailable, match="expected 11111111"):
        pull_weights(served(web, files=(file,)))
    assert not [name for name in names(cache / "demo") if "pulling" in name]


def test_one_member_of_a_zip_file_is_taken(web: WebServer) -> None:
    content = zipped({"a/b/end2end.onnx": CONTENT, "a/b/detail.json": b"{}"})
    files = (PublishedFile("net.onnx", member="*/end2end.onnx"),)
    pulled = pull_weights(served(web, content, files=files))
    assert names(pulled.folder) == ["manifest.json", "net.onnx"]
    assert pulled.path.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (zipped({"other.onnx": b""}), r"0 members \*end2end\.onnx, expected one.*other\.onnx"),
        (zipped({"a/end2end.onnx": b"", "b/end2end.onnx": b""}), "2 members"),
        (b"<html>log in first</html>", "is not the zip file"),
        (zipped({"end2end.onnx": CONTENT}).replace(CONTENT[:9], b"A NETWORK"), "Bad CRC-32"),
    ],
)
def test_a_bad_zip_file_leaves_nothing(web: WebServer, cache, content, complaint) -> None:
    files = (PublishedFile("net.onnx", member="*end2end.onnx"),)
    with pytest.raises(WeightsUnavailable, match=complaint):
        pull_weights(served(web, content, files=files))
    assert names(cache / "demo") == [".demo-s.lock"]


@pytest.mark.parametrize("what", ["404", "cut", "nobody"])
def test_a_network_that_fails_is_named_and_leaves_nothing(web: WebServer, cache, what) -> None:
    url, complaint = {
        "404": (web.refuse("/gone", 404), "the server says 404"),
        "cut": (web.cut("/cut", CONTENT, at=4000), "broke off after 4000"),
        "nobody": ("http://127.0.0.1:9/net.onnx", "Connection refused"),
    }[what]
    with pytest.raises(WeightsUnavailable, match=complaint) as caught:
        pull_weights(weights(source=WebFile(url)))
    assert url in str(caught.value)
    assert "--weights PATH" in str(caught.value)
    assert names(cache / "demo") == [".demo-s.lock"]


def test_a_failed_pull_leaves_what_was_there(web: WebServer) -> None:
    published = served(web)
    path = pull_weights(published).path
    path.write_bytes(b"damaged")
    web.refuse("/net.onnx", 500)
    with pytest.raises(WeightsUnavailable, match="500"):
        pull_weights(published)
    assert path.read_bytes() == b"damaged"


def test_an_address_that_moved_is_followed(web: WebServer) -> None:
    web.put("/new", CONTENT)
    published = weights(source=WebFile(web.send_on("/old", f"{web.url}/new")))
    assert pull_weights(published).path.read_bytes() == CONTENT


def test_of_two_at_once_one_fetches(web: WebServer) -> None:
    go_on = threading.Event()
    published = weights(source=WebFile(web.stall("/net.onnx", CONTENT, at=10, until=go_on)))
    found: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: found.append(pull_weights(published).path.read_bytes()))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    while not web.requests["GET", "/net.onnx"]:
        pass
    go_on.set()
    for thread in threads:
        thread.join()
    assert found == [CONTENT] * 4
    assert web.requests["GET", "/net.onnx"] == 1


def test_a_kill_half_way_leaves_nothing_that_counts(web: WebServer, cache: Path) -> None:
    never = threading.Event()
    url = web.stall("/net.onnx", CONTENT, at=10, until=never)
    code = f"""
        import sys; sys.path.insert(0, {str(Path(__file__).parents[3] / "support")!r})
        from published import weights
        from posemill.models.estimators.weights.published import WebFile
        from posemill.models.estimators.weights.pull import pull_weights
        pull_weights(weights(source=WebFile({url!r})))
    """
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)])
    while not web.requests["GET", "/net.onnx"]:
        assert process.poll() is None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    never.set()
    published = weights(source=WebFile(url))
    assert weights_state(published)[0] is WeightsState.ABSENT
    assert ".demo-s.pulling" in names(cache / "demo")
    web.put("/net.onnx", CONTENT)
    assert pull_weights(published).path.read_bytes() == CONTENT
    assert names(cache / "demo") == [".demo-s.lock", "demo-s"]


def test_a_cache_that_cannot_be_written_is_the_environments_fault(web, cache: Path) -> None:
    cache.write_text("in the way")
    with pytest.raises(EnvironmentFault, match=r"cannot be kept in .*point POSEMILL_CACHE"):
        pull_weights(served(web))


def test_a_pickle_is_converted_only_if_trusted(web: WebServer) -> None:
    published = weights(
        source=WebFile(web.put("/net.pkl", b"pickled")),
        files=(PublishedFile("net.pkl"),),
        entry="net.safe",
        converter="test_pull_converter:convert",
    )
    with pytest.raises(InputError, match=rf"can run code.*--trust if you trust {web.url}/net\.pkl"):
        pull_weights(published)
    assert not web.requests
    module = type(sys)("test_pull_converter")
    module.convert = convert_upper
    sys.modules[module.__name__] = module
    try:
        pulled = pull_weights(published, trust=True)
    finally:
        del sys.modules[module.__name__]
    assert pulled.path.read_bytes() == b"PICKLED"
    assert names(pulled.folder) == ["manifest.json", "net.safe"]
    assert pulled.manifest is not None
    assert pulled.manifest.source_sha256 == sha256(b"pickled")


@pytest.fixture
def hub(web: WebServer, monkeypatch: pytest.MonkeyPatch) -> WebServer:
    """A hub with one repository, whose branch `main` is at COMMIT."""
    monkeypatch.setenv("HF_ENDPOINT", web.url + "/")
    web.put("/api/models/them/net/revision/main", json.dumps({"sha": COMMIT}).encode())
    for name, content in {"config.json": b"{}", "net.safetensors": CONTENT}.items():
        web.put(f"/them/net/resolve/{COMMIT}/{name}", content)
    return web


def repository(revision: str = "main", *files: str):
    files = files or ("config.json", "net.safetensors")
    kept = tuple(map(PublishedFile, files))
    return weights(source=HubRepo("them/net", revision), files=kept, entry="")


@pytest.mark.parametrize("revision", ["main", COMMIT])
def test_files_of_a_hub_are_all_of_one_commit(hub: WebServer, revision: str) -> None:
    pulled = pull_weights(repository(revision))
    assert pulled.path == pulled.folder
    assert names(pulled.folder) == ["config.json", "manifest.json", "net.safetensors"]
    assert pulled.manifest is not None
    assert pulled.manifest.source == f"them/net@{COMMIT}"
    assert pulled.manifest.sha256 == {
        "config.json": sha256(b"{}"),
        "net.safetensors": sha256(CONTENT),
    }


def test_a_hub_without_the_file_or_revision_is_named(hub: WebServer, cache: Path) -> None:
    with pytest.raises(WeightsUnavailable, match=rf"resolve/{COMMIT}/other\.json.*404"):
        pull_weights(repository("main", "config.json", "other.json"))
    with pytest.raises(WeightsUnavailable, match=r"revision/gone could not be fetched.*404"):
        pull_weights(repository("gone"))
    for answer in (b"<html>", b"[]", b'{"sha": 1}', b"{}"):
        hub.put("/api/models/them/net/revision/main", answer)
        with pytest.raises(WeightsUnavailable, match="does not tell a commit"):
            pull_weights(repository())
    assert names(cache / "demo") == [".demo-s.lock"]


def test_companions_come_along(web: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    detector = weights(estimator="finder", name="f", source=WebFile(web.put("/f", b"finds")))
    published = served(web, companions=(("finder", "f"),))
    install_tables(monkeypatch, {"demo": (published,), "finder": (detector,)})
    assert pull_with_companions(published).published is published
    assert find_weights("finder").read_bytes() == b"finds"
