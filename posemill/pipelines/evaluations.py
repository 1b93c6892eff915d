"""Where answers and figures lie in a folder: of a run, or of several runs fused.

::

    runs/x/
      predictions-test.parquet    the answers for the clips of the subset `test`
      evaluation-test.json        the figures drawn from them
      attention-test.npz          the weights by which the network looked, if asked for
"""

from __future__ import annotations

import io
import json
import re
import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from posemill.errors import InputError, StoreCorrupted
from posemill.pipelines.metrics.average import AveragedFigure, average
from posemill.pipelines.metrics.evaluation import Evaluation
from posemill.predictions import Predictions
from posemill.schema import Float32
from posemill.storage.durable import disk_faults, replace_file
from posemill.storage.predictions import read_predictions, write_predictions

_CLIP_ID = "clip_id"


@dataclass(frozen=True, slots=True)
class Attention:
    """The weights by which a network looked at N clips in V views each."""

    clip_ids: tuple[str, ...]
    weights: Mapping[str, Float32]
    """(N, V, ...), by name."""

    @property
    def num_views(self) -> int:
        return int(next(iter(self.weights.values())).shape[1])


def figures_path(folder: Path, subset: str) -> Path:
    """Where the figures of a subset are."""
    return folder / f"evaluation-{_file_name(subset)}.json"


def predictions_path(folder: Path, subset: str) -> Path:
    """Where the answers for the clips of a subset are."""
    return folder / f"predictions-{_file_name(subset)}.parquet"


def attention_path(folder: Path, subset: str) -> Path:
    """Where the weights are by which the network looked at the clips of a subset."""
    return folder / f"attention-{_file_name(subset)}.npz"


def write_attention(
    folder: Path, subset: str, clip_ids: Sequence[str], weights: Mapping[str, Float32]
) -> None:
    """Write weights (N, V, ...) of N clips in V views, by name, and `clip_id` (N,), for numpy.

    Raises:
        EnvironmentFault: the disk refuses.
    """
    buffer = io.BytesIO()
    arrays: dict[str, Any] = {_CLIP_ID: np.array(clip_ids), **weights}
    np.savez_compressed(buffer, **arrays)
    path = attention_path(folder, subset)
    with disk_faults(path):
        replace_file(path, buffer.getvalue())


def read_attention(folder: Path, subset: str) -> Attention:
    """What `write_attention` wrote for a subset.

    Raises:
        InputError: nothing is there.
        StoreCorrupted: it is damaged, or another file.
    """
    path = attention_path(folder, subset)
    if not path.exists():
        raise InputError(
            f"{folder} has no weights of the subset {subset!r}: there is no {path.name}; keep them "
            f"with `posemill evaluate {folder} STORE --subset {subset} --attention` first"
        )
    arrays = _read_npz(path)
    clip_ids = arrays.pop(_CLIP_ID, None)
    problem = _attention_problem(clip_ids, arrays)
    if clip_ids is None or problem:
        raise StoreCorrupted(f"{path}: {problem}; {_AGAIN}")
    return Attention(tuple(clip_ids.tolist()), arrays)


_AGAIN = "evaluate with --attention again"
_UNREADABLE = (
    *(OSError, EOFError, ValueError, KeyError, MemoryError, NotImplementedError, RuntimeError),
    *(zipfile.BadZipFile, zlib.error, struct.error),
)
"""What numpy and zipfile raise over damaged files."""


def _read_npz(path: Path) -> dict[str, Any]:
    """Raises:
    StoreCorrupted: it is no file of named arrays.
    """
    try:
        with zipfile.ZipFile(path) as archive:  # else a pickle, which numpy would take as such
            archive.infolist()
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except _UNREADABLE as error:
        raise StoreCorrupted(f"{path} is no file of named arrays ({error}); {_AGAIN}") from error


def _attention_problem(clip_ids: Any, weights: Mapping[str, Any]) -> str:
    """What is wrong with the ids and the weights; nothing where all is well."""
    if clip_ids is None or clip_ids.ndim != 1 or clip_ids.dtype.kind != "U":
        return f"expected the ids of clips as {_CLIP_ID!r}, which it lacks"
    if not len(clip_ids) or not weights:
        return f"it has {len(clip_ids)} clips and {len(weights)} kinds of weights"
    if len(set(clip_ids.tolist())) < len(clip_ids):
        return f"it has {len(clip_ids)} clips, some twice"
    for name, values in weights.items():
        if values.dtype != np.float32 or values.ndim < 3 or 0 in values.shape:
            return (
                f"the weights {name!r} are {values.dtype} {values.shape}, not float32 (N, V, ...)"
            )
        if len(values) != len(clip_ids):
            return f"the weights {name!r} are of {len(values)} clips, and it has {len(clip_ids)}"
        if not np.isfinite(values).all():
            return f"the weights {name!r} are not all finite"
    if len({values.shape[1] for values in weights.values()}) > 1:
        told = ", ".join(f"{name} {values.shape[1]}" for name, values in weights.items())
        return f"the weights are of different numbers of views: {told}"
    return ""


def write_evaluation(folder: Path, evaluation: Evaluation) -> None:
    """Write the answers, then the figures drawn from them, into a folder, made if it is missing.

    Each file replaces another at once.

    Raises:
        EnvironmentFault: the disk refuses.
    """
    told = json.dumps(evaluation.as_dict(), indent=2, allow_nan=False) + "\n"
    with disk_faults(folder):
        folder.mkdir(parents=True, exist_ok=True)
    write_predictions(predictions_path(folder, evaluation.subset), evaluation.predictions)
    with disk_faults(folder):
        replace_file(figures_path(folder, evaluation.subset), told.encode())


def read_answers(folder: Path, subset: str) -> Predictions:
    """The answers in a folder for the clips of a subset.

    Raises:
        InputError: there are none.
        StoreCorrupted: they are damaged.
    """
    path = predictions_path(folder, subset)
    if not path.exists():
        raise InputError(
            f"{folder} has no answers for the subset {subset!r}: there is no {path.name}; score it "
            f"with `posemill evaluate {folder} STORE --subset {subset}` first"
        )
    return read_predictions(path)


def average_runs(folders: Sequence[Path], subset: str) -> tuple[AveragedFigure, ...]:
    """Each figure over the answers in several folders, as of the splits of a data set.

    Raises:
        InputError: a folder is given twice or has no answers, or they are of other classes.
        StoreCorrupted: damaged answers.
    """
    if len({folder.resolve() for folder in folders}) < len(folders):
        listed = ", ".join(map(str, folders))
        raise InputError(f"an average needs each run once, got {listed}")
    evaluations = [Evaluation(read_answers(folder, subset)) for folder in folders]
    try:
        return average(evaluations)
    except ValueError as error:
        listed = ", ".join(map(str, folders))
        raise InputError(f"{listed} cannot be averaged: {error}") from error


def _file_name(subset: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "_", subset)
