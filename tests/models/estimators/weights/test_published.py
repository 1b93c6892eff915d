"""Tables of published weights: what they refuse, and how weights are named."""

import subprocess
import sys

import pytest
from published import install_tables, weights

from posemill.errors import InputError
from posemill.models.estimators.weights.published import (
    HubRepo,
    PublishedFile,
    PublishedWeights,
    WebFile,
)
from posemill.models.estimators.weights.tables import (
    all_published,
    choose_published,
    named_weights,
    published_by,
)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"name": "../x"}, "a name that can be a file's"),
        ({"estimator": ".hidden"}, "a name that can be a file's"),
        ({"files": ()}, "have no file"),
        ({"entry": "other.onnx"}, "is none of"),
        ({"converter": "a:b", "entry": ""}, "need an entry"),
        ({"files": (PublishedFile("net.pkl"),), "entry": "net.pkl"}, r"\.pkl files.*run code"),
    ],
)
def test_weights_that_cannot_be_are_refused(changes, complaint):
    with pytest.raises(ValueError, match=complaint):
        weights(**changes)


@pytest.mark.parametrize("name", ["../net.onnx", "/net.onnx", ""])
def test_a_file_stays_in_its_folder(name):
    with pytest.raises(ValueError, match="must stay in its folder"):
        PublishedFile(name)


@pytest.mark.parametrize("digits", ["7189450", "xyz", "A" * 64])
def test_a_hash_is_one(digits):
    with pytest.raises(ValueError, match="hexadecimal"):
        PublishedFile("net.onnx", sha256=digits)
    with pytest.raises(ValueError, match="hexadecimal"):
        WebFile("https://there.org/net.onnx", digits)


def test_whether_a_hash_is_published():
    digits = "0123abcd"
    assert not weights().has_hash
    assert weights(source=WebFile("https://there.org/net.onnx", digits)).has_hash
    assert weights(files=(PublishedFile("net.onnx", sha256=digits),)).has_hash
    assert not weights(source=HubRepo("they/net")).has_hash


def test_an_address_is_of_the_web():
    with pytest.raises(ValueError, match="https://"):
        WebFile("file:///etc/passwd")


def test_names_are_looked_up_and_the_default_taken_without(monkeypatch):
    small, large = weights(), weights(name="demo-l", default=True)
    install_tables(monkeypatch, {"demo": (small, large)})
    assert choose_published("demo") is large
    assert choose_published("demo", "demo-s") is small
    assert named_weights("demo-s") is small
    assert named_weights("demo") is large
    with pytest.raises(InputError, match="of demo are called 'demo-x'; there are: demo-s, demo-l"):
        choose_published("demo", "demo-x")
    with pytest.raises(InputError, match="no weights of 'other' are published; there are some of "):
        choose_published("other")
    with pytest.raises(InputError, match="called 'demo-x'"):
        named_weights("demo-x")


def test_a_name_of_two_estimators_is_not_guessed(monkeypatch):
    tables = {"demo": (weights(),), "other": (weights(estimator="other"),)}
    install_tables(monkeypatch, tables)
    with pytest.raises(InputError, match=r"several estimators .*demo, other; name the estimator"):
        named_weights("demo-s")


def test_our_own_tables_agree_with_themselves():
    published = all_published()
    assert {"blazepose", "figure"} <= {each.estimator for each in published}
    for each in published:
        table = published_by(each.estimator)
        assert each in table
        assert sum(other.default for other in table) == 1
        assert [other.name for other in table].count(each.name) == 1
        assert each.licence
        assert each.accuracy_source
        for estimator, name in each.companions:
            assert isinstance(choose_published(estimator, name), PublishedWeights)
        if isinstance(each.source, HubRepo):
            assert each.source.repo_id.count("/") == 1


def test_no_table_needs_what_runs_its_weights():
    heavy = "'torch', 'torchvision', 'onnxruntime', 'transformers', 'openpifpaf', 'ai_edge_litert'"
    code = (
        "import sys; from posemill.models.estimators.weights import all_published\n"
        f"assert all_published(); print([name for name in ({heavy}) if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
