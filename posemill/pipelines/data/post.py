"""How batches come from workers to the process that trains."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from torch.utils.data import Sampler

from posemill.pipelines.data.batches import Allocate, Batch
from posemill.pipelines.data.slots import Parcel, Slots, SlotSampler, Task


class Batches(Protocol):
    """What makes batches of the keys of a sampler: a `ClipDataset`."""

    def __getitems__(self, keys: Sequence[Any], allocate: Allocate = ...) -> Any: ...


class TorchPost:
    """As torch sends tensors: each in shared memory of its own. For batches of any size."""

    def tasks(self, sampler: Sampler[Any]) -> Sampler[Any]:
        """What workers are asked for, in the order of the sampler."""
        return sampler

    def make(self, dataset: Batches, task: Sequence[Any]) -> Any:
        """A task's batch, in a worker."""
        return dataset.__getitems__(task)

    def take(self, batch: Any, *, pin_memory: bool) -> Any:
        """The batch, in the process that trains."""
        return batch.pin_memory() if pin_memory else batch


class SlotPost:
    """Through slots of shared memory that are used again. For large batches of a known size."""

    def __init__(self, count: int, num_bytes: int) -> None:
        """Take memory for `count` batches of `num_bytes` at most.

        Raises:
            EnvironmentFault: the machine has not so much shared memory.
        """
        self._slots = Slots(count, num_bytes)
        self._free: SlotSampler | None = None

    def tasks(self, sampler: Sampler[Any]) -> Sampler[Any]:
        """What workers are asked for, in the order of the sampler."""
        self._free = SlotSampler(sampler, self._slots.count)
        return self._free

    def make(self, dataset: Batches, task: Task[Any]) -> Parcel:
        """A task's batch, written to its slot, in a worker."""
        writer = self._slots.writer(task.slot)
        batch: Batch = dataset.__getitems__(task.keys, writer)
        arrays = dict(zip(batch.arrays, writer.placed, strict=True))
        return Parcel(task.slot, arrays, *(part.numpy() for part in batch[1:]))

    def take(self, parcel: Parcel, *, pin_memory: bool) -> Batch:
        """The batch, copied out of its slot, in the process that trains."""
        batch = self._slots.take(parcel, pin_memory=pin_memory)
        if self._free is not None:
            self._free.release(parcel.slot)
        return batch
