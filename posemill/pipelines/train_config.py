"""How to train: settings, checked, and which of them decide the weights."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from posemill.errors import InputError
from posemill.models.create import get_model
from posemill.pipelines.data import Augmentation


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """How to train; `device`, `workers` and `threads` say where, the rest decides the weights.

    The defaults suit a few hundred clips on a CPU; docs/training.md has what was
    measured. The published PoTion has width 128, dropout 0.25 and a rate of 1e-4.

    Raises:
        InputError: a value outside its range.
    """

    model: str = "potion"
    split: str = "default"
    subset: str = "train"
    epochs: int = 24
    batch_size: int = 32
    learning_rate: float = 5e-3
    """At its peak."""
    width: int = 32
    """Channels of the first block."""
    dropout: float = 0.0
    flip: float = 0.5
    """Probability of the mirror image."""
    beta_px: int = 2
    """Pose-aware jitter of the whole, see `data.Augmentation`."""
    gamma_px: int = 1
    """Pose-aware jitter of the groups, see `data.Augmentation`."""
    crop_hw: tuple[int, int] | None = None
    """Size of a view, px; None takes all of the canvas."""
    seed: int = 0
    device: str = "cpu"
    workers: int = 0
    """Processes that load data; 0 loads in this one, best for what fits into memory."""
    threads: int = 1
    """Of torch's operations on a CPU."""

    def __post_init__(self) -> None:
        get_model(self.model)
        _require(self.epochs >= 1, "epochs", self.epochs, "1 or more")
        _require(self.batch_size >= 1, "batch_size", self.batch_size, "1 or more")
        finite = math.isfinite(self.learning_rate) and self.learning_rate > 0
        _require(finite, "learning_rate", self.learning_rate, "a positive number")
        _require(self.width >= 1, "width", self.width, "1 or more")
        _require(0.0 <= self.dropout < 1.0, "dropout", self.dropout, "from 0 to below 1")
        _require(self.seed >= 0, "seed", self.seed, "0 or more")
        _require(self.workers >= 0, "workers", self.workers, "0 or more")
        _require(self.threads >= 1, "threads", self.threads, "1 or more")
        self.augmentation  # noqa: B018 (checks flip, beta_px and gamma_px)

    @property
    def augmentation(self) -> Augmentation:
        return Augmentation(self.flip, self.beta_px, self.gamma_px)

    def identity(self) -> dict[str, Any]:
        """All settings but where it runs."""
        settings = asdict(self)
        for where in ("device", "workers", "threads"):
            del settings[where]
        return settings


def _require(holds: bool, name: str, value: object, expected: str) -> None:
    if not holds:
        raise InputError(f"{name} must be {expected}, got {value}")
