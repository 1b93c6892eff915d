"""One training and its test, by the pipeline that users have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from study.outcomes import recognised

from appearance_study.feature_stores import SPLIT, write_store
from appearance_study.plan import BATCH_SIZE, FEATURES, FLIP, LEARNING_RATE, Contender, Sizes
from appearance_study.scenes import SceneClip, scene_clips
from posemill.models.create import create_model
from posemill.pipelines.data.augmentation import Augmentation
from posemill.pipelines.evaluate import EvaluateConfig, evaluate
from posemill.pipelines.train import train
from posemill.pipelines.training.config import TrainConfig
from posemill.pipelines.training.settings import OptimizerSettings

TRAIN, TESTED = "train", "test"
_MIRRORED = Augmentation(flip=FLIP)
_UNCROPPED = Augmentation(flip=FLIP, area=(1.0, 1.0), aspect=(1.0, 1.0))


@dataclass(frozen=True, slots=True)
class Trial:
    """A contender that learns from one seed's clips, its weights drawn by that seed."""

    contender: Contender
    seed: int

    @property
    def name(self) -> str:
        return f"{self.contender.name}-{self.seed}"


@dataclass(frozen=True, slots=True)
class TrialResult:
    """Which clips of the test were recognised."""

    trial: Trial
    right: Mapping[str, bool]
    """By the ids of clips."""
    train_seconds: float
    test_seconds: float
    training_accuracy: float
    """Of the last epoch, while training."""


@dataclass(frozen=True, slots=True)
class StoredFeatures:
    """Where one seed's clips are, as one kind of features."""

    train: Path
    test: Path


def write_features(root: Path, name: str, seed: int, sizes: Sizes) -> StoredFeatures:
    """The features of the plan by that name, of all clips of a seed."""

    def written(subset: str, clips: list[SceneClip], settings: Mapping[str, str]) -> Path:
        all_settings = {**FEATURES[name].settings, **settings}
        out = root / f"{name}-{subset}-{seed}.zarr"
        return write_store(out, clips, seed, FEATURES[name].recipe, all_settings)

    learnt = scene_clips("train", sizes.train_per_class)
    fresh = scene_clips("test", sizes.test_per_class)
    return StoredFeatures(
        written(TRAIN, learnt, FEATURES[name].cached),
        written(TESTED, fresh, FEATURES[name].tested),
    )


def run_trial(trial: Trial, features: StoredFeatures, runs: Path, epochs: int) -> TrialResult:
    """Train, or go on training, and test; the run is `runs / trial.name`."""
    run = runs / trial.name
    trained = train(features.train, run, train_config(trial, epochs))
    started = monotonic()
    shown = EvaluateConfig(subset=TESTED, split=SPLIT)
    right = recognised(evaluate(run, features.test, shown).predictions)
    seconds = monotonic() - started
    return TrialResult(trial, right, trained.seconds, seconds, trained.accuracy)


def train_config(trial: Trial, epochs: int) -> TrainConfig:
    """How a trial is trained: all alike but for the model."""
    contender = trial.contender
    return TrainConfig(
        model=create_model(contender.model, contender.settings),
        split=SPLIT,
        subset=TRAIN,
        epochs=epochs,
        batch_size=BATCH_SIZE,
        seed=trial.seed,
        augmentation=_UNCROPPED if FEATURES[contender.features].crops else _MIRRORED,
        optimizer=OptimizerSettings(algorithm="adam", learning_rate=LEARNING_RATE),
    )
