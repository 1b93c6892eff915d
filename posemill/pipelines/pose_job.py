"""What every stage does that fills a pose store: plan what is new, do what is missing, sum up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from secrets import randbits
from time import monotonic
from typing import Any

from posemill.pipelines.engines.base import Engine, OnEvent, RunReport
from posemill.pipelines.events import StageEnded, StageStarted
from posemill.pipelines.plan import begin_order
from posemill.pipelines.pose_plan import (
    LISTS,
    ListedVideos,
    PlannedVideos,
    PosePlan,
    changed_videos,
    make_plan,
    require_unchanged,
)
from posemill.pipelines.tasks import ShardOutcome, WorkerSpec
from posemill.schema import VideoStatus
from posemill.storage.poses import PlanTable, PoseStore

DONE = {"extract": "extracted", "import": "imported"}
"""What a video is when a stage is through with it."""


@dataclass(frozen=True, slots=True)
class PoseJob:
    """The videos that one stage is to bring into a store."""

    stage: str
    listed: ListedVideos
    new_table: Callable[[Sequence[PlanTable], PoseStore | None], PlanTable | None]
    """A plan of the listed videos that these plans lack, for a store that may be yet to be made."""
    remedy: Callable[[PoseStore], str]
    """What to do about videos that changed since their poses were made."""
    ignore_times: bool = False
    """Whether a file counts as unchanged when its size, first and last MiB are as before."""

    def plan(self, store: PoseStore | None) -> tuple[PlannedVideos, PosePlan]:
        """What a run would do; None is a store that is yet to be made.

        Raises:
            InputError: a video is not the one any more that its poses were made from.
        """
        tables = self._tables(store)
        return self._plan(store, tables, self.new_table(tables, store))

    def freeze_plan(self, store: PoseStore) -> tuple[PlannedVideos, PosePlan]:
        """The same, with a plan of the new videos added to the store; another may be first.

        Raises:
            InputError: as `plan`.
        """
        while True:
            tables = self._tables(store)
            new = self.new_table(tables, store)
            if new is None or store.add_plan(new.number, new):
                return self._plan(store, tables, new)

    def _tables(self, store: PoseStore | None) -> list[PlanTable]:
        if store is None:
            return []
        tables = store.plans()
        planned = PlannedVideos(tables, self.listed)
        changes = changed_videos(store, planned, self.listed, ignore_times=self.ignore_times)
        require_unchanged(store, changes, self.remedy(store))
        return tables

    def _plan(
        self, store: PoseStore | None, tables: Sequence[PlanTable], new: PlanTable | None
    ) -> tuple[PlannedVideos, PosePlan]:
        planned = PlannedVideos([*tables, *([] if new is None else [new])], self.listed)
        committed = {} if store is None else store.records()
        remainders = {} if store is None else store.remainders()
        num_new = 0 if new is None else len(new.videos)
        return planned, make_plan(self.stage, planned, committed, remainders, num_new)


@dataclass(frozen=True, slots=True)
class PoseSummary:
    """What a store holds after a run, and what the run did."""

    statuses: Mapping[str, int]
    not_whole: Mapping[str, str]
    """Id of each missing, quarantined or damaged video to its status and message."""
    num_frames: int
    num_made_videos: int
    num_lost_videos: int
    """Done here, too, while another run did them and was first to commit them."""
    seconds: float
    plan: PosePlan

    def num_unhappy(self, *, strict: bool) -> int:
        """Quarantined videos, and with `strict` the missing ones."""
        missing = self.statuses.get(VideoStatus.MISSING, 0) if strict else 0
        return self.statuses.get(VideoStatus.QUARANTINED, 0) + missing

    def as_dict(self) -> dict[str, Any]:
        done, lists = DONE[self.plan.stage], LISTS[self.plan.stage]
        return {
            "videos": sum(self.statuses.values()),
            **{status: self.statuses.get(status, 0) for status in VideoStatus},
            "frames": self.num_frames,
            f"{done}_now": self.num_made_videos,
            f"{done}_twice": self.num_lost_videos,
            f"shards_of_other_{lists}": self.plan.num_other_shards,
            "seconds": round(self.seconds, 2),
            "not_whole": dict(self.not_whole),
        }


def run_plan(
    plan: PosePlan, store: PoseStore, worker: WorkerSpec, engine: Engine, on_event: OnEvent
) -> PoseSummary:
    """Have the pending shards made, and look at what the store holds then.

    Of two runs on one store at once each begins the shards in an order of its
    own and passes over those that the other one has committed.

    Raises:
        EnvironmentFault: shards failed; what was committed stays.
    """
    started = monotonic()
    num_items = sum(task.num_items for task in plan.pending)
    on_event(StageStarted(plan.stage, len(plan.pending), num_items))
    report = engine.run(begin_order(plan.pending, randbits(64)), worker, on_event, store.mailbox)
    on_event(StageEnded(plan.stage, monotonic() - started))
    report.require_success(plan.stage)
    return _summary(store, plan, report, monotonic() - started)


def _summary(store: PoseStore, plan: PosePlan, report: RunReport, seconds: float) -> PoseSummary:
    entries = store.entries()
    return PoseSummary(
        statuses=Counter(str(entry.status) for entry in entries.values()),
        not_whole={
            video_id: f"{entry.status}: {entry.message}"
            for video_id, entry in entries.items()
            if entry.status not in (VideoStatus.OK, VideoStatus.EMPTY)
        },
        num_frames=sum(entry.frames_decoded for entry in entries.values()),
        num_made_videos=report.num_items(ShardOutcome.COMMITTED),
        num_lost_videos=report.num_items(ShardOutcome.LOST_RACE),
        seconds=seconds,
        plan=plan,
    )
