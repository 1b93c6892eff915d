"""Shared memory that workers write batches into again and again.

A batch in shared memory of its own, as torch makes it, costs a page fault for
every 4 KiB: several times what rendering it does. Here the pages are there
from the start; the process that trains copies a batch out, into memory of its
own, and the slot is free for another one.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import Sampler

from posemill.errors import EnvironmentFault
from posemill.pipelines.data.batches import Batch

ALIGNMENT = 64
"""Bytes; where each array of a batch begins is a multiple."""
_SHARED_MEMORY = "/dev/shm"  # noqa: S108 - where Linux has it, no file of ours
_MAX_ARRAYS = 16
_Keys = TypeVar("_Keys")


class Task(NamedTuple, Generic[_Keys]):
    """The keys of a batch, and the slot that it is to be written to."""

    slot: int
    keys: _Keys


@dataclass(frozen=True)
class Placed:
    """Where in a slot an array lies."""

    offset: int
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True)
class Parcel:
    """A batch whose arrays lie in a slot: a few hundred bytes for a worker to send."""

    slot: int
    arrays: dict[str, Placed]
    labels: npt.NDArray[Any]
    number: npt.NDArray[Any]
    empty: npt.NDArray[Any]


class SlotWriter:
    """Gives the arrays of a batch their place in a slot, one behind the other."""

    def __init__(self, memory: npt.NDArray[np.uint8]) -> None:
        """`memory` is all of the slot."""
        self._memory = memory
        self._end = 0
        self.placed: list[Placed] = []
        """The arrays so far."""

    def __call__(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        """Room for an array, with whatever is there."""
        kind = np.dtype(dtype)
        self.placed.append(Placed(self._end, shape, kind.str))
        stop = self._end + prod(shape) * kind.itemsize
        if stop > len(self._memory):
            raise ValueError(f"a batch of {stop} bytes and more in a slot of {len(self._memory)}")
        room = self._memory[self._end : stop].view(kind).reshape(shape)
        self._end = -(-stop // ALIGNMENT) * ALIGNMENT
        return room


class Slots:
    """Equal pieces of shared memory; goes to forked and to spawned processes alike."""

    def __init__(self, count: int, num_bytes: int) -> None:
        """Take `count` slots for batches of `num_bytes` in up to 16 arrays.

        Raises:
            EnvironmentFault: the machine has not so much shared memory.
        """
        self.count = count
        rounded = (num_bytes // ALIGNMENT + _MAX_ARRAYS) * ALIGNMENT
        _require_room(count * rounded)
        self._memory = torch.empty((count, rounded), dtype=torch.uint8)
        self._memory.share_memory_()  # type: ignore[no-untyped-call]

    def writer(self, slot: int) -> SlotWriter:
        """To write to a slot."""
        return SlotWriter(self._memory[slot].numpy())

    def take(self, parcel: Parcel, *, pin_memory: bool) -> Batch:
        """A copy of what lies in a slot, in memory of this process."""
        memory = self._memory[parcel.slot].numpy()
        others = map(torch.from_numpy, (parcel.labels, parcel.number, parcel.empty))
        return Batch(
            {name: _copied(memory, each, pin=pin_memory) for name, each in parcel.arrays.items()},
            *(part.pin_memory() if pin_memory else part for part in others),
        )


class SlotSampler(Sampler[Any]):
    """The batches of another sampler, each with a slot that nobody uses.

    A loader of W workers has asked for P W batches more than it gave, so with
    P W + 1 slots there is always a free one, if each is released before the
    next batch is taken.
    """

    def __init__(self, batches: Sampler[Any], count: int) -> None:
        self._batches = batches
        self._count = count
        self._free: deque[int] = deque()

    def __len__(self) -> int:
        return len(self._batches)  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[Task[Any]]:
        # Workers are done with all of an earlier pass before they begin another one.
        self._free = deque(range(self._count))
        for keys in self._batches:
            yield Task(self._free.popleft(), keys)

    def release(self, slot: int) -> None:
        """What lies in the slot was copied."""
        self._free.append(slot)


def _copied(memory: npt.NDArray[np.uint8], placed: Placed, *, pin: bool) -> Tensor:
    kind = np.dtype(placed.dtype)
    stop = placed.offset + prod(placed.shape) * kind.itemsize
    held = memory[placed.offset : stop].view(kind).reshape(placed.shape)
    if pin:
        return torch.from_numpy(held).pin_memory()
    return torch.from_numpy(held.copy())  # numpy asks for large pages, torch does not


def _require_room(num_bytes: int) -> None:
    if not os.path.isdir(_SHARED_MEMORY):  # noqa: PTH112
        return
    free = os.statvfs(_SHARED_MEMORY)
    room = free.f_bavail * free.f_frsize
    if num_bytes > room:
        raise EnvironmentFault(
            f"workers need {num_bytes / 2**20:,.0f} MiB of shared memory for batches, and "
            f"{_SHARED_MEMORY} has {room / 2**20:,.0f} MiB left; give fewer workers or smaller "
            "batches, or more of it (docker run --shm-size)"
        )
