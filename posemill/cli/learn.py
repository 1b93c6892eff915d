"""The commands of the training stage: `train` and `evaluate`.

torch takes seconds to import, so only these commands' bodies do.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from posemill.cli.options import (
    ConfigOption,
    DeviceOption,
    DryRunFlag,
    JsonFlag,
    SeedOption,
    count,
    finish,
    key_values,
    require_torch,
)
from posemill.cli.training_progress import TrainingLines
from posemill.errors import InputError

if TYPE_CHECKING:
    from posemill.pipelines.training.config import TrainConfig

ThreadsOption = Annotated[int, typer.Option(min=1, max=1024, help="CPU threads of torch.")]
LoadersOption = Annotated[int, typer.Option(min=0, help="Loader processes; 0 loads in place.")]
CatalogOption = Annotated[
    Path | None,
    typer.Option(help="Clips and labels of a pose store; by default those it was made from."),
]
JoinedOption = Annotated[
    list[str] | None,
    typer.Option(
        "--with",
        metavar="STORE",
        help="One more store, whose arrays of the same clips are read together with those of the "
        "first; repeatable.",
    ),
]


def register(app: typer.Typer) -> None:
    app.command(name="train")(train_command)
    app.command(name="evaluate")(evaluate_command)


def train_command(
    store: Annotated[
        str,
        typer.Argument(
            help="A feature store of the model's recipe, or a pose store to render on the fly."
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="The run's folder, e.g. runs/potion.")],
    model: Annotated[
        str | None, typer.Option(help="Which model; `posemill architectures` lists them.")
    ] = None,
    preset: Annotated[
        str | None, typer.Option(help="A paper's training; `posemill presets` lists them.")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="SECTION.KEY=VALUE",
            help="A setting of model, augmentation, optimizer, schedule, loss or clips; "
            "repeatable.",
        ),
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(help="Of a pose store: what to render for the model; or several, as A,B."),
    ] = None,
    recipe_set: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="A setting of the recipe; repeatable."),
    ] = None,
    test_set: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE", help="A setting of the recipe that differs in tests; repeatable."
        ),
    ] = None,
    with_: JoinedOption = None,
    catalog: CatalogOption = None,
    epochs: Annotated[int | None, typer.Option(min=1)] = None,
    batch_size: Annotated[
        int | None, typer.Option(min=1, help="Clips a step, over all processes.")
    ] = None,
    accumulate: Annotated[
        int | None, typer.Option(min=1, help="Parts that a batch is computed in, to save memory.")
    ] = None,
    precision: Annotated[str | None, typer.Option(help="fp32, bf16 or fp16.")] = None,
    draw: Annotated[
        str | None,
        typer.Option(help="Who draws the maps of a pose store: loader, or device."),
    ] = None,
    init: Annotated[
        str | None,
        typer.Option(
            metavar="RUN|FILE",
            help="Weights to begin with, but for the classifier's if they differ: a run's, or "
            "published ones of the model's backbone.",
        ),
    ] = None,
    freeze: Annotated[
        bool, typer.Option("--freeze", help="Train the classifier alone: a linear probe.")
    ] = False,
    split: Annotated[str | None, typer.Option(help="Name of the split.")] = None,
    subset: Annotated[str | None, typer.Option(help="The subset to train on.")] = None,
    seed: SeedOption = 0,
    device: DeviceOption = "cpu",
    threads: ThreadsOption = 2,
    workers: LoadersOption = 0,
    compile_: Annotated[
        bool, typer.Option("--compile", help="Translate the network by torch.compile first.")
    ] = False,
    checkpoint_steps: Annotated[
        int, typer.Option(min=0, help="A checkpoint after so many steps within an epoch, too.")
    ] = 0,
    dry_run: DryRunFlag = False,
    json: JsonFlag = False,
    _config: ConfigOption = None,
) -> None:
    """Train a model: feature store or pose store -> run.

    The same command goes on where it was stopped. On several GPUs:
    torchrun --nproc-per-node N -m posemill train ... --device cuda
    """
    require_torch("posemill train")
    from posemill.pipelines.train import plan_train, train
    from posemill.pipelines.training.config import Machine, with_settings

    given: dict[str, Any] = {
        "recipe": recipe,
        "recipe_settings": None if recipe_set is None else tuple(recipe_set),
        "test_settings": None if test_set is None else tuple(test_set),
        "epochs": epochs,
        "batch_size": batch_size,
        "accumulate": accumulate,
        "precision": precision,
        "draw": draw,
        "init": init,
        "split": split,
        "subset": subset,
    }
    config = with_settings(
        replace(
            _base_config(model, preset),
            **{name: value for name, value in given.items() if value is not None},
            freeze=freeze,
            seed=seed,
            machine=Machine(device, workers, threads, compile_, checkpoint_steps),
        ),
        key_values("--set", set_).items(),
    )
    joined = tuple(with_ or ())
    if dry_run:
        plan = plan_train(store, config, catalog, joined=joined)
        line = (
            f"would train {config.model.name} ({plan.num_parameters:,} parameters) for "
            f"{count(config.epochs, 'epoch')} on {count(plan.num_clips, 'clip')} of "
            f"{plan.num_classes} classes: {count(plan.num_steps, 'step')}"
        )
        finish(line, plan.as_dict(), as_json=json)
        return
    with TrainingLines() as lines:
        result = train(store, out, config, lines, catalog=catalog, joined=joined)
    epochs_now = result.num_epochs - result.num_epochs_before
    best = "" if result.best_epoch is None else f", best epoch {result.best_epoch}"
    line = (
        f"{out}: {config.model.name}, {count(result.num_epochs, 'epoch')} on "
        f"{count(result.num_clips, 'clip')}, last loss {result.loss:.3f}, training accuracy "
        f"{result.accuracy:.1%}{best}; {count(epochs_now, 'epoch')} now in {result.seconds:.1f} s"
    )
    if lines.is_first_process:
        finish(line, result.as_dict(), as_json=json)


def _base_config(model: str | None, preset: str | None) -> TrainConfig:
    """The preset's configuration, or the plain one of a model.

    Raises:
        InputError: both or none of them are given, or there is no such one.
    """
    from posemill.models.create import create_model
    from posemill.pipelines.presets import get_preset
    from posemill.pipelines.training.config import TrainConfig

    if (model is None) == (preset is None):
        raise InputError(
            "give either --model, with settings of your own, or --preset, a paper's training; got "
            + ("neither" if model is None else f"--model {model} and --preset {preset}")
        )
    if preset is not None:
        return get_preset(preset).config
    return TrainConfig(model=create_model(str(model)))


def evaluate_command(
    run: Annotated[Path, typer.Argument(help="A run, made by `posemill train`.")],
    store: Annotated[str, typer.Argument(help="A feature store, or a pose store to render.")],
    subset: Annotated[str, typer.Option(help="The subset to score.")] = "test",
    split: Annotated[
        str | None, typer.Option(help="Name of the split; by default the one trained on.")
    ] = None,
    weights: Annotated[
        str, typer.Option(help="last, or best on held-out training clips.")
    ] = "last",
    flip: Annotated[bool, typer.Option("--flip", help="Score mirror images as well.")] = False,
    drop_joint: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="Probability that a person in a frame loses a limb joint; needs -o."
        ),
    ] = 0.0,
    attention: Annotated[
        bool,
        typer.Option("--attention", help="Keep the weights by which the network looks, for numpy."),
    ] = False,
    with_: JoinedOption = None,
    catalog: CatalogOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Another folder than the run's.")
    ] = None,
    device: DeviceOption = "cpu",
    threads: ThreadsOption = 2,
    workers: LoadersOption = 0,
    json: JsonFlag = False,
    _config: ConfigOption = None,
) -> None:
    """Score a run on held-out clips; figures and answers go into the run's folder."""
    require_torch("posemill evaluate")
    from posemill.pipelines.evaluate import EvaluateConfig, Weights, evaluate
    from posemill.pipelines.evaluations import figures_path

    config = EvaluateConfig(
        subset=subset,
        split=split,
        weights=cast(Weights, weights),
        flip=flip,
        drop_joint=drop_joint,
        attention=attention,
        catalog=catalog,
        joined=tuple(with_ or ()),
        device=device,
        workers=workers,
        threads=threads,
    )
    evaluation = evaluate(run, store, config, out)
    figures = figures_path(out or run, subset)
    line = f"{run}: {evaluation.summary()}, {evaluation.num_empty} empty; {figures}"
    finish(line, evaluation.as_dict(), as_json=json)
