"""What a run's config.json says: what decides its weights, and where it was made."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import numpy as np
import torch

from posemill.pipelines.data import ClipSource
from posemill.pipelines.training.clips import TrainingClips
from posemill.pipelines.training.config import TrainConfig
from posemill.pipelines.training.initial import InitialWeights
from posemill.provenance import content_hash


def run_identity(
    config: TrainConfig, clips: TrainingClips, initial: InitialWeights | None
) -> dict[str, Any]:
    """What decides a run's weights: settings, source, classes, clips, and the weights to begin
    with."""
    trained = clips.trained
    return {
        "config": config.identity(),
        "features": {
            "configuration_hash": clips.source.configuration_hash,
            "configuration": clips.source.configuration,
        },
        "classes": list(clips.source.classes),
        "clips": {
            "count": len(trained),
            "sha256": content_hash([trained.clip_ids, trained.labels, trained.mirror_labels]),
        },
        "initial_weights_sha256": None if initial is None else initial.sha256,
        "held_out_clips": len(clips.held_out),
        "shapes": {name: list(shape) for name, shape in clips.views.shapes.items()},
    }


def run_record(config: TrainConfig, source: ClipSource, world_size: int) -> Mapping[str, Any]:
    """Where and with what a run was made."""
    machine = config.machine
    return {
        "source": source.url,
        "machine": {
            "device": machine.device,
            "processes": world_size,
            "workers": machine.workers,
            "threads": machine.threads,
            "compile": machine.compile,
        },
        "versions": {
            "posemill": version("posemill"),
            "torch": torch.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
    }
