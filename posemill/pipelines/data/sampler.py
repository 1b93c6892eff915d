"""Which clips come in which order: batches of keys, shared by ranks, resumed in mid-epoch."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
from torch.utils.data import Sampler

from posemill.errors import InputError
from posemill.pipelines.data.dataset import ViewKey
from posemill.schema import Int64

Balance = Literal["none", "class"]


class ClipSampler(Sampler[list[ViewKey]]):
    """Batches of a rank, in an order drawn from (seed, epoch).

    An epoch is ceil(N repeat / global batch) steps, every clip `repeat` times:
    as view 0, 1, ... of it. The last step is filled up with further views of
    clips of the epoch, so that all steps and all ranks' shares are equally
    large. Which keys a step has depends on the global batch, `batch_size *
    world_size`, not on how many ranks share it; no two ranks have the same.

    Where it is: `epoch` and `step`, the steps of it that are done. Iterating
    gives the batches that are left of the epoch and changes neither, whatever
    a loader's workers fetch ahead; `go_to` does.

    Args:
        labels: the class of each clip.
        batch_size: clips a step on each rank.
        seed: of the order.
        rank: of this process among `world_size`.
        world_size: processes that train together.
        balance: "class" draws equally many from each class, whatever it has:
            of N repeat draws in all, none a second time before all of the class
            had their turn.
        repeat: how often an epoch sees a clip.

    Raises:
        InputError: no clips, or a number out of range.
    """

    def __init__(
        self,
        labels: Sequence[int],
        batch_size: int,
        seed: int,
        *,
        rank: int = 0,
        world_size: int = 1,
        balance: Balance = "none",
        repeat: int = 1,
    ) -> None:
        _require(len(labels) > 0, "labels", len(labels), "those of one clip or more")
        _require(batch_size >= 1, "batch_size", batch_size, "1 or more")
        _require(repeat >= 1, "repeat", repeat, "1 or more")
        _require(0 <= rank < world_size, "rank", rank, f"from 0 to below {world_size}")
        self._labels = np.asarray(labels, np.int64)
        self.batch_size = batch_size
        self._seed = seed
        self._rank, self._world_size = rank, world_size
        self._balance = balance
        self._num_draws = len(labels) * repeat
        self.epoch = 0
        self.step = 0
        """Done in the epoch."""

    def __len__(self) -> int:
        """Steps of an epoch."""
        return math.ceil(self._num_draws / self._global_batch)

    def __iter__(self) -> Iterator[list[ViewKey]]:
        """The batches that are left of the epoch."""
        order = self._order()
        own = np.stack([order, _views(order)]).reshape(2, len(self), -1, self._world_size)
        clips, views = own[:, self.step :, :, self._rank].tolist()
        return (
            [ViewKey(epoch, *key) for key in zip(*batch, strict=True)]
            for epoch in [self.epoch]
            for batch in zip(clips, views, strict=True)
        )

    def go_to(self, epoch: int, step: int) -> None:
        """Go on after `step` steps of an epoch; with the same clips, settings and global batch
        these are the batches that an uninterrupted sampler has left.

        Raises:
            InputError: no such place.
        """
        _require(epoch >= 0, "epoch", epoch, "0 or more")
        _require(0 <= step < len(self), "step", step, f"from 0 to below {len(self)}")
        self.epoch, self.step = epoch, step

    @property
    def _global_batch(self) -> int:
        return self.batch_size * self._world_size

    def _order(self) -> Int64:
        """The clips of the whole epoch, of all ranks, in whole global batches."""
        rng = np.random.default_rng([self._seed, self.epoch])
        drawn = self._balanced(rng) if self._balance == "class" else self._all()
        return np.resize(rng.permutation(drawn), len(self) * self._global_batch)

    def _all(self) -> Int64:
        return np.arange(self._num_draws) % len(self._labels)

    def _balanced(self, rng: np.random.Generator) -> Int64:
        """As many draws of every class, but for one where they cannot be divided evenly."""
        classes = rng.permutation(np.unique(self._labels))
        shares = np.diff(np.linspace(0, self._num_draws, len(classes) + 1).astype(np.int64))
        drawn = [
            _rounds(np.flatnonzero(self._labels == label), int(share), rng)
            for label, share in zip(classes, shares, strict=True)
        ]
        return np.concatenate(drawn)


class TestSampler(Sampler[list[int]]):
    """Every clip once, in order: the batches of a rank, of which one or none is smaller.

    Clip n is of rank n modulo `world_size`.

    Raises:
        InputError: a number out of range.
    """

    def __init__(
        self, num_clips: int, batch_size: int, *, rank: int = 0, world_size: int = 1
    ) -> None:
        _require(batch_size >= 1, "batch_size", batch_size, "1 or more")
        _require(0 <= rank < world_size, "rank", rank, f"from 0 to below {world_size}")
        self.batch_size = batch_size
        numbers = range(rank, num_clips, world_size)
        starts = range(0, len(numbers), batch_size)
        self._batches = [list(numbers[start : start + batch_size]) for start in starts]

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[list[int]]:
        return iter(self._batches)


def _rounds(members: Int64, count: int, rng: np.random.Generator) -> Int64:
    """`count` of the members: all of them in turn, in a new order each time."""
    rounds = math.ceil(count / len(members))
    drawn = [rng.permutation(members) for _ in range(rounds)]
    return np.concatenate([*drawn, members[:0]])[:count]


def _views(order: Int64) -> Int64:
    """For each place of the order, how often its clip came before."""
    by_clip = np.argsort(order, kind="stable")
    clips = order[by_clip]
    view = np.empty_like(order)
    view[by_clip] = np.arange(len(order)) - np.searchsorted(clips, clips)
    return view


def _require(holds: bool, name: str, value: object, expected: str) -> None:
    if not holds:
        raise InputError(f"{name} must be {expected}, got {value}")
