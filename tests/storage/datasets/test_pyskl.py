"""A pickle of pyskl's as a dataset: clips, labels and splits, and the poses that join them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest
from chain import ignore
from dataset_files import absent, index, labels, put_videos, splits
from hypothesis import given
from hypothesis import strategies as st
from pickle_fuzz import mutated
from pyskl_files import annotation, write, write_annotations
from typer.testing import CliRunner

from posemill.cli import app
from posemill.errors import InputError
from posemill.pipelines.import_poses import ImportConfig, import_poses
from posemill.pipelines.import_settings import ImportSettings
from posemill.storage.catalog import read_catalog
from posemill.storage.datasets.assemble import index_dataset
from posemill.storage.datasets.pyskl import split_of
from posemill.storage.datasets.registry import create_dataset
from posemill.storage.formats.pyskl import PysklFormat

NOTES = [
    annotation("a/1", label=2),
    annotation("b", label=np.int64(0)),
    annotation("c", label=[1, 2]),
    annotation("d", label=None),
]


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    return write_annotations(
        tmp_path / "x.pkl", NOTES, train1=["a/1", "b"], test1=["c"], xsub_train=["a/1", "gone"]
    )


def test_clips_have_labels_and_all_splits(notes: Path, tmp_path: Path) -> None:
    indexed = index("pyskl", notes, videos=put_videos(tmp_path / "v", "a/1.avi", "b.mp4"))
    catalog = indexed.catalog
    assert catalog.classes == ("0", "1", "2")
    assert labels(catalog) == {"a/1": ["2"], "b": ["0"], "c": ["1", "2"], "d": []}
    assert splits(catalog) == {
        "a/1": {"split1": "train", "xsub": "train"},
        "b": {"split1": "train"},
        "c": {"split1": "test"},
        "d": {},
    }
    assert absent(catalog) == ["c", "d"]
    assert indexed.left_out == {"names in splits without an annotation": 1}


def test_classes_may_be_given_names(notes: Path, tmp_path: Path) -> None:
    names = tmp_path / "classes.txt"
    names.write_bytes("\ufeffdrink water\r\n\r\néat\r\nwave\r\nnever seen\r\n".encode())
    catalog = index("pyskl", notes, names, videos=put_videos(tmp_path / "v")).catalog
    assert catalog.classes == ("drink water", "éat", "wave", "never seen")
    assert labels(catalog)["c"] == ["éat", "wave"]


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("train", ("default", "train")),
        ("val", ("default", "val")),
        ("xsub_val", ("xsub", "val")),
        ("test3", ("split3", "test")),
        ("my_own_train2", ("my_own_split2", "train")),
        ("fold_a", ("fold_a", "in")),
    ],
)
def test_names_of_lists_tell_split_and_subset(key: str, expected: tuple[str, str]) -> None:
    assert split_of(key) == expected


def test_kinetics_and_several_files_are_one_dataset(tmp_path: Path) -> None:
    first = annotation("a")
    del first["keypoint"], first["keypoint_score"]
    write_annotations(tmp_path / "p" / "1.pkl", [first], train=["a"])
    write(tmp_path / "p" / "2.pickle", [annotation("b", label=7)], protocol=4)
    write(tmp_path / "p" / "kp.pkl", {"a": {"keypoint": np.zeros((9, 17, 3))}})
    catalog = index("pyskl", tmp_path / "p", videos=put_videos(tmp_path / "v")).catalog
    assert labels(catalog) == {"a": ["1"], "b": ["7"]}
    assert catalog.classes[7] == "7"


@pytest.mark.parametrize(
    ("content", "names", "message"),
    [
        ([annotation("a", label=-1)], "", r"annotation 0 \('a'\): the label is -1; .*0 to 99999"),
        ([annotation("a", label=1.5)], "", "the label is 1.5"),
        ([annotation("a", label="wave")], "", "the label is \"'wave'\""),
        ([annotation("a", label=10**9)], "", "the label is 1000000000"),
        ([annotation("a", label=2)], "x\ny\n", "numbers from 0 to 1, of the classes whose names"),
        ([annotation("a", label=0)], "x\ny\nx\n", "c.txt, line 3: the class 'x' is in line 1"),
        ([annotation("../a")], "", "plain relative path"),
        ([annotation("a"), annotation("a")], "", "'a' is there twice"),
        ({"split": {"train": ["a"], "val": ["a"]}, "annotations": [annotation("a")]}, "",
         "the clip 'a' is in 'train' and in 'val' of the split 'default'"),
        ({"split": {}, "annotations": []}, "", "tells of no clip"),
        ({"a": print}, "", "names the global __builtin__.print"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told(tmp_path: Path, content: Any, names: str, message: str) -> None:
    files = [write(tmp_path / "x.pkl", content)]
    if names:
        (tmp_path / "c.txt").write_text(names)
        files.append(tmp_path / "c.txt")
    with pytest.raises(InputError, match=message):
        index("pyskl", *files, videos=put_videos(tmp_path / "v"))


def test_files_that_do_not_go_together_are_told(notes: Path, tmp_path: Path) -> None:
    again = write(tmp_path / "y.pkl", [annotation("b")])
    with pytest.raises(InputError, match=r"y.pkl, annotation 0 .*is there, too, as .*annotation 1"):
        index("pyskl", notes, again, videos=tmp_path)
    for name in ("1.txt", "2.txt"):
        (tmp_path / name).write_text("x")
    with pytest.raises(InputError, match="expected one file of the classes' names"):
        index("pyskl", notes, tmp_path / "1.txt", tmp_path / "2.txt", videos=tmp_path)


def test_poses_alone_are_enough(notes: Path, tmp_path: Path) -> None:
    """Without videos the imported clips have their labels: ids are the same."""
    arguments = ["index", "pyskl", str(notes), "-o", str(tmp_path / "catalog")]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    catalog = read_catalog(tmp_path / "catalog")
    assert absent(catalog) == ["a/1", "b", "c", "d"]
    summary = import_poses(
        ImportConfig(
            notes,
            tmp_path / "poses.zarr",
            ImportSettings(PysklFormat(), fps=30.0),
            catalog=tmp_path / "catalog",
            engine="local",
        ),
        ignore,
    )
    assert summary.statuses == {"ok": 4}
    with pytest.raises(InputError, match="Give their folder with --videos"):
        index_dataset(create_dataset("n-ucla"), (), None)


@hypothesis.settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_changed_files_are_read_or_refused(
    seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("fuzz")
    path = write_annotations(root / "x.pkl", NOTES, train=["a/1"], val=["b"])
    path.write_bytes(mutated(path.read_bytes(), seed))
    told = ""
    try:
        assert index_dataset(create_dataset("pyskl"), [path], None).catalog.clips
    except InputError as error:
        told = str(error)
    assert not told or str(root) in told
