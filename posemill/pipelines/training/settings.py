"""The sections of a training configuration: what is optimised, how, and on which clips."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from posemill.errors import InputError
from posemill.models.losses import Positives
from posemill.settings import check_settings, setting


@dataclass(frozen=True)
class Section:
    """Settings that `--set section.key=value` changes."""

    kind: ClassVar[str] = "training section"
    name: ClassVar[str]
    prefix: ClassVar[str]

    def __post_init__(self) -> None:
        check_settings(self)


@dataclass(frozen=True)
class OptimizerSettings(Section):
    """The step that follows each gradient."""

    name: ClassVar[str] = "optimizer"
    prefix: ClassVar[str] = "optimizer."

    algorithm: Literal["adam", "adamw", "sgd"] = setting("adam", "its kind")
    learning_rate: float = setting(5e-3, "at its greatest", low=1e-9, high=100.0)
    momentum: float = setting(0.9, "of sgd", low=0.0, high=0.9999)
    nesterov: bool = setting(False, "Nesterov's form of sgd's momentum")
    weight_decay: float = setting(0.0, "L2 penalty; decoupled with adamw", low=0.0, high=1.0)
    clip_norm: float = setting(
        0.0, "greatest norm of all gradients together; 0: any", low=0.0, high=1e6
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.algorithm == "sgd" and self.nesterov and self.momentum == 0.0:
            raise InputError(
                "optimizer: nesterov=true is a form of sgd's momentum, which is 0; give one as "
                "--set optimizer.momentum=0.9, or --set optimizer.nesterov=false"
            )


@dataclass(frozen=True)
class ScheduleSettings(Section):
    """How the learning rate goes through a run; see `schedules`."""

    name: ClassVar[str] = "schedule"
    prefix: ClassVar[str] = "schedule."

    shape: Literal["one-cycle", "cosine", "steps", "plateau", "constant"] = setting(
        "one-cycle", "of the rate over the run"
    )
    warmup_steps: int = setting(0, "over which the rate rises linearly", low=0, high=1_000_000)
    milestones: str = setting("", "epochs after which shape=steps multiplies by gamma, as 9,11")
    gamma: float = setting(0.1, "factor of a drop, of steps and plateau", low=1e-6, high=1.0)
    patience: int = setting(
        10, "epochs without progress before shape=plateau drops", low=0, high=10_000
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        drops = self.drops()
        if self.shape == "steps" and not drops:
            raise InputError(
                "schedule: shape=steps needs epochs to drop after; give them as "
                "--set schedule.milestones=9,11"
            )
        if list(drops) != sorted(set(drops)) or any(epoch < 1 for epoch in drops):
            raise InputError(
                f"schedule: milestones must be rising epochs from 1 on, got {self.milestones!r}; "
                "for example --set schedule.milestones=9,11"
            )

    def drops(self) -> tuple[int, ...]:
        """Numbers of epochs after which the rate drops.

        Raises:
            InputError: text that is no list of whole numbers.
        """
        try:
            return tuple(int(word) for word in self.milestones.split(",") if word.strip())
        except ValueError as error:
            raise InputError(
                f"schedule: milestones must be whole numbers, got {self.milestones!r}; for "
                "example --set schedule.milestones=9,11"
            ) from error


@dataclass(frozen=True)
class LossSettings(Section):
    """What is made small."""

    name: ClassVar[str] = "loss"
    prefix: ClassVar[str] = "loss."

    of_classes: Literal["cross-entropy", "binary"] = setting(
        "cross-entropy", "one class a clip, or any number of them"
    )
    contrast: float = setting(
        0.0, "weight lambda of the joint-contrastive loss (JMRN); 0: without", low=0.0, high=100.0
    )
    temperature: float = setting(0.3, "tau of the contrastive loss", low=1e-3, high=100.0)
    positives: Positives = setting(
        "shared-label", "what the contrastive loss draws together, see `models.losses`"
    )
    contrast_from: int = setting(
        1, "the first epoch with the contrastive loss", low=1, high=1_000_000
    )

    @property
    def multi_label(self) -> bool:
        return self.of_classes == "binary"


@dataclass(frozen=True)
class ClipSettings(Section):
    """Which clips are trained on, how often, and which are held out."""

    name: ClassVar[str] = "clips"
    prefix: ClassVar[str] = "clips."

    hold_out: float = setting(
        0.0, "share of the training videos that chooses the best epoch", low=0.0, high=0.9
    )
    balance: Literal["none", "class"] = setting("none", "class: rare classes as often as others")
    repeat: int = setting(1, "how often an epoch sees each clip", low=1, high=10_000)
