"""Features to a trained model: one flat loop, seeded by epoch, resumed at an epoch's end.

    posemill train features.zarr --model potion -o runs/x

On CPU, equal features, configuration and thread count give equal weights,
however often the run was interrupted.
"""

from __future__ import annotations

import math
import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader

from posemill.errors import InputError
from posemill.models.base import LOGITS, Model, PoseNetwork
from posemill.models.checkpoints import dump_checkpoint, load_checkpoint
from posemill.models.create import create_model
from posemill.models.devices import resolve_device, torch_settings
from posemill.pipelines.data import (
    ClipSet,
    EpochSampler,
    MapDataset,
    Sample,
    map_shape,
    recipe_name,
    select_clips,
)
from posemill.pipelines.runs import RunFolder, open_or_create_run
from posemill.pipelines.train_config import TrainConfig
from posemill.provenance import content_hash
from posemill.storage.features import FeatureStore
from posemill.storage.objects import Place

# One-cycle schedule (Smith, Topin, 2017), as cosines: from peak / 25 in the first
# three tenths of all steps up to the peak, then down to peak / 1000.
_RISE = 0.3
_START_DIVISOR = 25.0
_END_DIVISOR = 1000.0


@dataclass(frozen=True, slots=True)
class EpochEnded:
    """What one pass over the training clips gave."""

    epoch: int
    """From 1."""
    num_epochs: int
    loss: float
    """Mean cross-entropy of the augmented clips, nats."""
    accuracy: float
    """Share of the augmented clips recognised while training, dropout on."""
    learning_rate: float
    """At the epoch's last step."""
    seconds: float


@dataclass(frozen=True, slots=True)
class TrainResult:
    """A finished run."""

    run_dir: Path
    num_clips: int
    num_classes: int
    num_epochs: int
    num_epochs_before: int
    """Epochs that were there when this call began; equal to `num_epochs` where all was done."""
    loss: float
    accuracy: float
    """Of the last epoch, see `EpochEnded`."""
    seconds: float
    """Of this call."""

    def as_dict(self) -> dict[str, Any]:
        return {
            "run": str(self.run_dir),
            "clips": self.num_clips,
            "classes": self.num_classes,
            "epochs": self.num_epochs,
            "epochs_now": self.num_epochs - self.num_epochs_before,
            "loss": self.loss,
            "training_accuracy": self.accuracy,
            "seconds": round(self.seconds, 2),
        }


@dataclass(frozen=True, slots=True)
class TrainPlan:
    """What `train` would do: the answer of `--dry-run`."""

    num_clips: int
    num_unavailable: int
    """Labelled clips of the subset that have no features."""
    num_classes: int
    num_steps: int

    def as_dict(self) -> dict[str, Any]:
        return {
            "clips": self.num_clips,
            "clips_without_features": self.num_unavailable,
            "classes": self.num_classes,
            "steps": self.num_steps,
        }


def plan_train(features: Place, config: TrainConfig) -> TrainPlan:
    """What `train` would do; writes nothing.

    Raises:
        InputError: the features cannot be used.
    """
    store = open_features(features, config.model)
    clips = select_clips(store, config.split, config.subset)
    return TrainPlan(
        num_clips=len(clips),
        num_unavailable=clips.num_unavailable,
        num_classes=len(store.classes),
        num_steps=config.epochs * math.ceil(len(clips) / config.batch_size),
    )


def train(
    features: Place,
    run_dir: Path,
    config: TrainConfig,
    on_event: Callable[[EpochEnded], None] = lambda _event: None,
) -> TrainResult:
    """Train on `features`, into `run_dir`; goes on where an earlier call stopped.

    Raises:
        InputError: the features, the device or the folder cannot be used, or the loss
            is no longer finite.
        ConfigurationMismatch: `run_dir` holds another run.
        EnvironmentFault: the disk refuses.
        StoreCorrupted: damaged features, or a damaged checkpoint.
    """
    started = monotonic()
    device = resolve_device(config.device)
    store = open_features(features, config.model)
    clips = select_clips(store, config.split, config.subset)
    dataset = MapDataset(
        store,
        "u",
        clips,
        config.crop_hw,
        config.augmentation,
        config.seed,
    )
    run = open_or_create_run(
        run_dir, run_identity(config, store, clips, dataset.view_hw), _record(config, store)
    )
    sampler = EpochSampler(len(dataset), config.seed)
    loader: DataLoader[Sample] = DataLoader(
        dataset,
        config.batch_size,
        sampler=sampler,
        num_workers=config.workers,
        multiprocessing_context=_start_method(store) if config.workers else None,
        persistent_workers=config.workers > 0,
        generator=torch.Generator(),  # else the loader draws from the generator of dropout
    )
    num_steps = config.epochs * len(loader)

    with torch_settings(config.threads, device):
        torch.manual_seed(_torch_seed(config.seed, epoch=-1))
        model = build_model(run).to(device)
        optimizer = torch.optim.Adam(model.parameters())
        checkpoint = run.read_checkpoint()
        epochs_before = 0 if checkpoint is None else load_checkpoint(checkpoint, model, optimizer)
        metrics = run.read_metrics(epochs_before)
        model.train()
        for epoch in range(epochs_before, config.epochs):
            epoch_started = monotonic()
            torch.manual_seed(_torch_seed(config.seed, epoch))  # for dropout
            sampler.epoch = epoch
            total_loss, num_right, rate = 0.0, 0, 0.0
            for step, batch in enumerate(loader, start=epoch * len(loader)):
                rate = one_cycle(step, num_steps, config.learning_rate)
                for group in optimizer.param_groups:
                    group["lr"] = rate
                maps = batch.maps.to(device).float() / 255.0  # (B, K, C, H, W)
                labels = batch.label.to(device)  # (B,)
                logits = model({"u": maps})[LOGITS]  # (B, classes)
                loss = nn.functional.cross_entropy(logits, labels)
                optimizer.zero_grad()
                torch.autograd.backward(loss)
                optimizer.step()
                total_loss += loss.item() * len(labels)
                num_right += int((logits.argmax(dim=1) == labels).sum())
            _check_finite(total_loss, epoch + 1, config)
            ended = EpochEnded(
                epoch=epoch + 1,
                num_epochs=config.epochs,
                loss=total_loss / len(dataset),
                accuracy=num_right / len(dataset),
                learning_rate=rate,
                seconds=monotonic() - epoch_started,
            )
            metrics.append(asdict(ended))
            run.write_epoch(metrics, dump_checkpoint(model, optimizer, epoch + 1))
            on_event(ended)

    return TrainResult(
        run_dir=run_dir,
        num_clips=len(clips),
        num_classes=len(store.classes),
        num_epochs=config.epochs,
        num_epochs_before=epochs_before,
        loss=metrics[-1]["loss"],
        accuracy=metrics[-1]["accuracy"],
        seconds=monotonic() - started,
    )


def one_cycle(step: int, num_steps: int, peak: float) -> float:
    """The learning rate of a step in [0, num_steps): up along a cosine, then down along one."""
    progress = step / max(num_steps - 1, 1)
    if progress < _RISE:
        return _cosine(peak / _START_DIVISOR, peak, progress / _RISE)
    return _cosine(peak, peak / _END_DIVISOR, (progress - _RISE) / (1.0 - _RISE))


def open_features(place: Place, model: str) -> FeatureStore:
    """The feature store at `place`, if `model` can read it.

    Raises:
        InputError: no store, or one of a recipe that the model does not take.
    """
    store = FeatureStore.open(place)
    recipe, recipes = recipe_name(store), create_model(model).recipes
    if recipe not in recipes:
        raise InputError(
            f"{place} was materialized by the recipe {recipe!r}; the model {model} reads "
            f"{' or '.join(recipes)}; materialize one of these"
        )
    if not store.classes:
        raise InputError(f"{place} has no classes: its catalog has no labels to learn")
    return store


def _start_method(store: FeatureStore) -> str | None:
    """How loader processes start; None is torch's own way, the quicker one."""
    return None if store.objects.survives_fork else "spawn"


def run_identity(
    config: TrainConfig, store: FeatureStore, clips: ClipSet, view_hw: tuple[int, int]
) -> dict[str, Any]:
    """What decides a run's weights: settings, features, classes and training clips."""
    keypoints, channels, _, _ = map_shape(store, "u")
    return {
        "config": config.identity(),
        "features": {
            "configuration_hash": store.configuration_hash,
            "configuration": store.configuration,
        },
        "classes": list(store.classes),
        "clips": {
            "count": len(clips),
            "sha256": content_hash([clips.clip_ids, clips.labels, clips.mirror_labels]),
        },
        "maps": {"keypoints": keypoints, "channels": channels, "size_hw": list(view_hw)},
    }


def build_model(run: RunFolder) -> PoseNetwork:
    """The network of a run, its weights drawn from torch's generator."""
    settings, maps = run.identity["config"], run.identity["maps"]
    model: Model = create_model(
        settings["model"],
        {"width": str(settings["width"]), "dropout": str(settings["dropout"])},
    )
    shapes = {"u": (maps["keypoints"], maps["channels"], *maps["size_hw"])}
    return model.network(shapes, len(run.identity["classes"]))


def _record(config: TrainConfig, store: FeatureStore) -> dict[str, Any]:
    return {
        "features_path": store.objects.absolute_url,
        "machine": {
            "device": config.device,
            "workers": config.workers,
            "threads": config.threads,
        },
        "versions": {
            "posemill": version("posemill"),
            "torch": torch.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
    }


def _torch_seed(seed: int, epoch: int) -> int:
    words = np.random.SeedSequence([seed, epoch + 1]).generate_state(2)
    return int(words[0]) << 32 | int(words[1])


def _cosine(start: float, end: float, progress: float) -> float:
    return end + (start - end) * (1.0 + math.cos(math.pi * progress)) / 2.0


def _check_finite(loss: float, epoch: int, config: TrainConfig) -> None:
    if not math.isfinite(loss):
        raise InputError(
            f"the loss is not finite ({loss}) at epoch {epoch}: training diverged at "
            f"--learning-rate {config.learning_rate:g}; give a lower one, and another folder"
        )
