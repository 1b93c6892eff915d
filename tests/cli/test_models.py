"""`posemill models`: what there is, what is here, and how it comes and is converted."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import web_server
from published import install_tables, sha256, weights

from posemill.errors import InputError
from posemill.models.estimators.weights.published import PublishedFile, WebFile


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[web_server.WebServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with web_server.running() as server:
        yield server


@pytest.fixture(autouse=True)
def cache(web: web_server.WebServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty cache, and two weights: of one no hash is published, the other is a pickle."""
    monkeypatch.setenv("POSEMILL_CACHE", str(tmp_path / "cache"))
    small = weights(
        source=WebFile(web.put("/net.onnx", b"network")),
        num_bytes=7_000_000,
        num_parameters=1_500_000,
        install="pip install 'posemill[demo]'",
        note="for tests only",
        default=True,
    )
    pickled = weights(
        name="demo-p",
        licence="AGPL-3.0",
        source=WebFile(web.put("/net.pkl", b"pickled")),
        files=(PublishedFile("net.pkl"),),
        entry="net.safe",
        converter="posemill.models.estimators.openpifpaf.convert:convert_checkpoint",
    )
    install_tables(monkeypatch, {"demo": (small, pickled)})
    return tmp_path / "cache"


@pytest.fixture
def converter(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that needs no package, in the place of openpifpaf's."""

    def convert_checkpoint(source: Path, target: Path, *, trust: bool) -> None:
        if not trust:
            raise InputError(f"{source} can run code; pass --trust")
        target.write_bytes(source.read_bytes().upper())

    module = ModuleType("convert")
    module.convert_checkpoint = convert_checkpoint  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "posemill.models.estimators.openpifpaf.convert", module)


def test_the_list_tells_what_is_here_and_what_is_damaged(run, cache: Path) -> None:
    _, out, _ = run("models", "list")
    lines = out.splitlines()
    assert lines[0].split() == ["estimator", "name", "licence", "size", "here", *_ACCURACY]
    assert lines[1].split() == ["demo", "demo-s*", "MIT", "7.0", "MB", "absent", *_AP]
    assert lines[2].split() == ["demo", "demo-p", "AGPL-3.0", "-", "absent", *_AP]
    assert any("figure" in line and "--weights PATH" in line for line in lines[3:])
    run("models", "pull", "demo")
    assert " present " in run("models", "list")[1].splitlines()[1]
    (cache / "demo" / "demo-s" / "net.onnx").write_bytes(b"another")
    assert " damaged " in run("models", "list")[1].splitlines()[1]
    _, out, _ = run("models", "list", "--json")
    entry = json.loads(out)["models"][0]
    assert (entry["state"], entry["default"], entry["bytes"]) == ("damaged", True, 7_000_000)
    assert sha256(b"another") in entry["problem"]
    assert "blazepose" in json.loads(out)["without_published_weights"]


_ACCURACY = ["published", "accuracy"]
_AP = ["COCO", "val2017", "AP", "12.3"]


def test_show_tells_all_that_is_known(run, cache: Path, web: web_server.WebServer) -> None:
    _, out, _ = run("models", "show", "demo-s")
    for words in (
        *("licence: MIT", "accuracy: COCO val2017 AP 12.3", "accuracy source: a paper"),
        *("state: absent", "parameters: 1500000", "skeleton: coco-17", "note: for tests only"),
        *("install: pip install 'posemill[demo]'", "get: posemill models pull demo\n"),
        f"source: {web.url}/net.onnx",
        f"path: {cache / 'demo' / 'demo-s' / 'net.onnx'}",
    ):
        assert words in out
    assert "sha256:" not in out
    run("models", "pull", "demo")
    _, out, _ = run("models", "show", "demo")
    assert f"  net.onnx  {sha256(b'network')}" in out
    assert f" from {web.url}/net.onnx" in out
    shown = json.loads(run("models", "show", "demo-p", "--json")[1])
    assert shown["get"] == "posemill models pull demo --name demo-p --trust"
    status, _, err = run("models", "show", "demo-x")
    assert status == 2
    assert "there are: demo-s, demo-p" in err


def test_pull_says_where_the_weights_are(run, cache: Path) -> None:
    status, out, err = run("models", "pull", "demo")
    assert status == 0
    assert out.strip() == (
        f"demo: weights demo-s in {cache / 'demo' / 'demo-s'}; "
        "no hash is published, so what came first is trusted"
    )
    assert err.strip() == "fetching demo-s of 0.0 MB"
    summary = json.loads(run("models", "pull", "demo", "--json")[1])
    assert summary["sha256"] == {"net.onnx": sha256(b"network")}
    assert summary["hash_published"] is False
    assert Path(summary["path"]).read_bytes() == b"network"


@pytest.mark.usefixtures("converter")
def test_a_pickle_needs_trust(run) -> None:
    status, _, err = run("models", "pull", "demo", "--name", "demo-p")
    assert status == 2
    assert "can run code when it is read: pass --trust" in err
    status, out, _ = run("models", "pull", "demo", "--name", "demo-p", "--trust", "--json")
    assert status == 0
    assert Path(json.loads(out)["path"]).read_bytes() == b"PICKLED"


@pytest.mark.usefixtures("converter")
def test_convert_makes_a_safe_file(run, tmp_path: Path) -> None:
    source, target = tmp_path / "net.pkl", tmp_path / "net.safe"
    source.write_bytes(b"own")
    assert run("models", "convert", source, "-o", target)[0] == 2
    assert not target.exists()
    status, out, _ = run("models", "convert", source, "-o", target, "--trust")
    assert status == 0
    assert f"{target}: converted from {source}" in out
    assert target.read_bytes() == b"OWN"
    status, _, err = run("models", "convert", source, "-o", target, "--trust")
    assert status == 2
    assert "exists" in err


def test_extract_takes_names_and_options(run, catalog: Path, tmp_path: Path) -> None:
    extract = ("extract", catalog, "-o", tmp_path / "p.zarr", "--estimator", "demo")
    for arguments, words in (
        (("--weights", "demo-x"), "none of the published weights of demo (demo-s, demo-p)"),
        (("--checkpoint", "demo-x"), "none of the published weights of demo (demo-s, demo-p)"),
        (("--estimator-option", "edge"), "--estimator-option edge: expected KEY=VALUE"),
        (
            ("--estimator-option", "a=1", "--estimator-option", "a=2"),
            "--estimator-option a=2: a is given twice",
        ),
    ):
        status, _, err = run(*extract, *arguments)
        assert status == 2
        assert words in err
    figure = ("extract", catalog, "-o", tmp_path / "p.zarr", "--estimator", "figure")
    _, _, err = run(*figure, "--estimator-option", "colour=red")
    assert "colour" in err
    assert not (tmp_path / "p.zarr").exists()
