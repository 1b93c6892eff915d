"""One training, and all its tests, by the pipeline that users have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from study.outcomes import recognised

from models_study.plan import (
    AGAINST_CUE,
    BATCH_SIZE,
    BETA_PX,
    DROPS,
    GAMMA_PX,
    LEARNING_RATE,
    TEMPERATURE,
    TEST,
    WITH_CUE,
    Contender,
    Settings,
    Training,
    dropped,
    list_tests,
)
from models_study.stored_clips import (
    CUE,
    MISLED_TRAIN,
    NO_CUE,
    PROBE_SPLIT,
    PROBED,
    SPLIT,
    TESTED,
    TRAIN,
    ClipFolder,
)
from posemill.models.create import create_model
from posemill.pipelines.data.augmentation import Augmentation
from posemill.pipelines.evaluate import EvaluateConfig, evaluate
from posemill.pipelines.train import train
from posemill.pipelines.training.config import TrainConfig
from posemill.pipelines.training.settings import LossSettings, OptimizerSettings


@dataclass(frozen=True, slots=True)
class Trial:
    """A contender that learns from one seed's clips, its weights drawn by that seed."""

    contender: Contender
    training: Training
    seed: int

    @property
    def name(self) -> str:
        words = "".join(letter if letter.isalnum() else " " for letter in self.contender.name)
        return "-".join([*words.lower().split(), self.training, str(self.seed)])


@dataclass(frozen=True, slots=True)
class TrialResult:
    """Which clips of each test were recognised."""

    trial: Trial
    right: Mapping[str, Mapping[str, bool]]
    """By the names of tests and the ids of clips."""
    train_seconds: float
    test_seconds: float
    training_accuracy: float
    """Of the last epoch, while training."""


def run_trial(trial: Trial, clips: ClipFolder, runs: Path, epochs: int) -> TrialResult:
    """Train, or go on training, and test; the run is `runs / trial.name`."""
    run, config = runs / trial.name, train_config(trial, epochs)
    trained = train(clips.store, run, config, catalog=clips.catalog)
    started = monotonic()
    right = {
        name: _recognised(run, clips, name) for name in list_tests(trial.contender, trial.training)
    }
    seconds = monotonic() - started
    return TrialResult(trial, right, trained.seconds, seconds, trained.accuracy)


def train_config(trial: Trial, epochs: int) -> TrainConfig:
    """How a trial is trained: all alike but for what the contender is."""
    contender = trial.contender
    return TrainConfig(
        model=create_model(contender.model, contender.model_settings),
        recipe=contender.recipe,
        recipe_settings=_assignments(contender.recipe_settings),
        test_settings=_assignments(contender.test_settings),
        split=SPLIT,
        subset=MISLED_TRAIN if trial.training == "misled" else TRAIN,
        epochs=epochs,
        batch_size=BATCH_SIZE,
        seed=trial.seed,
        augmentation=Augmentation(
            flip=0.0,
            beta_px=BETA_PX if contender.jitter else 0,
            gamma_px=GAMMA_PX if contender.jitter else 0,
        ),
        optimizer=OptimizerSettings(algorithm="adam", learning_rate=LEARNING_RATE),
        loss=LossSettings(contrast=contender.contrast, temperature=TEMPERATURE),
    )


def _recognised(run: Path, clips: ClipFolder, test: str) -> dict[str, bool]:
    config = _EVALUATIONS[test]
    shown = EvaluateConfig(
        subset=config.subset,
        split=config.split,
        drop_joint=config.drop_joint,
        catalog=clips.catalog,
    )
    out = run / f"{config.subset}-{config.drop_joint:g}"
    return recognised(evaluate(run, clips.store, shown, out).predictions)


_EVALUATIONS: Mapping[str, EvaluateConfig] = {
    TEST: EvaluateConfig(subset=TESTED, split=SPLIT),
    WITH_CUE: EvaluateConfig(subset=CUE, split=SPLIT),
    AGAINST_CUE: EvaluateConfig(subset=NO_CUE, split=SPLIT),
    **{
        dropped(each): EvaluateConfig(subset=PROBED, split=PROBE_SPLIT, drop_joint=each)
        for each in DROPS
    },
}


def _assignments(settings: Settings) -> tuple[str, ...]:
    return tuple(f"{key}={value}" for key, value in settings.items())
