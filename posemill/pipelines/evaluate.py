"""A trained run's answers for the clips of a subset, one centred view each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader

from posemill.errors import ConfigurationMismatch, InputError
from posemill.models.base import LOGITS
from posemill.models.checkpoints import load_checkpoint
from posemill.models.devices import resolve_device, torch_settings
from posemill.pipelines.data import MapDataset, Sample, select_clips
from posemill.pipelines.evaluations import write_evaluation
from posemill.pipelines.metrics import Evaluation
from posemill.pipelines.runs import RunFolder, open_run
from posemill.pipelines.train import build_model, open_features
from posemill.predictions import Predictions
from posemill.provenance import differences
from posemill.storage.features import FeatureStore
from posemill.storage.objects import Place

_BATCH_SIZE = 64


def evaluate(
    run_dir: Path,
    features: Place,
    subset: str = "test",
    *,
    split: str | None = None,
    device: str = "cpu",
    threads: int = 1,
) -> Evaluation:
    """Score every labelled clip of a subset, and write figures and answers into the run's folder.

    Clips without people are scored from maps of zeros and counted. `split`
    defaults to the one that was trained on.

    Raises:
        InputError: the run is unfinished, or the features or the subset cannot be used.
        ConfigurationMismatch: the features differ from those that were trained on.
        EnvironmentFault: the disk refuses.
        StoreCorrupted: damaged features, or a damaged checkpoint.
    """
    run = open_run(run_dir)
    settings = run.identity["config"]
    place = resolve_device(device)
    store = open_features(features, settings["model"])
    _check_features(run, store)
    split = split or settings["split"]
    clips = select_clips(store, split, subset)
    crop_hw = tuple(settings["crop_hw"]) if settings["crop_hw"] else None
    dataset = MapDataset(store, "u", clips, crop_hw)
    loader: DataLoader[Sample] = DataLoader(dataset, _BATCH_SIZE)
    answers: list[torch.Tensor] = []
    empty: list[bool] = []
    with torch_settings(threads, place), torch.no_grad():
        model = build_model(run)
        checkpoint = run.read_checkpoint()
        _require_finished(run, 0 if checkpoint is None else load_checkpoint(checkpoint, model))
        model.to(place).eval()
        for batch in loader:
            maps = batch.maps.to(place).float() / 255.0  # (B, K, C, H, W)
            answers.append(model({"u": maps})[LOGITS].cpu())  # (B, classes)
            empty += batch.empty.tolist()
    logits = torch.cat(answers)
    evaluation = Evaluation(
        Predictions(
            model=settings["model"],
            split=split,
            subset=subset,
            classes=store.classes,
            clip_ids=clips.clip_ids,
            video_ids=clips.video_ids,
            labels=tuple((label,) for label in clips.labels),
            empty=np.array(empty),
            probabilities=logits.softmax(dim=1).numpy(),
            logits=logits.numpy(),
            num_unavailable=clips.num_unavailable,
        )
    )
    write_evaluation(run_dir, evaluation)
    return evaluation


def _check_features(run: RunFolder, store: FeatureStore) -> None:
    trained, classes = run.identity["features"], run.identity["classes"]
    if store.configuration_hash != trained["configuration_hash"]:
        lines = differences(store.configuration, trained["configuration"])
        raise ConfigurationMismatch(
            f"{store.url} was made in another way than the features that {run.root} was trained "
            "on (asked for: these features; the store: those of the run):\n  " + "\n  ".join(lines)
        )
    if list(store.classes) != classes:
        raise ConfigurationMismatch(
            f"{store.url} has the classes {', '.join(store.classes)}; {run.root} was trained on "
            f"{', '.join(classes)}; use features with the same classes in the same order"
        )


def _require_finished(run: RunFolder, num_epochs_done: int) -> None:
    num_epochs = run.identity["config"]["epochs"]
    if num_epochs_done < num_epochs:
        raise InputError(
            f"{run.root} has finished {num_epochs_done} of {num_epochs} epochs; train again with "
            "the same settings, and it goes on from there"
        )
