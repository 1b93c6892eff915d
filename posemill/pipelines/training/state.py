"""All that a run has learnt so far: what a checkpoint holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch

from posemill.errors import StoreCorrupted
from posemill.models.base import PoseNetwork
from posemill.models.checkpoints import (
    MODEL,
    WEIGHTS,
    dump_checkpoint,
    load_weights,
    read_checkpoint,
)
from posemill.pipelines.training.clips import TrainingClips
from posemill.pipelines.training.config import TrainConfig
from posemill.pipelines.training.initial import InitialWeights
from posemill.pipelines.training.meter import EpochTotals
from posemill.pipelines.training.optimizers import load_optimizer, make_optimizer
from posemill.pipelines.training.precision import gradient_scaler
from posemill.pipelines.training.schedules import Plateau

_STATE = frozenset(
    {
        *("optimizer", "scaler", "plateau", "totals"),
        *("epochs_done", "steps_of_epoch", "best_epoch", "best_score"),
    }
)
"""What a run goes on from beside its weights."""


@dataclass
class RunState:
    """The state after some steps of an epoch, or after a whole one."""

    config: TrainConfig
    network: PoseNetwork
    optimizer: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    plateau: Plateau = field(default_factory=Plateau)
    totals: EpochTotals = field(default_factory=EpochTotals)
    """Of the epoch's steps that a checkpoint was restored after."""
    epochs_done: int = 0
    steps_of_epoch: int = 0
    """Done of the epoch that is not finished."""
    best_epoch: int = 0
    """That did best on the held-out clips; 0 before the first."""
    best_score: float = float("-inf")

    def end_epoch(self, score: float | None, loss: float) -> bool:
        """Count an epoch, with its score on held-out clips; True where that is the best so far.

        A plateau is looked for in it, or in the training loss where nothing is held out.
        """
        self.epochs_done, self.steps_of_epoch = self.epochs_done + 1, 0
        self.totals = EpochTotals()
        self.plateau.observe(-loss if score is None else score, self.config.schedule.patience)
        if score is None or score <= self.best_score:
            return False
        self.best_epoch, self.best_score = self.epochs_done, score
        return True

    def dump(self, totals: EpochTotals) -> bytes:
        """A checkpoint.

        Args:
            totals: of the epoch's steps so far, of all processes.
        """
        return dump_checkpoint(
            {
                MODEL: self.config.model.configuration(),
                WEIGHTS: self.network.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "scaler": self.scaler.state_dict(),
                "plateau": asdict(self.plateau),
                "totals": asdict(totals),
                "epochs_done": self.epochs_done,
                "steps_of_epoch": self.steps_of_epoch,
                "best_epoch": self.best_epoch,
                "best_score": self.best_score,
            }
        )

    def restore(
        self, content: bytes, origin: str, steps_per_epoch: int, *, is_first: bool = True
    ) -> None:
        """Take the state of a checkpoint; its totals, of all processes, in the first one alone.

        Raises:
            StoreCorrupted: the bytes are no checkpoint, or none to go on from.
            InputError: it is of another network.
        """
        state = read_checkpoint(content, origin)
        if lacking := sorted(_STATE - state.keys()):
            raise StoreCorrupted(
                f"{origin}: a checkpoint without {', '.join(lacking)}, which a run goes on from; "
                "train again into another folder"
            )
        load_weights(self.network, state, origin)
        try:
            self._take(state, steps_per_epoch)
        except (AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
            raise StoreCorrupted(
                f"{origin}: a checkpoint that no run goes on from ({error}); train again into "
                "another folder"
            ) from error
        if not is_first:
            self.totals = EpochTotals()

    def _take(self, state: Mapping[str, Any], steps_per_epoch: int) -> None:
        """All but the weights; raises what torch raises, or a ValueError, of odd contents."""
        load_optimizer(self.optimizer, state["optimizer"])
        self.scaler.load_state_dict(state["scaler"])
        self.plateau = Plateau(**_numbers("plateau", state["plateau"]))
        self.totals = EpochTotals(**_numbers("totals", state["totals"]))
        epochs = self.epochs_done = _count(state, "epochs_done", self.config.epochs)
        self.steps_of_epoch = _count(state, "steps_of_epoch", steps_per_epoch - 1)
        self.best_epoch = _count(state, "best_epoch", epochs)
        self.best_score = _number("best_score", state["best_score"])


def _numbers(name: str, stored: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _number(f"{name}.{key}", value) for key, value in stored.items()}


def _number(name: str, value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{name} is {value!r}, expected a number")
    return value


def _count(state: Mapping[str, Any], name: str, greatest: int) -> int:
    value = state[name]
    if type(value) is not int or not 0 <= value <= greatest:
        raise ValueError(f"{name} is {value!r}, expected 0 to {greatest}")
    return value


def begin_run(
    config: TrainConfig,
    clips: TrainingClips,
    initial: InitialWeights | None,
    device: torch.device,
) -> RunState:
    """The state before the first step; equal seeds give equal weights.

    Raises:
        InputError: the weights to begin with are of another network, or none.
    """
    torch.manual_seed(torch_seed(config.seed, -1, 0))
    network = config.model.network(clips.views.shapes, len(clips.source.classes)).to(device)
    if initial is not None:
        tensors, _ = initial.fitting(network)
        network.load_state_dict(tensors, strict=False)
    if config.freeze:
        freeze(network)
    return RunState(
        config,
        network,
        make_optimizer(config.optimizer, network.parameters()),
        gradient_scaler(config.precision, device),
    )


def freeze(network: PoseNetwork) -> None:
    """Leave the classifier alone to be trained."""
    network.requires_grad_(False)
    network.classifier.requires_grad_(True)


def set_training(network: PoseNetwork, *, frozen: bool) -> None:
    """Training mode; of a frozen network the classifier alone.

    Its features are then those of a test: without dropout, with the statistics it came with.
    """
    network.train(not frozen)
    network.classifier.train()


def torch_seed(seed: int, step: int, rank: int) -> int:
    """Of torch's generator at a step; -1 is the one that weights are drawn with.

    Seeded anew for each step, so that a run may stop and go on after any.
    """
    words = np.random.SeedSequence([seed, step + 1, rank]).generate_state(2)
    return int(words[0]) << 32 | int(words[1])
