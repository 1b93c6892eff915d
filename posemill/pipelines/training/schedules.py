"""The learning rate of each step of a run."""

from __future__ import annotations

import math
from dataclasses import dataclass

from posemill.pipelines.training.settings import ScheduleSettings

# One-cycle schedule (Smith, Topin, 2017), as cosines: from peak / 25 in the first
# three tenths of all steps up to the peak, then down to peak / 1000.
_RISE = 0.3
_START_DIVISOR = 25.0
_END_DIVISOR = 1000.0


@dataclass
class Plateau:
    """How often a score has stopped to rise: `patience` epochs in a row without a better one.

    The state of shape=plateau (JMRN, section 4.1); it goes into checkpoints.
    """

    best: float = -math.inf
    num_bad_epochs: int = 0
    num_drops: int = 0

    def observe(self, score: float, patience: int) -> None:
        """Take the score of an epoch; greater is better."""
        if score > self.best:
            self.best, self.num_bad_epochs = score, 0
            return
        self.num_bad_epochs += 1
        if self.num_bad_epochs > patience:
            self.num_bad_epochs, self.num_drops = 0, self.num_drops + 1


def rate_factor(
    settings: ScheduleSettings, step: int, num_steps: int, steps_per_epoch: int, num_drops: int
) -> float:
    """What the greatest rate is multiplied by at a step in [0, num_steps).

    * one-cycle, cosine: by the share of all steps;
    * steps: `gamma` for each milestone epoch that has ended;
    * plateau: `gamma` for each of `num_drops`;
    * constant: 1.

    A warm-up multiplies that by (step + 1) / warmup_steps until it reaches 1.
    """
    warm = min(1.0, (step + 1) / settings.warmup_steps) if settings.warmup_steps else 1.0
    progress = step / max(num_steps - 1, 1)
    if settings.shape == "one-cycle":
        return warm * one_cycle(progress)
    if settings.shape == "cosine":
        return warm * _cosine(1.0, 0.0, step / num_steps)
    if settings.shape == "steps":
        epochs_ended = step // steps_per_epoch
        return warm * settings.gamma ** sum(epochs_ended >= drop for drop in settings.drops())
    if settings.shape == "plateau":
        return warm * settings.gamma**num_drops
    return warm


def one_cycle(progress: float) -> float:
    """Share of the peak rate at `progress` in [0, 1]: up along a cosine, then down along one."""
    if progress < _RISE:
        return _cosine(1.0 / _START_DIVISOR, 1.0, progress / _RISE)
    return _cosine(1.0, 1.0 / _END_DIVISOR, (progress - _RISE) / (1.0 - _RISE))


def _cosine(start: float, end: float, progress: float) -> float:
    return end + (start - end) * (1.0 + math.cos(math.pi * progress)) / 2.0
