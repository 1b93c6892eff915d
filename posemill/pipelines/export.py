"""A store to files of another tool: checks, writes beside the output, and gives it its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from posemill.errors import InputError
from posemill.pipelines.events import Event, StageEnded, StageStarted
from posemill.pipelines.export_features import FeatureExportJob
from posemill.pipelines.export_items import (
    ExportJob,
    ExportPlan,
    LeftOut,
    left_out_as_dict,
    num_unhappy,
)
from posemill.pipelines.export_poses import PoseExportJob
from posemill.storage.any_store import open_store
from posemill.storage.exports.base import Export, FeatureExport, PoseExport
from posemill.storage.exports.drafts import new_file, new_folder, require_vacant
from posemill.storage.objects import Place
from posemill.storage.poses import PoseStore

STAGE = "export"


@dataclass(frozen=True, slots=True)
class ExportConfig:
    """What to export, as what, to where."""

    export: Export
    store: Place
    out: str
    """A path, at which nothing is yet."""
    catalog: Path | None = None
    """Whose clips to export; None takes the one that the poses were made from, if any is needed."""


@dataclass(frozen=True, slots=True)
class ExportSummary:
    """What an export wrote, and what it left out."""

    unit: str
    num_written: int
    num_bytes: int
    left_out: tuple[LeftOut, ...]
    classes: tuple[str, ...]
    seconds: float

    @property
    def num_unhappy(self) -> int:
        """Items left out for another reason than that their video was missing."""
        return num_unhappy(self.left_out)

    def as_dict(self) -> dict[str, Any]:
        return {
            f"{self.unit}s": self.num_written,
            "bytes": self.num_bytes,
            "classes": list(self.classes),
            "seconds": round(self.seconds, 2),
            **left_out_as_dict(self.left_out),
        }


def export(config: ExportConfig, on_event: Callable[[Event], None]) -> ExportSummary:
    """Write all that a store holds as files of another tool, whole or not at all.

    Raises:
        InputError: the store, the catalog, the settings or the output cannot be used, or
            nothing is left to export.
        StoreCorrupted: what is read is not what was committed.
        EnvironmentFault: the disk refuses.
    """
    started = monotonic()
    target, job = require_vacant(config.out), _job(config)
    new = new_file if config.export.makes == "file" else new_folder
    with new(target) as draft:
        on_event(StageStarted(STAGE, job.num_shards, job.plan.num_items))
        try:
            unfit = tuple(job.write(draft, on_event))
        finally:
            on_event(StageEnded(STAGE, monotonic() - started))
        num_written = job.plan.num_items - len(unfit)
        if not num_written:
            raise _nothing(config, unfit)
        num_bytes = _num_bytes(draft)
    return ExportSummary(
        unit=job.plan.unit,
        num_written=num_written,
        num_bytes=num_bytes,
        left_out=job.plan.left_out + unfit,
        classes=job.plan.classes,
        seconds=monotonic() - started,
    )


def plan_export(config: ExportConfig) -> ExportPlan:
    """What `export` would do, as far as can be told before poses are read; writes nothing.

    Raises:
        InputError, StoreCorrupted: as `export` would.
    """
    require_vacant(config.out)
    return _job(config).plan


def _job(config: ExportConfig) -> ExportJob:
    """Raises:
    InputError: the store is of the other kind, or nothing in it can be exported.
    """
    store, chosen = open_store(config.store), config.export
    job: ExportJob
    if isinstance(store, PoseStore):
        if not isinstance(chosen, PoseExport):
            raise _other_kind(config, "a feature store", "a pose store")
        job = PoseExportJob.of(chosen, store, config.catalog)
    else:
        if not isinstance(chosen, FeatureExport):
            raise _other_kind(config, "a pose store", "a feature store")
        job = FeatureExportJob.of(chosen, store, config.catalog)
    if not job.plan.num_items:
        raise _nothing(config, job.plan.left_out)
    return job


def _other_kind(config: ExportConfig, taken: str, found: str) -> InputError:
    return InputError(
        f"{config.store}: export {config.export.name} takes {taken}, and this is {found}; give "
        "another store, or another kind, as `posemill exports` lists them"
    )


def _nothing(config: ExportConfig, left_out: tuple[LeftOut, ...]) -> InputError:
    why = f", e.g. {left_out[0]}" if left_out else ""
    return InputError(
        f"{config.store}: nothing to export, {len(left_out):,} left out{why}. Look at it with "
        "`posemill status`."
    )


def _num_bytes(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())
