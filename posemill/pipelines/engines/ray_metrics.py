"""What the progress shows, as counters that Ray exports to whoever scrapes its nodes."""

from __future__ import annotations

from ray.util.metrics import Counter

from posemill.pipelines.engines.base import OnEvent
from posemill.pipelines.events import Event, ItemDone, ShardEnded


class CountedEvents:
    """Passes events on, and counts items, frames and shards of one stage.

    Ray exports `ray_posemill_items_total` by stage and status, `ray_posemill_frames_total` by
    stage, and `ray_posemill_shards_total` by stage and outcome.
    """

    def __init__(self, stage: str, on_event: OnEvent) -> None:
        self._stage, self._on_event = stage, on_event
        self._items = Counter("posemill_items", "Items done", ("stage", "status"))
        self._frames = Counter("posemill_frames", "Frames of items done", ("stage",))
        self._shards = Counter("posemill_shards", "Shards with a last result", ("stage", "outcome"))

    def __call__(self, event: Event) -> None:
        self._on_event(event)
        match event:
            case ItemDone(status=status, num_frames=frames):
                self._items.inc(1, {"stage": self._stage, "status": status})
                if frames:
                    self._frames.inc(frames, {"stage": self._stage})
            case ShardEnded(outcome=outcome):
                self._shards.inc(1, {"stage": self._stage, "outcome": str(outcome)})
            case _:
                pass
