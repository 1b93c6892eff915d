"""What each step of a training is made with: its rate, its bounded norm, the score of a plateau."""

import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from mean_models import MeanModel
from potion_stores import make_potion_store
from torch.optim.optimizer import register_optimizer_step_pre_hook

from posemill.pipelines.data import Augmentation
from posemill.pipelines.train import EpochEnded, TrainEvent, train
from posemill.pipelines.training.config import Precision, TrainConfig
from posemill.pipelines.training.settings import (
    ClipSettings,
    OptimizerSettings,
    ScheduleSettings,
)
from posemill.pipelines.training.state import RunState

RATE = 0.5
LINEAR = TrainConfig(
    model=MeanModel(),
    epochs=2,
    batch_size=8,  # of 24 clips: three steps an epoch
    augmentation=Augmentation(flip=0.0),
    optimizer=OptimizerSettings(algorithm="sgd", learning_rate=RATE, momentum=0.0),
)
PLATEAU = replace(
    LINEAR,
    epochs=4,
    schedule=ScheduleSettings(shape="plateau", gamma=0.1, patience=0),
    clips=ClipSettings(hold_out=0.25),
)


@pytest.fixture(scope="module")
def features(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(make_potion_store(tmp_path_factory.mktemp("features") / "f.zarr").url)


@contextmanager
def before_steps(look: Callable[[torch.optim.Optimizer], float]) -> Iterator[list[float]]:
    """What `look` sees of the optimizer before each of its steps."""
    seen: list[float] = []
    hook = register_optimizer_step_pre_hook(lambda made, _args, _more: seen.append(look(made)))
    try:
        yield seen
    finally:
        hook.remove()


def rate_of(optimizer: torch.optim.Optimizer) -> float:
    return float(optimizer.param_groups[0]["lr"])


def norm_of(optimizer: torch.optim.Optimizer) -> float:
    weights = optimizer.param_groups[0]["params"]
    return math.sqrt(sum(float((weight.grad**2).sum()) for weight in weights))


@pytest.mark.parametrize(
    ("schedule", "factors"),
    [
        (ScheduleSettings(shape="constant"), [1.0] * 6),
        (
            ScheduleSettings(shape="steps", milestones="1", gamma=0.1, warmup_steps=2),
            [0.5, 1.0, 1.0, 0.1, 0.1, 0.1],
        ),
        # (1 + cos(pi * step / 6)) / 2
        (ScheduleSettings(shape="cosine"), [1.0, 0.9330127, 0.75, 0.5, 0.25, 0.0669873]),
    ],
)
def test_each_step_has_the_rate_of_its_schedule(
    features: Path, tmp_path: Path, schedule: ScheduleSettings, factors: list[float]
) -> None:
    with before_steps(rate_of) as rates:
        train(features, tmp_path / "run", replace(LINEAR, schedule=schedule))
    assert rates == pytest.approx([RATE * factor for factor in factors])


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_gradients_are_bounded_at_their_own_scale(
    features: Path, tmp_path: Path, precision: Precision
) -> None:
    """Not at that which keeps float16's from becoming 0, 65536 at first."""
    bound = 1e-3
    optimizer = replace(LINEAR.optimizer, clip_norm=bound)
    config = replace(LINEAR, optimizer=optimizer, precision=precision)
    with before_steps(norm_of) as norms:
        train(features, tmp_path / "run", config)
    assert len(norms) >= 4  # a step whose scaled gradients overflow is left out
    assert norms == pytest.approx([bound] * len(norms), rel=1e-3)


def score_as(monkeypatch: pytest.MonkeyPatch, scores: list[float]) -> None:
    """Have the held-out clips of each epoch give these scores."""

    def scored(*given: object) -> float:
        (state,) = (each for each in given if isinstance(each, RunState))
        return scores[state.epochs_done]

    monkeypatch.setattr("posemill.pipelines.train.score_held_out", scored)


def rates_of_epochs(run: Path) -> list[float]:
    lines = (run / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line)["learning_rate"] for line in lines]


def test_a_plateau_is_that_of_held_out_scores(
    features: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses: list[float] = []

    def note(event: TrainEvent) -> None:
        if isinstance(event, EpochEnded):
            losses.append(event.loss)

    score_as(monkeypatch, [0.5, 0.4, 0.6, 0.6])
    train(features, tmp_path / "falls", PLATEAU, note)
    assert losses == sorted(losses, reverse=True)  # which has no plateau
    assert rates_of_epochs(tmp_path / "falls") == pytest.approx([RATE, RATE, RATE / 10, RATE / 10])
    score_as(monkeypatch, [0.1, 0.2, 0.3, 0.4])
    train(features, tmp_path / "rises", PLATEAU)
    assert rates_of_epochs(tmp_path / "rises") == pytest.approx([RATE] * 4)


def test_a_run_goes_on_across_a_plateau(
    features: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    score_as(monkeypatch, [0.5, 0.4, 0.45, 0.3, 0.2, 0.1])
    config = replace(PLATEAU, epochs=6, schedule=replace(PLATEAU.schedule, patience=1))
    train(features, tmp_path / "whole", config)
    rates = [RATE, RATE, RATE, RATE / 10, RATE / 10, RATE / 100]
    assert rates_of_epochs(tmp_path / "whole") == pytest.approx(rates)
    for last in (2, 3, 5):  # one bad epoch before a drop, and after each drop

        def stop(event: TrainEvent, last: int = last) -> None:
            if isinstance(event, EpochEnded) and event.epoch == last:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            train(features, tmp_path / "parts", config, stop)
    train(features, tmp_path / "parts", config)
    assert rates_of_epochs(tmp_path / "parts") == rates_of_epochs(tmp_path / "whole")
    ours, theirs = (
        torch.load(tmp_path / name / "last.pt", weights_only=True)["network"]
        for name in ("whole", "parts")
    )
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
