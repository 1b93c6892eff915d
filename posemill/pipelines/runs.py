"""A training run's folder: what it is made of and how far it came. No torch here.

::

    runs/x/
      config.json     what the run is: settings, features, classes, versions; written first
      metrics.jsonl   a line per epoch
      .lock           held while a process trains into the folder
      last.pt         the state after the last finished epoch, or a step within the next one
      best.pt         the state after the epoch that did best on held-out training clips
      tensorboard/    the same numbers as events
      evaluation-test.json, predictions-test.parquet   by `evaluate`
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from posemill.errors import ConfigurationMismatch, InputError, StoreCorrupted
from posemill.provenance import differences
from posemill.storage.durable import disk_faults, drafted_name, replace_file
from posemill.storage.files.locks import process_lock

CONFIG = "config.json"
METRICS = "metrics.jsonl"
LAST = "last.pt"
BEST = "best.pt"
LOCK = ".lock"
SCHEMA_VERSION = 2  # 2: settings in sections
# What the run is decided by; the rest of config.json (where it ran, versions) is a record.
IDENTITY = "identity"
_SHOWN = ("epoch", "loss", "accuracy")
"""Of an epoch's metrics, what there is of every one and is told of the last."""
_TRAIN_AGAIN = "remove the run's folder and train again"


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The folder of one run; `config` is its config.json."""

    root: Path
    config: Mapping[str, Any]

    @property
    def identity(self) -> Mapping[str, Any]:
        """Settings, features and classes: what decides the trained weights."""
        identity: Mapping[str, Any] = self.config[IDENTITY]
        return identity

    def read_checkpoint(self, name: str = LAST) -> bytes | None:
        """The bytes of `LAST` or `BEST`, None where there is none yet."""
        path = self.root / name
        return path.read_bytes() if path.exists() else None

    def write_checkpoint(self, content: bytes, name: str = LAST) -> None:
        """Replace a checkpoint at once.

        Raises:
            EnvironmentFault: the disk refuses.
        """
        with disk_faults(self.root):
            replace_file(self.root / name, content)

    def write_metrics(self, metrics: Sequence[Mapping[str, Any]]) -> None:
        """Replace the metrics of all epochs so far at once.

        Raises:
            EnvironmentFault: the disk refuses.
        """
        lines = "".join(json.dumps(entry) + "\n" for entry in metrics)
        with disk_faults(self.root):
            replace_file(self.root / METRICS, lines.encode())

    def last_metrics(self) -> dict[str, Any]:
        """The metrics of the last finished epoch; empty before the first.

        Raises:
            StoreCorrupted: they cannot be read.
        """
        lines = self._metric_lines()
        return self._metrics_of(len(lines), lines[-1]) if lines else {}

    def read_metrics(self, num_epochs: int) -> list[dict[str, Any]]:
        """The metrics of the first `num_epochs` epochs, which the checkpoint is of.

        Those of the next one may be there, since they are written before its checkpoint.

        Raises:
            StoreCorrupted: there are fewer, or of later epochs, or they cannot be read.
        """
        lines = self._metric_lines()
        if len(lines) > num_epochs + 1:
            state = f"of epoch {num_epochs}" if num_epochs else "missing"
            raise StoreCorrupted(
                f"{self.root / LAST} is {state}, and {METRICS} beside it tells of {len(lines)} "
                f"epochs; put the checkpoint back, or {_TRAIN_AGAIN}"
            )
        if len(lines) < num_epochs:
            raise StoreCorrupted(
                f"{self.root / METRICS} has {len(lines)} lines, and the checkpoint beside it is of "
                f"epoch {num_epochs}; {_TRAIN_AGAIN}"
            )
        return [self._metrics_of(epoch, line) for epoch, line in enumerate(lines[:num_epochs], 1)]

    def _metric_lines(self) -> list[str]:
        path = self.root / METRICS
        try:
            return path.read_text("utf-8").splitlines() if path.exists() else []
        except UnicodeDecodeError as error:
            raise StoreCorrupted(f"{path} is no text ({error}); {_TRAIN_AGAIN}") from error

    def _metrics_of(self, epoch: int, line: str) -> dict[str, Any]:
        try:
            entry = json.loads(line)
        except ValueError:
            entry = None
        if not isinstance(entry, dict) or not all(_is_number(entry.get(key)) for key in _SHOWN):
            raise StoreCorrupted(
                f"{self.root / METRICS}, line {epoch}: expected the metrics of an epoch, with "
                f"{', '.join(_SHOWN)}, got {line[:80]!r}; {_TRAIN_AGAIN}"
            )
        return entry


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def open_run(root: Path) -> RunFolder:
    """The run at `root`.

    Raises:
        InputError: there is none, or another posemill made it.
        StoreCorrupted: its configuration lacks what the run is decided by.
    """
    path = root / CONFIG
    if not path.is_file():
        raise InputError(f"{root} holds no run: there is no {CONFIG}; train into it first")
    try:
        config = json.loads(path.read_text("utf-8"))
        version = config["schema_version"]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is not the configuration of a run: {error!r}") from error
    if version != SCHEMA_VERSION:
        raise InputError(
            f"{path} has schema version {version}, expected {SCHEMA_VERSION}; use the posemill "
            "that made it"
        )
    if not isinstance(config.get(IDENTITY), dict):
        raise StoreCorrupted(
            f"{path} has no {IDENTITY}, which tells what the run was trained on; {_TRAIN_AGAIN}"
        )
    return RunFolder(root, config)


@contextmanager
def held_run(
    root: Path, identity: Mapping[str, Any], record: Mapping[str, Any]
) -> Iterator[RunFolder]:
    """The run of `identity` at `root`, made first where nothing is there, for this process alone.

    `record` is kept beside the identity of a new run and never compared.

    Raises:
        ConfigurationMismatch: the run at `root` has another identity.
        InputError: something else is at `root`, it cannot be written there, or another
            process trains into it.
        EnvironmentFault: the disk refuses.
    """
    if not (root / CONFIG).exists() and not _is_vacant(root):
        raise InputError(f"{root} exists and is not a run; choose another folder")
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{root} cannot be written: {error.strerror or error}") from error
    with process_lock(root / LOCK) as alone:
        if not alone:
            raise InputError(
                f"{root}: another process trains into this folder; wait until it has ended, or "
                "choose another folder"
            )
        for draft in filter(_is_draft, root.iterdir()):  # of a call that was killed
            draft.unlink(missing_ok=True)
        yield _open_or_create(root, identity, record)


def _is_vacant(root: Path) -> bool:
    """Whether nothing is at `root`, or what is left of a run that was never begun."""
    if not root.is_dir():
        return not root.exists()
    return all(each.name == LOCK or _is_draft(each) for each in root.iterdir())


def _is_draft(path: Path) -> bool:
    return drafted_name(path.name) in (CONFIG, METRICS, LAST, BEST)


def _open_or_create(
    root: Path, identity: Mapping[str, Any], record: Mapping[str, Any]
) -> RunFolder:
    if (root / CONFIG).exists():
        run = open_run(root)
        if lines := differences(json.loads(json.dumps(identity)), run.identity):
            raise ConfigurationMismatch(
                f"{root} holds another run:\n  " + "\n  ".join(lines) + "\n"
                "Train into another folder, or remove this one."
            )
        return run
    config = {"schema_version": SCHEMA_VERSION, IDENTITY: identity, **record}
    with disk_faults(root):
        replace_file(root / CONFIG, (json.dumps(config, indent=2) + "\n").encode())
    return open_run(root)
