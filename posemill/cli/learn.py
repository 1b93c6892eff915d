"""The commands of the training stage: `train` and `evaluate`.

torch takes seconds to import, so only these commands' bodies do.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from posemill.cli.options import (
    ConfigOption,
    DeviceOption,
    DryRunFlag,
    JsonFlag,
    SeedOption,
    count,
    finish,
    require_torch,
)

if TYPE_CHECKING:
    from posemill.pipelines.train import EpochEnded

ThreadsOption = Annotated[int, typer.Option(min=1, help="CPU threads of torch.")]


def register(app: typer.Typer) -> None:
    app.command(name="train")(train_command)
    app.command(name="evaluate")(evaluate_command)


def train_command(
    features: Annotated[str, typer.Argument(help="A feature store of the model's recipe.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The run's folder, e.g. runs/potion.")],
    model: Annotated[str, typer.Option(help="Which model: potion.")] = "potion",
    epochs: Annotated[int, typer.Option(min=1)] = 24,
    batch_size: Annotated[int, typer.Option(min=1)] = 32,
    learning_rate: Annotated[float, typer.Option(help="At its peak.")] = 5e-3,
    width: Annotated[int, typer.Option(min=1, help="Channels of the first block.")] = 32,
    dropout: float = 0.0,
    flip: Annotated[float, typer.Option(help="Probability of the mirror image.")] = 0.5,
    beta: Annotated[int, typer.Option(min=0, help="Jitter of the whole map, pixels.")] = 2,
    gamma: Annotated[int, typer.Option(min=0, help="Jitter of each body part, pixels.")] = 1,
    split: Annotated[str, typer.Option(help="Name of the split.")] = "default",
    subset: Annotated[str, typer.Option(help="The subset to train on.")] = "train",
    seed: SeedOption = 0,
    device: DeviceOption = "cpu",
    threads: ThreadsOption = 2,
    workers: Annotated[int, typer.Option(min=0, help="Loader processes; 0 loads in place.")] = 0,
    dry_run: DryRunFlag = False,
    json: JsonFlag = False,
    _config: ConfigOption = None,
) -> None:
    """Train a model on cached features: feature store -> run.

    The same command goes on after the last epoch that was finished.
    """
    require_torch("posemill train")
    from posemill.pipelines.train import plan_train, train
    from posemill.pipelines.train_config import TrainConfig

    settings = TrainConfig(
        model=model,
        split=split,
        subset=subset,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        width=width,
        dropout=dropout,
        flip=flip,
        beta_px=beta,
        gamma_px=gamma,
        seed=seed,
        device=device,
        workers=workers,
        threads=threads,
    )
    if dry_run:
        plan = plan_train(features, settings)
        line = (
            f"would train {model} for {count(epochs, 'epoch')} on {count(plan.num_clips, 'clip')} "
            f"of {plan.num_classes} classes: {count(plan.num_steps, 'step')}"
        )
        finish(line, plan.as_dict(), as_json=json)
        return
    result = train(features, out, settings, _show_epoch)
    epochs_now = result.num_epochs - result.num_epochs_before
    line = (
        f"{out}: {model}, {count(result.num_epochs, 'epoch')} on "
        f"{count(result.num_clips, 'clip')}, last loss {result.loss:.3f}, training accuracy "
        f"{result.accuracy:.1%}; {count(epochs_now, 'epoch')} now in "
        f"{result.seconds:.1f} s"
    )
    finish(line, result.as_dict(), as_json=json)


def _show_epoch(event: EpochEnded) -> None:
    typer.echo(
        f"epoch {event.epoch} of {event.num_epochs}: loss {event.loss:.3f}, "
        f"accuracy {event.accuracy:.1%}, {event.seconds:.1f} s",
        err=True,
    )


def evaluate_command(
    run: Annotated[Path, typer.Argument(help="A run, made by `posemill train`.")],
    features: Annotated[str, typer.Argument(help="The feature store that it was trained on.")],
    subset: Annotated[str, typer.Option(help="The subset to score.")] = "test",
    device: DeviceOption = "cpu",
    threads: ThreadsOption = 2,
    json: JsonFlag = False,
    _config: ConfigOption = None,
) -> None:
    """Score a run on held-out clips; figures and answers go into the run's folder."""
    require_torch("posemill evaluate")
    from posemill.pipelines.evaluate import evaluate
    from posemill.pipelines.evaluations import figures_path

    evaluation = evaluate(run, features, subset, device=device, threads=threads)
    figures = figures_path(run, subset)
    line = f"{run}: {evaluation.summary()}, {evaluation.num_empty} empty; {figures}"
    finish(line, evaluation.as_dict(), as_json=json)
