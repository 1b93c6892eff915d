"""Options of the commands that run as shards: which engine, and how much of its machines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from posemill.cli.options import key_values
from posemill.pipelines.engines import ENGINES
from posemill.pipelines.engines.base import EngineOptions

_PANEL = "Engine"
DEFAULT_ENGINE_OPTIONS = EngineOptions()

EngineOption = Annotated[
    str,
    typer.Option(
        help=f"Where the shards run: {', '.join(ENGINES)}.", rich_help_panel=_PANEL, metavar="NAME"
    ),
]
GpusPerWorkerOption = Annotated[
    float,
    typer.Option(
        min=0,
        metavar="N",
        help="GPUs that each worker gets to itself; 0.5 lets two workers share one; 0 assigns "
        "none, and --device says which one all use.",
        rich_help_panel=_PANEL,
    ),
]
OverlapOption = Annotated[
    int,
    typer.Option(
        min=1,
        metavar="N",
        help="Shards that a worker may be at: it begins the next one while the last videos of one "
        "are estimated and committed.",
        rich_help_panel=_PANEL,
    ),
]
ShardTimeoutOption = Annotated[
    float | None,
    typer.Option(
        min=1,
        metavar="SECONDS",
        help="Take a shard from a worker that is at it for longer, and try it again "
        "\\[default: no limit].",
        rich_help_panel=_PANEL,
    ),
]
StartTimeoutOption = Annotated[
    float,
    typer.Option(
        min=1,
        metavar="SECONDS",
        help="How long a worker may take until it is ready; a cluster that starts machines for it "
        "may need more.",
        rich_help_panel=_PANEL,
    ),
]
EngineParametersOption = Annotated[
    list[str] | None,
    typer.Option(
        "--engine-option",
        metavar="KEY=VALUE",
        help="What the engine takes of its own, e.g. address=HOST:PORT for ray, or an option of "
        "the runner's for beam; repeatable.",
        rich_help_panel=_PANEL,
    ),
]


def engine_options(
    workers: int,
    parameters: Sequence[str] | None,
    start_timeout: float,
    shard_timeout: float | None,
    overlap: int = DEFAULT_ENGINE_OPTIONS.overlap,
    gpus_per_worker: float = 0,
) -> EngineOptions:
    """Of the command line's options; not every command has all of them.

    Raises:
        InputError: one that cannot be.
    """
    return EngineOptions(
        workers=workers,
        gpus_per_worker=gpus_per_worker,
        overlap=overlap,
        start_timeout_seconds=start_timeout,
        shard_timeout_seconds=shard_timeout,
        parameters=key_values("--engine-option", parameters),
    )
