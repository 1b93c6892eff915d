"""Predictions as Parquet: they come back as they were, pandas reads them, damage is told."""

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from made_predictions import predictions

from posemill.errors import DiskRefused, InputError, StoreCorrupted
from posemill.predictions import Predictions
from posemill.storage import predictions as stored
from posemill.storage.parquet_seal import seal_parquet
from posemill.storage.predictions import read_predictions, write_predictions

LOGITS = [[0.5, -1.0, 2.0], [1.0, 0.0, 0.25]]
ONE_CLASS = predictions(
    LOGITS,
    [2, 1],
    empty=[True, False],
    num_unavailable=3,
    num_views=20,
    made_with={"weights": "best", "flip": "true"},
)
PEOPLE = predictions(
    LOGITS,
    [(2, 0), ()],
    multi_label=True,
    boxes=[(0, 0, 0.5, 1), (0.25, 0.5, 1, 0.75)],
    times=[902.0, 902.5],
)


@pytest.mark.parametrize("made", [ONE_CLASS, PEOPLE])
def test_they_come_back_as_they_were(made: Predictions, tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    write_predictions(path, made)
    assert read_predictions(path) == made
    write_predictions(path, made.pick([1]))
    assert read_predictions(path) == made.pick([1])
    assert [found.name for found in tmp_path.iterdir()] == ["p.parquet"]


def test_pandas_reads_the_columns(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    write_predictions(tmp_path / "p.parquet", PEOPLE)
    frame = pandas.read_parquet(tmp_path / "p.parquet")
    first, second = (row for _, row in frame.iterrows())
    assert (first["clip_id"], first["video_id"], first["class"]) == ("c0", "v0", "c")
    assert (first["answer"], first["labels"].tolist(), bool(first["empty"])) == ("c", [2, 0], False)
    assert first["logits"].tolist() == LOGITS[0]
    assert (second["box"].tolist(), second["time"]) == ([0.25, 0.5, 1, 0.75], 902.5)
    assert pandas.isna(second["class"])


def test_any_damaged_bit_is_told(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    write_predictions(path, ONE_CLASS)
    whole = path.read_bytes()
    draw = random.Random(0)  # noqa: S311
    for place in draw.sample(range(4, len(whole)), 60):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(StoreCorrupted, match=r"p\.parquet is damaged"):
            read_predictions(path)
    for length in (4, 100, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(StoreCorrupted, match="damaged"):
            read_predictions(path)


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    with pytest.raises(InputError, match=r"p\.parquet: cannot be read .*posemill evaluate"):
        read_predictions(path)
    path.write_text("clip_id,answer\n")
    with pytest.raises(InputError, match="is not a Parquet file"):
        read_predictions(path)
    _write_sealed(path, pa.table({"x": [1]}))
    with pytest.raises(InputError, match="of something else"):
        read_predictions(path)


def _write_sealed(path: Path, table: pa.Table) -> None:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    path.write_bytes(seal_parquet(sink.getvalue().to_pybytes()))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema_version": 2}, "schema version 2; this posemill reads up to 1"),
        ({"classes": ["a", "b"]}, r"a row of probabilities has \{3\} numbers, expected 2"),
        ({"classes": ["a", "a", "b"]}, "classes, each once"),
        ({"split": None}, "valid"),
    ],
)
def test_metadata_that_does_not_fit_is_refused(
    change: dict[str, Any], message: str, tmp_path: Path
) -> None:
    path = tmp_path / "p.parquet"
    write_predictions(path, ONE_CLASS)
    table = pq.read_table(path)
    about = {**json.loads(table.schema.metadata[b"posemill"]), **change}
    if change == {"split": None}:
        del about["split"]
    _write_sealed(path, table.replace_schema_metadata({b"posemill": json.dumps(about)}))
    with pytest.raises(InputError, match=message):
        read_predictions(path)


def test_older_files_do_not_tell_how_they_were_made(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    write_predictions(path, ONE_CLASS)
    assert read_predictions(path).made_with == {"weights": "best", "flip": "true"}
    table = pq.read_table(path)
    about = json.loads(table.schema.metadata[b"posemill"])
    del about["made_with"]
    _write_sealed(path, table.replace_schema_metadata({b"posemill": json.dumps(about)}))
    assert read_predictions(path) == replace(ONE_CLASS, made_with={})


def test_a_disk_that_refuses_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "p.parquet"
    write_predictions(path, ONE_CLASS)

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(stored, "replace_file", refuse)
    with pytest.raises(DiskRefused, match="No space left"):
        write_predictions(path, PEOPLE)
    assert read_predictions(path) == ONE_CLASS


def test_many_clips_keep_every_number(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    made = predictions(rng.normal(size=(3000, 7)) * 30, rng.integers(0, 7, 3000).tolist())
    write_predictions(tmp_path / "p.parquet", made)
    assert read_predictions(tmp_path / "p.parquet") == made
