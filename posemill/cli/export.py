"""The commands that take poses and features away: `export`, and `exports` that there are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from posemill.cli.describe import first_line, list_all, settings_as_dict, settings_lines
from posemill.cli.options import (
    ConfigOption,
    DryRunFlag,
    JsonFlag,
    count,
    finish,
    key_values,
    size,
    tally,
)
from posemill.pipelines.export import ExportConfig, export, plan_export
from posemill.pipelines.export_items import LeftOut, tally_left_out
from posemill.pipelines.progress import ProgressDisplay
from posemill.settings import describe_settings
from posemill.storage.exports.base import PoseExport
from posemill.storage.exports.registry import create_export, export_names, get_export


def register(app: typer.Typer) -> None:
    app.command(name="export")(export_command)
    app.command(name="exports")(exports_command)


def export_command(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="As `posemill exports` lists them.")],
    store: Annotated[str, typer.Argument(help="A pose store, or a feature store.")],
    out: Annotated[
        str, typer.Option("--out", "-o", help="The file or folder to make; nothing may be there.")
    ],
    catalog: Annotated[
        Path | None,
        typer.Option(
            help="Whose clips to export \\[default: as at extraction, if the kind is of clips]."
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A setting of the kind; repeatable."),
    ] = None,
    dry_run: DryRunFlag = False,
    json: JsonFlag = False,
    _config: ConfigOption = None,
) -> None:
    """Write poses or features as files of other tools.

    The output appears when it is whole, and never replaces anything. What is left out is
    named on standard error; exit status 1 if there is anything but missing videos.
    """
    settings = ExportConfig(create_export(kind, key_values("--set", set_)), store, out, catalog)
    if dry_run:
        plan = plan_export(settings)
        _name(plan.left_out)
        line = f"would export {count(plan.num_items, plan.unit)} to {out}"
        finish(line + _left_out(plan.left_out), plan.as_dict(), as_json=json)
        return
    with ProgressDisplay() as display:
        summary = export(settings, display)
    _name(summary.left_out)
    line = (
        f"{out}: {count(summary.num_written, summary.unit)}, {size(summary.num_bytes)}, "
        f"in {summary.seconds:.1f} s{_left_out(summary.left_out)}"
    )
    status = 1 if summary.num_unhappy else 0
    finish(line, summary.as_dict(), as_json=json, exit_status=status)


def exports_command(
    name: Annotated[str | None, typer.Argument(help="A kind, to see its settings.")] = None,
    json: JsonFlag = False,
) -> None:
    """List the kinds of files that `export` makes, or the settings of one."""
    if name is None:
        list_all("exports", {each: get_export(each) for each in export_names()}, as_json=json)
        return
    found = get_export(name)
    settings = describe_settings(found)
    takes = "poses" if issubclass(found, PoseExport) else "features"
    lines = [f"{name}: {first_line(found)}", f"takes {takes}, makes a {found.makes}"]
    lines += settings_lines(settings)
    about = settings_as_dict(settings)
    summary = {"name": name, "takes": takes, "makes": found.makes, "settings": about}
    finish("\n".join(lines), summary, as_json=json)


def _name(left_out: tuple[LeftOut, ...]) -> None:
    for each in left_out:
        typer.echo(str(each), err=True)


def _left_out(left_out: tuple[LeftOut, ...]) -> str:
    return f"; left out: {tally(tally_left_out(left_out))}" if left_out else ""
