"""TensorBoard's events of a run, as its own reader finds them."""

from __future__ import annotations

from pathlib import Path

import pytest

from posemill.pipelines.training.logs import FOLDER


def run_events(run_dir: Path) -> dict[str, list[tuple[int, float]]]:
    """Step and value of each scalar."""
    accumulators = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    events = accumulators.EventAccumulator(str(run_dir / FOLDER))
    events.Reload()
    return {
        name: [(each.step, round(each.value, 6)) for each in events.Scalars(name)]
        for name in events.Tags()["scalars"]
    }
