"""What an epoch adds up to: loss, right answers, clips, and the time spent waiting for data."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from time import monotonic
from typing import TypeVar

import torch
from torch import Tensor

from posemill.errors import InputError

T = TypeVar("T")


@dataclass
class EpochTotals:
    """Sums over the clips of an epoch so far, of one process; they go into checkpoints."""

    loss: float = 0.0
    """Of each view, nats."""
    num_right: float = 0.0
    num_views: float = 0.0
    seconds: float = 0.0
    waiting_seconds: float = 0.0
    """Of `seconds`, those in which no data was there to train on."""

    @property
    def mean_loss(self) -> float:
        return self.loss / max(self.num_views, 1.0)

    @property
    def accuracy(self) -> float:
        """Share of the views whose highest logit is a class of theirs."""
        return self.num_right / max(self.num_views, 1.0)

    @property
    def views_per_second(self) -> float:
        return self.num_views / max(self.seconds, 1e-9)

    @property
    def waiting_share(self) -> float:
        return self.waiting_seconds / max(self.seconds, 1e-9)


@dataclass
class EpochMeter:
    """Adds on the device, and looks at the sums now and then: a look waits for the device."""

    device: torch.device
    totals: EpochTotals = field(default_factory=EpochTotals)

    def __post_init__(self) -> None:
        # From the totals on, so that they are rounded as in a run that was never interrupted.
        begun = [self.totals.loss, self.totals.num_right]
        self._sums = torch.tensor(begun, dtype=torch.float64, device=self.device)
        self._looked = monotonic()

    @property
    def unseen_seconds(self) -> float:
        """Since the last look."""
        return monotonic() - self._looked

    def add(self, loss: Tensor, num_right: Tensor, num_views: int) -> None:
        """Note a part of a batch: its mean loss, and how many of its views were recognised."""
        self._sums += torch.stack([loss.double() * num_views, num_right.double()])
        self.totals.num_views += num_views

    def settle(self, epoch: int, learning_rate: float) -> EpochTotals:
        """The totals with all that was added.

        Raises:
            InputError: the loss is no longer finite.
        """
        self._looked = monotonic()
        loss, num_right = self._sums.tolist()
        self.totals.loss, self.totals.num_right = loss, num_right
        if not math.isfinite(loss):
            raise InputError(
                f"the loss is not finite ({loss}) in epoch {epoch}: training diverged at a rate "
                f"of {learning_rate:g}; give a lower one with --set optimizer.learning_rate, or "
                "--set optimizer.clip_norm=40, and another folder"
            )
        return self.totals


def timed(items: Iterable[T], meter: EpochMeter) -> Iterator[T]:
    """`items`, noting how long each was waited for, and how long it took in all."""
    iterator = iter(items)
    while True:
        asked = monotonic()
        try:
            item = next(iterator)
        except StopIteration:
            return
        meter.totals.waiting_seconds += monotonic() - asked
        yield item
        meter.totals.seconds += monotonic() - asked
