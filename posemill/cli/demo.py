"""The command `demo`: the whole chain on fixture videos."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from posemill.cli.options import (
    ConfigOption,
    JsonFlag,
    SeedOption,
    WorkersOption,
    finish,
    require_torch,
)
from posemill.pipelines.progress import ProgressDisplay


def register(app: typer.Typer) -> None:
    app.command(name="demo")(demo_command)


def demo_command(
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder for everything.")] = Path(
        "demo-out"
    ),
    clips: Annotated[int, typer.Option(min=24, help="Number of fixture videos.")] = 900,
    epochs: Annotated[int, typer.Option(min=1, help="Epochs of training.")] = 80,
    seed: SeedOption = 0,
    workers: WorkersOption = 2,
    json: JsonFlag = False,
    _config: ConfigOption = None,
) -> None:
    """Fixture videos -> poses -> three features -> a trained model -> an HTML report."""
    require_torch("posemill demo")
    from posemill.pipelines.demo import DemoConfig, run_demo

    settings = DemoConfig(out=out, num_clips=clips, num_epochs=epochs, seed=seed, workers=workers)
    with ProgressDisplay() as display:
        result = run_demo(settings, display)
    finish(
        f"accuracy on held-out clips {result.accuracy:.1%} (chance {result.chance:.1%}); "
        f"report: {result.report}",
        result.as_dict(),
        as_json=json,
    )
