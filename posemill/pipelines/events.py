"""What a running stage tells: typed events, from workers and from the engine."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StageStarted:
    stage: str
    num_shards: int
    num_items: int
    """Items that this run will do; what was committed before is not counted."""


@dataclass(frozen=True, slots=True)
class ItemStarted:
    """A worker turned to an item; should it die, this names the suspect."""

    shard_id: int
    item_id: str


@dataclass(frozen=True, slots=True)
class ItemDone:
    shard_id: int
    item_id: str
    status: str
    num_frames: int
    message: str = ""
    """Why it is not whole, where it is not."""


@dataclass(frozen=True, slots=True)
class ItemsRetried:
    """The process that worked on these items was lost or failed; they are tried again."""

    shard_id: int
    item_ids: tuple[str, ...]
    message: str


@dataclass(frozen=True, slots=True)
class ShardDraining:
    """All items of a shard are under way: its worker can begin with another shard's beside them."""

    shard_id: int


@dataclass(frozen=True, slots=True)
class ShardEnded:
    shard_id: int
    outcome: str
    num_items: int
    message: str = ""


@dataclass(frozen=True, slots=True)
class WorkerLost:
    """A worker process died; its shards are tried again by others."""

    shard_ids: tuple[int, ...]
    message: str


@dataclass(frozen=True, slots=True)
class WorkerRetired:
    """A worker's environment failed too often; it gets no more work."""

    message: str


@dataclass(frozen=True, slots=True)
class StageEnded:
    stage: str
    seconds: float


Event = (
    StageStarted
    | ItemStarted
    | ItemDone
    | ItemsRetried
    | ShardDraining
    | ShardEnded
    | WorkerLost
    | WorkerRetired
    | StageEnded
)
