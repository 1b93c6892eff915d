"""The score on held-out training clips, by which the best epoch and a plateau are found."""

from __future__ import annotations

import numpy as np
import torch

from posemill.pipelines.data import Loader, view_specs
from posemill.pipelines.metrics import mean_average_precision, top_k_accuracy
from posemill.pipelines.training.clips import TrainingClips
from posemill.pipelines.training.config import TrainConfig
from posemill.pipelines.training.processes import Processes
from posemill.pipelines.training.scoring import score_clips
from posemill.pipelines.training.state import RunState, set_training


def score_held_out(
    config: TrainConfig,
    clips: TrainingClips,
    loader: Loader | None,
    state: RunState,
    processes: Processes,
) -> float | None:
    """Accuracy, or mean average precision where clips have several classes; None without a loader.

    The first process computes it, for all.
    """
    if loader is None:
        return None
    score = torch.zeros(1, dtype=torch.float64, device=processes.device)
    if processes.is_first:
        score += _score(config, clips, loader, state, processes.device)
        set_training(state.network, frozen=config.freeze)
    return float(processes.from_first(score))


def _score(
    config: TrainConfig,
    clips: TrainingClips,
    loader: Loader,
    state: RunState,
    device: torch.device,
) -> float:
    scores = score_clips(
        state.network,
        loader,
        view_specs(clips.test_source),
        device,
        multi_label=config.loss.multi_label,
        consensus=config.model.consensus,
    )
    labels = clips.held_out.labels
    if not config.loss.multi_label:
        first = np.array([each[0] for each in labels], np.int64)
        return top_k_accuracy(scores.probabilities, first, 1)
    return mean_average_precision(scores.probabilities, labels)
