"""Tar files of features: as tarfile and numpy read them, and as webdataset does."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from export_stores import run_export, tree
from potion_stores import CLASSES, make_potion_store

from posemill.errors import InputError
from posemill.storage.features import FeatureRow, FeatureStore

LEFT_OUT = "test/nod/0"
OUTPUTS = ("maximum", "num_frames", "u", "valid_hw")


@pytest.fixture
def store(tmp_path: Path) -> FeatureStore:
    """Three clips of each class to train and one to test, one of them without features."""
    made = make_potion_store(
        tmp_path / "features.zarr",
        per_class={"train": 3, "test": 1},
        unavailable=frozenset([LEFT_OUT]),
    )
    made.add_rows([FeatureRow("later", "later", 1, -1, {"default": "test"}, 7)])
    return made


def samples(tar: Path) -> dict[str, dict[str, Any]]:
    """Key to the parts of every sample, in their order."""
    found: dict[str, dict[str, Any]] = {}
    with tarfile.open(tar) as file:
        for member in file:
            key, _, part = member.name.partition(".")
            data = file.extractfile(member).read()
            value = json.loads(data) if part == "json" else np.load(io.BytesIO(data))
            found.setdefault(key, {})[part] = value
    return found


def test_a_sample_is_a_row_bit_for_bit(store: FeatureStore, tmp_path: Path) -> None:
    summary = run_export("webdataset", Path(store.url), tmp_path / "out")
    found = samples(tmp_path / "out" / "features-000000.tar")
    rows = store.rows()
    valid = [n for n, row in enumerate(rows) if row and row.clip_id not in (LEFT_OUT, "later")]
    assert list(found) == [f"{number:08d}" for number in valid]
    assert (summary.unit, summary.num_written) == ("clip", 11)
    assert {each.item_id: each.why for each in summary.left_out} == {
        LEFT_OUT: "no features",
        "later": "not made",
    }
    for number in valid:
        sample, row = found[f"{number:08d}"], rows[number]
        assert list(sample) == ["json", *(f"{name}.npy" for name in OUTPUTS)]
        for name in OUTPUTS:
            array = store.read(name, number)
            assert (sample[f"{name}.npy"].dtype, sample[f"{name}.npy"].shape) == (
                *(array.dtype, array.shape),
            )
            assert np.array_equal(sample[f"{name}.npy"], array)
        assert sample["json"] == {
            "clip_id": row.clip_id,
            "video_id": row.video_id,
            "start_seconds": 0.0,
            "end_seconds": None,
            "label": row.label,
            "class": CLASSES[row.label],
            "mirror_label": row.mirror_label,
            "mirror_class": CLASSES[row.mirror_label],
            "splits": {"default": row.clip_id.split("/")[0]},
            "boxes": [],
            "valid": True,
        }


def test_rows_without_features_are_taken_where_they_are_asked_for(
    store: FeatureStore, tmp_path: Path
) -> None:
    summary = run_export("webdataset", Path(store.url), tmp_path / "out", keep_invalid="true")
    assert [each.item_id for each in summary.left_out] == ["later"]
    found = samples(tmp_path / "out" / "features-000000.tar").values()
    assert [s["json"]["clip_id"] for s in found if not s["json"]["valid"]] == [LEFT_OUT]


def test_tar_files_are_cut_by_size_and_told_in_the_index(
    store: FeatureStore, tmp_path: Path
) -> None:
    run_export("webdataset", Path(store.url), tmp_path / "one")
    (whole,) = (tmp_path / "one").glob("*.tar")
    big = make_potion_store(tmp_path / "big.zarr", per_class={"train": 30})
    run_export("webdataset", Path(big.url), tmp_path / "many", shard_mb=1)
    index = json.loads((tmp_path / "many" / "dataset.json").read_text())
    names = sorted(path.name for path in (tmp_path / "many").glob("*.tar"))
    assert [shard["name"] for shard in index["shards"]] == names
    assert len(names) == 2
    keys = [key for name in names for key in samples(tmp_path / "many" / name)]
    assert len(set(keys)) == 90 == sum(shard["samples"] for shard in index["shards"])
    for name in names:  # tar pads to 10 kB at the end
        assert (tmp_path / "many" / name).stat().st_size <= 1_000_000 + tarfile.RECORDSIZE
    assert index["classes"] == list(CLASSES)
    assert index["outputs"]["u"]["scale_factor"] == big.specs[0].scale_factor
    assert index["configuration"] == big.configuration
    assert whole.stat().st_size % tarfile.RECORDSIZE == 0


def test_subsets_are_kept_apart_on_demand(store: FeatureStore, tmp_path: Path) -> None:
    run_export("webdataset", Path(store.url), tmp_path / "out", split="default")
    assert set(tree(tmp_path / "out")) == {
        *("dataset.json", "test-000000.tar", "train-000000.tar"),
    }
    for subset, count in (("train", 9), ("test", 2)):
        found = samples(tmp_path / "out" / f"{subset}-000000.tar")
        assert len(found) == count
        assert {s["json"]["splits"]["default"] for s in found.values()} == {subset}


def test_splits_that_cannot_be_are_refused_and_rows_of_none_left_out(
    store: FeatureStore, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="has no split 'xsub'; there are: default"):
        run_export("webdataset", Path(store.url), tmp_path / "out", split="xsub")
    store.add_rows([FeatureRow("odd", "odd", 1, -1, {"default": "../x", "own": "a"}, 8)])
    with pytest.raises(InputError, match=r"the subset '../x' .* cannot begin the name of a file"):
        run_export("webdataset", Path(store.url), tmp_path / "out", split="default")
    with pytest.raises(InputError, match="in no subset of the split 'own'"):
        run_export("webdataset", Path(store.url), tmp_path / "out", split="own")


def test_members_have_no_time_and_no_owner(store: FeatureStore, tmp_path: Path) -> None:
    run_export("webdataset", Path(store.url), tmp_path / "out")
    with tarfile.open(tmp_path / "out" / "features-000000.tar") as file:
        told = {(m.mtime, m.uid, m.gid, m.uname, m.gname, m.mode) for m in file}
    assert told == {(0, 0, 0, "", "", 0o644)}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # leaves it open
def test_webdataset_loads_and_decodes_it(store: FeatureStore, tmp_path: Path) -> None:
    wds = pytest.importorskip("webdataset")
    run_export("webdataset", Path(store.url), tmp_path / "out")
    shard = str(tmp_path / "out" / "features-000000.tar")
    loaded = list(wds.WebDataset(shard, shardshuffle=False).decode().to_tuple("u.npy", "json"))
    assert len(loaded) == 11
    for number, (u, told) in enumerate(loaded):
        assert np.array_equal(u, store.read("u", number))
        assert told["valid"] is True
