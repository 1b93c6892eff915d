"""The command `merge`: two runs to weights that a model of both begins with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from posemill.cli.options import ConfigOption, JsonFlag, SeedOption, count, finish, require_torch

if TYPE_CHECKING:
    from posemill.models.rgbpose.lateral import Direction
    from posemill.pipelines.evaluate import Weights


def register(app: typer.Typer) -> None:
    app.command(name="merge")(merge_command)


def merge_command(
    rgb_run: Annotated[Path, typer.Argument(help="A run of rgb with backbone=slowonly-r50.")],
    pose_run: Annotated[Path, typer.Argument(help="A run of poseconv3d with backbone=slowonly.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The file of weights, e.g. merged.pt.")],
    lateral: Annotated[
        str,
        typer.Option(help="Who tells the other: both, rgb-to-pose, pose-to-rgb, or none."),
    ] = "both",
    weights: Annotated[
        str, typer.Option(help="Of both runs: last, or best on held-out training clips.")
    ] = "last",
    seed: SeedOption = 0,
    json: JsonFlag = False,
    _config: ConfigOption = None,
) -> None:
    """Merge a run on pictures and one on poses: weights for `train --model rgbpose --init`.

    What a pathway is told by the other counts for nothing at first, so that both answer
    as the runs do until they are trained together.
    """
    require_torch("posemill merge")
    from posemill.pipelines.merge import merge_runs

    # What they may be is checked there.
    result = merge_runs(
        rgb_run,
        pose_run,
        out,
        lateral=cast("Direction", lateral),
        weights=cast("Weights", weights),
        seed=seed,
    )
    report = result.report
    settings = "".join(f" --set {each}" for each in result.train_settings)
    line = (
        f"{out}: rgbpose of {count(result.num_classes, 'class', 'classes')}, "
        f"{count(report.num_taken, 'tensor')} as they were, {len(report.padded)} with zeros "
        f"appended, {len(report.new)} new; train with --model rgbpose --init {out}{settings}"
    )
    finish(line, result.as_dict(), as_json=json)
