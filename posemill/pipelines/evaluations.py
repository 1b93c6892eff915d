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
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from posemill.errors import InputError
from posemill.pipelines.metrics.average import AveragedFigure, average
from posemill.pipelines.metrics.evaluation import Evaluation
from posemill.predictions import Predictions
from posemill.schema import Float32
from posemill.storage.durable import disk_faults, replace_file
from posemill.storage.predictions import read_predictions, write_predictions


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
    arrays: dict[str, Any] = {"clip_id": np.array(clip_ids), **weights}
    np.savez_compressed(buffer, **arrays)
    path = attention_path(folder, subset)
    with disk_faults(path):
        replace_file(path, buffer.getvalue())


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
