"""Folders of runs that look trained: a configuration and a checkpoint of a network's weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from posemill.models.base import Model, PoseNetwork
from posemill.models.checkpoints import MODEL, WEIGHTS, dump_checkpoint
from posemill.pipelines.runs import held_run
from posemill.pipelines.training.config import TrainConfig


def write_run(
    root: Path,
    model: Model,
    network: PoseNetwork,
    shapes: Mapping[str, tuple[int, ...]],
    *,
    recipe: str,
    classes: tuple[str, ...],
    epochs_done: int = 2,
) -> Path:
    """A run of 2 epochs."""
    identity = {
        "config": TrainConfig(model=model, epochs=2).identity(),
        "features": {"configuration": {"recipe": {"name": recipe}}},
        "classes": list(classes),
        "shapes": {name: list(shape) for name, shape in shapes.items()},
    }
    state = {
        MODEL: model.configuration(),
        WEIGHTS: network.state_dict(),
        "epochs_done": epochs_done,
    }
    with held_run(root, identity, {}) as run:
        run.write_checkpoint(dump_checkpoint(state))
    return root
