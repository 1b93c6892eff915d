"""How to train: one configuration of sections, and which of it decides the weights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args

from posemill.errors import InputError
from posemill.models.base import Model
from posemill.models.create import create_model, get_model
from posemill.pipelines.data.augmentation import Augmentation
from posemill.pipelines.training.settings import (
    ClipSettings,
    LossSettings,
    OptimizerSettings,
    ScheduleSettings,
)
from posemill.settings import parse_settings

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Precision = Literal["fp32", "bf16", "fp16"]
Drawing = Literal["loader", "device"]
_Made = TypeVar("_Made", bound="DataclassInstance")
MAX_BATCH = 65_536
"""Clips of a step; an epoch of fewer clips sees them several times."""
MAX_THREADS = 1024
"""More than machines have processors; torch starts as many as it is told to, or hangs."""
_SECTIONS = ("model", "augmentation", "optimizer", "schedule", "loss", "clips")


@dataclass(frozen=True, slots=True)
class Machine:
    """Where it runs: no part of what decides the weights.

    Raises:
        InputError: a number outside its range.
    """

    device: str = "cpu"
    workers: int = 0
    """Processes that load data; 0 loads in this one, best for what fits into memory."""
    threads: int = 1
    """Of torch's operations on a CPU."""
    compile: bool = False
    """Whether torch.compile translates the network first, which takes a minute or so."""
    checkpoint_steps: int = 0
    """A checkpoint after so many steps within an epoch, too; 0: at the ends of epochs alone."""

    def __post_init__(self) -> None:
        _require(self.workers >= 0, "workers", self.workers, "0 or more")
        usable = 1 <= self.threads <= MAX_THREADS
        _require(usable, "threads", self.threads, f"from 1 to {MAX_THREADS:,}")
        _require(self.checkpoint_steps >= 0, "checkpoint_steps", self.checkpoint_steps, "0 or more")


@dataclass(frozen=True)
class TrainConfig:
    """How to train; all of it but `machine` decides the weights.

    The defaults suit a few hundred clips on a CPU, except for the model's own
    settings, which are the published ones; docs/training.md has what was
    measured, and `pipelines.presets` what the papers did.

    Raises:
        InputError: a value outside its range.
    """

    model: Model = field(default_factory=lambda: create_model("potion"))
    recipe: str = ""
    """Of a pose store, whose clips are rendered on the fly; several are joined by commas. The
    model's first one where empty."""
    recipe_settings: tuple[str, ...] = ()
    """`key=value` of the recipe, for training."""
    test_settings: tuple[str, ...] = ()
    """`key=value` that differ when a pose store is evaluated."""
    split: str = "default"
    subset: str = "train"
    epochs: int = 24
    batch_size: int = 32
    """Clips of a step, over all processes and accumulated parts."""
    accumulate: int = 1
    """Parts that a step's batch is computed in, for less memory."""
    precision: Precision = "fp32"
    draw: Drawing = "loader"
    """Who draws the maps of a pose store: the loader's processes, or the device, of coordinates."""
    seed: int = 0
    init: str = ""
    """A checkpoint whose weights to begin with, but for the classifier where it does not fit."""
    freeze: bool = False
    """Train the classifier alone: a linear probe."""
    augmentation: Augmentation = field(default_factory=Augmentation)
    optimizer: OptimizerSettings = field(default_factory=OptimizerSettings)
    schedule: ScheduleSettings = field(default_factory=ScheduleSettings)
    loss: LossSettings = field(default_factory=LossSettings)
    clips: ClipSettings = field(default_factory=ClipSettings)
    machine: Machine = field(default_factory=Machine)

    def __post_init__(self) -> None:
        _require(self.epochs >= 1, "epochs", self.epochs, "1 or more")
        usable = 1 <= self.batch_size <= MAX_BATCH
        _require(usable, "batch_size", self.batch_size, f"from 1 to {MAX_BATCH:,}")
        _require(self.accumulate >= 1, "accumulate", self.accumulate, "1 or more")
        _require(self.seed >= 0, "seed", self.seed, "0 or more")
        precisions = get_args(Precision)
        _require(self.draw in get_args(Drawing), "draw", self.draw, "loader or device")
        _require(self.precision in precisions, "precision", self.precision, " or ".join(precisions))
        if self.loss.contrast > 0 and self.accumulate > max(self.batch_size // 2, 1):
            raise InputError(
                f"the contrastive loss compares clips of one part, and {self.accumulate} parts of "
                f"{self.batch_size} clips have fewer than two; give a lower --accumulate"
            )
        if self.freeze and not self.init:
            raise InputError(
                "a linear probe trains the classifier on weights that are there already: give "
                "them with --init"
            )

    @property
    def recipes(self) -> tuple[str, ...]:
        """The recipes that `recipe` names; none where it is empty."""
        return tuple(name for part in self.recipe.split(",") if (name := part.strip()))

    def identity(self) -> dict[str, Any]:
        """All settings but where it runs, as JSON has them."""
        sections = {name: asdict(getattr(self, name)) for name in _SECTIONS}
        flat = {
            name: value
            for name, value in self.__dict__.items()
            if name not in (*_SECTIONS, "machine")
        }
        settings = {**flat, **sections, "model": self.model.configuration()}
        return {**settings, **{key: list(settings[key]) for key in _LISTS}}


_LISTS = ("recipe_settings", "test_settings")


def config_from_identity(identity: Mapping[str, Any]) -> TrainConfig:
    """The configuration whose `identity` this is.

    Raises:
        InputError: a setting or a model that there is not, or something else than an identity.
    """
    try:
        return _of_identity(identity)
    except (AttributeError, KeyError, TypeError) as error:
        raise InputError(
            f"the stored configuration of the training cannot be understood "
            f"({type(error).__name__}: {error}): it was changed, or another posemill wrote it; use "
            "that one, or train again into another folder"
        ) from error


def _of_identity(identity: Mapping[str, Any]) -> TrainConfig:
    sections = {
        name: _made(name, type(default), identity.get(name, {}))
        for name, default in _section_defaults().items()
    }
    stored = identity["model"]
    sections["model"] = _made("model", get_model(stored["name"]), stored["settings"])
    flat = {key: value for key, value in identity.items() if key not in _SECTIONS}
    return _made("the training", TrainConfig, {**flat, **sections})


def _made(what: str, kind: type[_Made], stored: Mapping[str, Any]) -> _Made:
    """An object of these settings, as JSON has them."""
    known = {each.name for each in fields(kind)}
    if unknown := sorted(stored.keys() - known):
        raise InputError(
            f"{what} has no setting {', '.join(unknown)}, which is stored; use the posemill that "
            "wrote it"
        )
    settings: dict[str, Any] = {key: _as_tuple(value) for key, value in stored.items()}
    return kind(**settings)


def with_settings(config: TrainConfig, assignments: Iterable[tuple[str, str]]) -> TrainConfig:
    """`config` with settings `section.key` in place of its own.

    Raises:
        InputError: no such section or setting, or a value that cannot be.
    """
    by_section: dict[str, dict[str, str]] = {}
    for key, value in assignments:
        section, dot, name = key.partition(".")
        if not dot or section not in _SECTIONS:
            raise InputError(
                f"--set takes SECTION.KEY=VALUE with one of the sections {', '.join(_SECTIONS)}; "
                f"got {key}={value}"
            )
        by_section.setdefault(section, {})[name] = value
    changed = {
        section: replace(
            getattr(config, section), **parse_settings(type(getattr(config, section)), settings)
        )
        for section, settings in by_section.items()
    }
    return replace(config, **changed)


def _section_defaults() -> dict[str, Any]:
    defaults = TrainConfig()
    return {name: getattr(defaults, name) for name in _SECTIONS if name != "model"}


def _as_tuple(value: Any) -> Any:
    """JSON has lists for tuples."""
    return tuple(value) if isinstance(value, list) else value


def _require(holds: bool, name: str, value: object, expected: str) -> None:
    if not holds:
        raise InputError(f"{name} must be {expected}, got {value}")
