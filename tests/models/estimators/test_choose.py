"""Which estimator runs, with which weights: `auto`, names and paths."""

from pathlib import Path

import pytest
from published import install_tables, sha256, weights
from web_server import running

from posemill.errors import InputError
from posemill.models.estimators.choose import resolve_estimator, resolve_weights
from posemill.models.estimators.weights.cached import find_weights
from posemill.models.estimators.weights.published import PublishedFile, WebFile


@pytest.fixture(autouse=True)
def demo(monkeypatch, tmp_path):
    """Two weights of the estimator `demo`, in an empty working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("POSEMILL_CACHE", str(tmp_path / "cache"))
    install_tables(monkeypatch, {"demo": (weights(), weights(name="demo-1.5", default=True))})
    return tmp_path


def test_a_published_name_is_no_path_and_no_name_neither(demo):
    assert resolve_weights("demo", "demo-s") == (None, "demo-s")
    assert resolve_weights("demo", None) == (None, None)


def test_the_default_has_one_spelling():
    assert resolve_weights("demo", "demo-1.5") == (None, None)


def test_what_exists_is_a_path_whatever_it_is_called(demo):
    (demo / "demo-s").mkdir()
    path, variant = resolve_weights("demo", "demo-s")
    assert (path, variant) == (Path("demo-s"), None)


@pytest.mark.parametrize("text", ["some/where", "net.onnx", "./demo-s", "/demo-s"])
def test_what_looks_like_a_path_is_one(text):
    assert resolve_weights("demo", text) == (Path(text), None)


def test_another_name_is_refused_with_those_that_there_are():
    with pytest.raises(InputError, match=r"demo-x is no file.*of demo \(demo-s, demo-1\.5\)"):
        resolve_weights("demo", "demo-x")
    with pytest.raises(InputError, match="and plugin has no published ones"):
        resolve_weights("plugin", "demo-s")


def test_auto_is_blazepose_and_says_so():
    choice = resolve_estimator("auto", weights=None, pull=False)
    assert choice.name == "blazepose"
    assert "estimator auto: blazepose" in choice.note
    assert resolve_estimator("demo", weights=None, pull=False).note == ""


def test_pull_fetches_the_weights_that_are_named(monkeypatch, demo):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with running() as web:
        files = (PublishedFile("net.onnx", sha256=sha256(b"s")),)
        small = weights(source=WebFile(web.put("/s", b"s")), files=files)
        install_tables(monkeypatch, {"demo": (weights(name="demo-l", default=True), small)})
        choice = resolve_estimator("demo", weights="demo-s", pull=True)
        assert (choice.weights, choice.variant) == (None, "demo-s")
        assert find_weights("demo", "demo-s").read_bytes() == b"s"
        (demo / "own.onnx").touch()
        resolve_estimator("demo", weights="own.onnx", pull=True)
        resolve_estimator("plugin", weights=None, pull=True)
        assert web.requests.total() == 1
