"""What an extraction would read, write and take: the figures of `--dry-run`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from posemill.pipelines.dense_forecast import DenseForecast
from posemill.pipelines.pose_plan import PlannedVideos, PosePlan
from posemill.pipelines.rates import Rates
from posemill.schema import Int64
from posemill.storage.files.cache import FileCache
from posemill.storage.files.fetch import are_there


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a run would do, and what is expected of it."""

    plan: PosePlan
    rates: Rates
    num_missing: int
    """Videos to do whose files are not there: to be noted as missing; not in the figures below."""
    num_by_bytes: int
    """Videos whose footage is told from their bytes, as nothing else is known of it."""
    footage_seconds: float
    input_bytes: int
    output_bytes: float
    seconds: float
    """With as many workers as asked for, none of which waits."""
    dense: DenseForecast | None = None
    """Of the maps that are to be kept, beside the poses' `output_bytes`."""

    def as_dict(self) -> dict[str, Any]:
        return {
            **self.plan.as_dict(),
            "videos_missing": self.num_missing,
            "videos_by_bytes": self.num_by_bytes,
            "footage_hours": round(self.footage_seconds / 3600, 4),
            "input_bytes": self.input_bytes,
            "expected_output_bytes": round(self.output_bytes),
            "expected_seconds": round(self.seconds, 1),
            "dense_maps": None if self.dense is None else self.dense.as_dict(),
            "skipped": dict(self.skipped),
            "rates": self.rates.as_dict(),
        }

    @property
    def skipped(self) -> Mapping[str, int]:
        """Why to how many shards or videos."""
        return {
            "shards_done": self.plan.num_committed_shards,
            "shards_of_other_catalogs": self.plan.num_other_shards,
            "videos_missing_on_disk": self.num_missing,
        }


def forecast(plan: PosePlan, planned: PlannedVideos, rates: Rates, num_workers: int) -> Forecast:
    """Look which files are there, and sum up those that are.

    Raises:
        OSError: a folder may not be looked into.
        EnvironmentFault: an address gives no answer.
    """
    rows = _rows(plan, planned)
    chosen = planned.videos.take(rows)
    ids, uris = chosen.ids(), chosen.uris()
    places = [planned.moved.get(i, uri) for i, uri in zip(ids, uris, strict=True)]
    there = np.array(are_there(places, FileCache.of_environment()), bool)
    unknown = np.isnan(chosen.end_seconds()) & np.isnan(chosen.duration_seconds())
    footage = float(planned.cost[rows][there].sum())
    return Forecast(
        plan=plan,
        rates=rates,
        num_missing=int((~there).sum()),
        num_by_bytes=int((unknown & there).sum()),
        footage_seconds=footage,
        input_bytes=int(chosen.num_bytes()[there].sum()),
        output_bytes=footage * rates.person_frames * rates.bytes_per_person_frame,
        seconds=_expected_seconds(plan, footage, rates, num_workers),
    )


def _rows(plan: PosePlan, planned: PlannedVideos) -> Int64:
    """Places of the videos to do among the planned ones."""
    whole = [task.shard_id for task in plan.pending if task.items is None]
    parts = [planned.rows[i] for task in plan.pending for i in task.items or ()]
    return np.concatenate(
        [np.flatnonzero(np.isin(planned.shard_id, whole)), np.array(parts, np.int64)]
    )


def _expected_seconds(
    plan: PosePlan, footage_seconds: float, rates: Rates, num_workers: int
) -> float:
    """The work shared evenly, but no less than the longest shard."""
    longest = max((task.cost for task in plan.pending), default=0.0)
    longest = min(longest, footage_seconds)
    return max(footage_seconds / num_workers, longest) * rates.work_seconds
