"""The command `fixtures`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from posemill.cli.options import (
    ConfigOption,
    DryRunFlag,
    JsonFlag,
    SeedOption,
    WorkersOption,
    count,
    finish,
)
from posemill.pipelines.fixtures import FixtureParameters, write_fixtures
from posemill.pipelines.progress import ProgressDisplay


def register(app: typer.Typer) -> None:
    app.command(name="fixtures")(fixtures_command)


def fixtures_command(
    out: Annotated[Path, typer.Argument(help="The folder to write.")],
    clips: Annotated[int, typer.Option(min=2, help="Number of videos, 3/4 train, 1/4 test.")] = 96,
    seed: SeedOption = 0,
    workers: WorkersOption = 2,
    dry_run: DryRunFlag = False,
    json: JsonFlag = False,
    _config: ConfigOption = None,
) -> None:
    """Render small action videos of articulated people, with their exact joints."""
    parameters = FixtureParameters(num_clips=clips, seed=seed)
    if dry_run:
        summary = {"out": str(out), "clips": clips, "seed": seed}
        finish(f"would write {count(clips, 'video')} to {out}", summary, as_json=json)
        return
    with ProgressDisplay() as display:
        written = write_fixtures(
            out, parameters, workers=workers, on_progress=display.counter("fixtures")
        )
    summary = {
        "out": str(out),
        "train": written.num_train,
        "test": written.num_test,
        "rendered_now": written.rendered,
    }
    line = (
        f"{out}: {written.num_train} videos to train, {written.num_test} to test, "
        f"{written.rendered} rendered now"
    )
    finish(line, summary, as_json=json)
