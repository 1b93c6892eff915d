"""How a stage makes videos of a pose store again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from posemill.pipelines.pose_plan import Change, PlannedVideos
from posemill.pipelines.tasks import WorkerSpec
from posemill.storage.poses import VideoEntry


@dataclass(frozen=True, slots=True)
class Remaking:
    """What `retry` needs of the stage that made a store."""

    stage: str
    planned: PlannedVideos
    worker: WorkerSpec
    changes: Callable[[Iterable[VideoEntry]], Sequence[Change]]
    """Of which of these the files are others now than those that their poses were made from."""
    are_there: Callable[[Sequence[str]], Sequence[bool]]
    """Whether the files at these uris are there."""
