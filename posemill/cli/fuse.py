"""The commands that put runs together: `fuse` and `average`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from posemill.cli.options import ConfigOption, JsonFlag, SeedOption, finish, require_torch
from posemill.errors import InputError
from posemill.pipelines.evaluations import average_runs
from posemill.pipelines.metrics.average import AveragedFigure
from posemill.pipelines.metrics.evaluation import FIGURES

if TYPE_CHECKING:
    from posemill.pipelines.fuse import FuseConfig, FusionResult
    from posemill.pipelines.fuse.late import Scores

RunsArgument = Annotated[
    list[Path], typer.Argument(help="Folders with answers, as `posemill evaluate` writes them.")
]
SubsetOption = Annotated[str, typer.Option(help="The subset whose answers are taken.")]
_NUM_SHOWN = 5
_LEARNING = ("per_class", "unit_norm", "learn_on", "epochs", "learning_rate", "batch_size", "seed")


def register(app: typer.Typer) -> None:
    app.command(name="fuse")(fuse_command)
    app.command(name="average")(average_command)


def fuse_command(
    context: typer.Context,
    runs: RunsArgument,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the fused answers.")],
    subset: SubsetOption = "test",
    weights: Annotated[
        str | None, typer.Option(metavar="W,W,...", help="Of each run; equal unless given.")
    ] = None,
    of: Annotated[
        str, typer.Option(help="What is averaged: probabilities or logits.")
    ] = "probabilities",
    only_common: Annotated[
        bool, typer.Option("--only-common", help="Leave out clips that some runs lack.")
    ] = False,
    learn: Annotated[
        bool, typer.Option("--learn", help="Learn the weights of the logits, as JMRN does.")
    ] = False,
    learn_on: Annotated[str, typer.Option(help="The subset to learn weights on.")] = "train",
    per_class: Annotated[
        bool | None,
        typer.Option(
            "--per-class/--one-weight",
            help="Learn a weight for each run and class, or for each run alone \\[default: by "
            "class where clips may show several].",
        ),
    ] = None,
    unit_norm: Annotated[
        bool, typer.Option("--unit-norm", help="Scale logits to unit L2 norm before learning.")
    ] = False,
    epochs: Annotated[int, typer.Option(min=1, help="Of learning weights.")] = 100,
    learning_rate: Annotated[float, typer.Option(help="Of learning weights, by Adam.")] = 1e-3,
    batch_size: Annotated[int, typer.Option(min=1, help="Clips a step of learning.")] = 128,
    seed: SeedOption = 0,
    json: JsonFlag = False,
    _config: ConfigOption = None,
) -> None:
    """Fuse the answers of several runs for the same clips: runs -> answers and figures.

    Scores are averaged with weights that are given or, with --learn, logits are
    added with weights that are learnt on the answers for another subset.
    """
    require_torch("posemill fuse")
    from posemill.pipelines.fuse import FuseConfig, LearntFusion, fuse

    if not learn:
        _refuse_learning_options(context)
    config = FuseConfig(
        runs=tuple(runs),
        subset=subset,
        weights=None if weights is None else _weights(weights),
        of=_scores(of),
        only_common=only_common,
        learn_on=learn_on,
        learn=LearntFusion(per_class, unit_norm, epochs, learning_rate, batch_size, seed)
        if learn
        else None,
    )
    result = fuse(config, out)
    finish(_fused_lines(config, result, out), result.as_dict(config.runs), as_json=json)


def average_command(
    runs: RunsArgument,
    subset: SubsetOption = "test",
    json: JsonFlag = False,
    _config: ConfigOption = None,
) -> None:
    """Average the figures of several runs, as of a data set's splits: mean and spread."""
    figures = average_runs(runs, subset)
    told = {
        figure.name: {
            "mean": figure.mean,
            "spread": figure.spread,
            "values": list(figure.values),
        }
        for figure in figures
    }
    summary = {"subset": subset, "runs": [str(run) for run in runs], "figures": told}
    finish(_table([str(run) for run in runs], figures), summary, as_json=json)


def _refuse_learning_options(context: typer.Context) -> None:
    given = [
        name
        for name in _LEARNING
        if (source := context.get_parameter_source(name)) and source.name == "COMMANDLINE"
    ]
    if given:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise InputError(f"{options}: of use with --learn alone")


def _weights(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise InputError(f"--weights {text}: expected numbers with commas, as 1,0.5") from error


def _scores(text: str) -> Scores:
    if text not in ("probabilities", "logits"):
        raise InputError(f"--of {text}: expected probabilities or logits")
    return cast("Scores", text)


def _fused_lines(config: FuseConfig, result: FusionResult, out: Path) -> str:
    lines = [
        f"{run}: weight {_weight(weight)}: {each.summary()}"
        for run, weight, each in zip(
            config.runs, result.weights.tolist(), result.single, strict=True
        )
    ]
    return "\n".join([*lines, f"{out}: {result.evaluation.summary()}"])


def _weight(weight: float | list[float]) -> str:
    if isinstance(weight, float):
        return f"{weight:.4g}"
    shown = ", ".join(f"{each:.3g}" for each in weight[:_NUM_SHOWN])
    return f"{shown}, ... ({min(weight):.3g} to {max(weight):.3g} over {len(weight)} classes)"


def _table(runs: list[str], figures: tuple[AveragedFigure, ...]) -> str:
    """A line for each figure, a column for each run, then mean and spread."""
    rows = [["", *runs, "mean"]]
    for figure in figures:
        spread = "" if figure.spread is None else f" ± {100 * figure.spread:.1f}"
        values = [f"{value:.1%}" for value in figure.values]
        rows.append([FIGURES[figure.name], *values, f"{figure.mean:.1%}{spread}"])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(map(str.ljust, row, widths)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)
