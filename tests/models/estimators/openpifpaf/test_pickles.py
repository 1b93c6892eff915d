"""What a pickle would run is told, and not run."""

from __future__ import annotations

import os
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_pifpaf

from posemill.errors import InputError, WeightsUnavailable
from posemill.models.estimators.base import EstimatorOptions
from posemill.models.estimators.openpifpaf import create
from posemill.models.estimators.openpifpaf.checkpoint import load_checkpoint, parse_checkpoint
from posemill.models.estimators.openpifpaf.convert import convert_checkpoint
from posemill.models.estimators.openpifpaf.pickles import describe_code, looked_up

torch = pytest.importorskip("torch")


class Malicious:
    """Makes a folder as soon as it is unpickled."""

    def __init__(self, victim: Path) -> None:
        self.victim = victim

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.victim),)


class Evaluated(Malicious):
    """The same by a text that is evaluated."""

    def __reduce__(self) -> tuple[Any, ...]:
        return eval, (f"__import__('os').mkdir({str(self.victim)!r})",)


def write(content: Any, path: Path, form: str) -> Path:
    """As torch writes it today (a zip file), long ago, or as a bare pickle of a protocol."""
    if form == "zip":
        torch.save(content, path)
    elif form == "legacy":
        torch.save(content, path, _use_new_zipfile_serialization=False)
    else:
        path.write_bytes(pickle.dumps(content, protocol=int(form)))
    return path


def run(path: Path, form: str) -> None:
    """Load it as one must not."""
    if form in ("zip", "legacy"):
        torch.load(path, weights_only=False)
    else:
        pickle.loads(path.read_bytes())  # noqa: S301


@pytest.mark.parametrize("kind", [Malicious, Evaluated])
@pytest.mark.parametrize("form", ["zip", "legacy", "0", "1", "2", "3", "4", "5"])
def test_a_malicious_checkpoint_is_refused_and_not_run(
    tmp_path: Path, form: str, kind: type
) -> None:
    victim = tmp_path / "made by the pickle"
    path = write({"model": kind(victim), "epoch": 1}, tmp_path / "checkpoint.pkl", form)
    name = "mkdir" if kind is Malicious else "eval"
    with pytest.raises(InputError, match=rf"runs code .*{name}.*convert it with --trust"):
        convert_checkpoint(path, tmp_path / "out.pt", trust=False)
    with pytest.raises(WeightsUnavailable, match=r"runs code .*posemill models convert"):
        load_checkpoint(path)
    with pytest.raises(WeightsUnavailable, match="does not hold weights of openpifpaf"):
        parse_checkpoint(path.read_bytes(), path)  # a second lock, should the first be picked
    assert not victim.exists()
    assert not (tmp_path / "out.pt").exists()
    run(path, form)
    assert victim.exists()  # so it is malicious


def test_it_is_refused_when_an_estimator_is_built(tmp_path: Path) -> None:
    tiny_pifpaf.openpifpaf()
    victim = tmp_path / "made by the pickle"
    path = write(Malicious(victim), tmp_path / "checkpoint.pkl", "zip")
    with pytest.raises(WeightsUnavailable, match="if you trust where it comes from"):
        create(EstimatorOptions(weights=path))
    assert not victim.exists()


def test_tensors_and_plain_data_run_nothing(tmp_path: Path) -> None:
    content = {
        "state": OrderedDict(a=torch.ones(2), b=torch.zeros(1, dtype=torch.float16)),
        "names": ["x", ("y", 1), None, 2.5],
        "parameter": torch.nn.Parameter(torch.ones(1)),
    }
    for form in ("zip", "legacy"):
        path = write(content, tmp_path / form, form)
        assert describe_code(path) == ""
        assert "torch._utils._rebuild_tensor_v2" in looked_up(path)


@pytest.mark.parametrize(
    ("name", "content"),
    [("noise", np.random.default_rng(0).bytes(1000)), ("empty", b""), ("text", b"hello\n" * 9)],
)
def test_what_is_no_pickle_runs_nothing(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert describe_code(path) == ""


def test_a_name_that_cannot_be_told_counts_as_code(tmp_path: Path) -> None:
    """os.system with the texts swapped on the stack: what is not followed is not trusted."""
    swapped = (
        b"\x80\x04\x8c\x02os\x8c\x06system"  # two texts,
        b"\x8c\x01x0"  # a third that is popped again,
        b"\x93."  # and the name of what they say
    )
    path = tmp_path / "swapped.pkl"
    path.write_bytes(swapped)
    assert describe_code(path) == "a name that is not told"


def test_extensions_and_many_names_are_told(tmp_path: Path) -> None:
    path = tmp_path / "extension.pkl"
    path.write_bytes(b"\x80\x02\x82\x05.")
    assert describe_code(path) == "extension 5"
    path.write_bytes(b"".join(b"c%d\nf\n" % number for number in range(6)) + b".")
    assert describe_code(path) == "0.f, 1.f, 2.f, 3.f and 2 more"


def test_a_damaged_zip_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "damaged.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"x" * 10_000)
    content = bytearray(path.read_bytes())
    content[45:60] = b"\xff" * 15
    path.write_bytes(content)
    with pytest.raises(WeightsUnavailable, match="cannot be read"):
        describe_code(path)
