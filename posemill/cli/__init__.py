"""The command line: `posemill COMMAND`.

Exit status: 0 all well, 1 some videos quarantined, 2 wrong usage or input,
3 failed, 130 interrupted, 143 terminated.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from importlib.metadata import version
from types import FrameType
from typing import Annotated, NoReturn

import typer

from posemill.cli import (
    architectures,
    bring,
    demo,
    export,
    fuse,
    index,
    learn,
    look,
    mend,
    merge,
    models,
    prepare,
    recipes,
    run,
    select,
)
from posemill.errors import EnvironmentFault, PosemillError

app = typer.Typer(
    name="posemill",
    help="Turns video datasets into training-ready pose features.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
prepare.register(app)
index.register(app)
models.register(app)
recipes.register(app)
run.register(app)
bring.register(app)
export.register(app)
learn.register(app)
fuse.register(app)
merge.register(app)
select.register(app)
architectures.register(app)
look.register(app)
mend.register(app)
demo.register(app)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"posemill {version('posemill')}")
        raise typer.Exit


@app.callback()
def _global_options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print it.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line; every error of ours is one line and an exit status."""
    # Before torch is loaded: its threads otherwise spin while they wait, which made
    # training with two threads on two busy cores ten times slower than with one.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    signal.signal(signal.SIGTERM, _terminate)
    try:
        app(prog_name="posemill")
    except _Terminated:
        typer.echo("terminated; the same command completes the work", err=True)
        raise
    except PosemillError as error:
        _fail(str(error), error.exit_status)
    except OSError as error:  # the machine's, where nothing nearer knew what to say
        _fail(f"{type(error).__name__}: {error}", EnvironmentFault.exit_status)


class _Terminated(SystemExit):
    """SIGTERM came: what is open is closed on the way out, workers are ended."""


def _terminate(number: int, _frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)  # a second one must not stop the closing
    raise _Terminated(128 + number)


def _fail(message: str, exit_status: int) -> NoReturn:
    """Say it in one line, and to a program that asked for `--json` as JSON, too."""
    typer.secho(f"error: {message}", fg="red", err=True)
    if "--json" in sys.argv:
        typer.echo(json.dumps({"error": message, "exit_status": exit_status}))
    sys.exit(exit_status)
