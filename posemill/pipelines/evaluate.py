"""A trained run's answers for the clips of a subset, one centred view each."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader

from posemill.errors import ConfigurationMismatch, InputError
from posemill.models.base import LOGITS
from posemill.models.checkpoints import load_checkpoint
from posemill.models.devices import resolve_device, torch_settings
from posemill.pipelines.data import MapDataset, Sample, select_clips
from posemill.pipelines.metrics import Evaluation, Prediction
from posemill.pipelines.runs import RunFolder, open_run
from posemill.pipelines.train import build_model, open_features
from posemill.provenance import differences
from posemill.storage.durable import disk_faults, replace_file
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
    predictions: list[Prediction] = []
    with torch_settings(threads, place), torch.no_grad():
        model = build_model(run)
        checkpoint = run.read_checkpoint()
        _require_finished(run, 0 if checkpoint is None else load_checkpoint(checkpoint, model))
        model.to(place).eval()
        for batch in loader:
            maps = batch.maps.to(place).float() / 255.0  # (B, K, C, H, W)
            probabilities = model({"u": maps})[LOGITS].softmax(dim=1).cpu()  # (B, classes)
            predictions += [
                Prediction(
                    clip_id=clips.clip_ids[number],
                    video_id=clips.video_ids[number],
                    label=clips.labels[number],
                    predicted=int(scores.argmax()),
                    empty=bool(empty),
                    probabilities=tuple(scores.tolist()),
                )
                for number, scores, empty in zip(
                    batch.number.tolist(), probabilities, batch.empty, strict=True
                )
            ]
    evaluation = Evaluation(
        model=settings["model"],
        split=split,
        subset=subset,
        classes=store.classes,
        predictions=tuple(predictions),
        num_unavailable=clips.num_unavailable,
    )
    _write(run_dir, evaluation)
    return evaluation


def evaluation_paths(run_dir: Path, subset: str) -> tuple[Path, Path]:
    """Where the figures (JSON) and the answers (a JSON line per clip) of a subset are."""
    name = re.sub(r"[^A-Za-z0-9._-]", "_", subset)
    return run_dir / f"evaluation-{name}.json", run_dir / f"predictions-{name}.jsonl"


def _write(run_dir: Path, evaluation: Evaluation) -> None:
    figures, answers = evaluation_paths(run_dir, evaluation.subset)
    lines = [json.dumps(_answer(item, evaluation.classes)) for item in evaluation.predictions]
    with disk_faults(run_dir):
        replace_file(answers, ("\n".join(lines) + "\n").encode())
        replace_file(figures, (json.dumps(evaluation.as_dict(), indent=2) + "\n").encode())


def _answer(prediction: Prediction, classes: tuple[str, ...]) -> dict[str, Any]:
    names = {"class": classes[prediction.label], "answer": classes[prediction.predicted]}
    return {**asdict(prediction), **names}


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
