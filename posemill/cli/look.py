"""The commands that show what there is: `status` and `preview`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from posemill.cli.options import ConfigOption, JsonFlag, count, finish
from posemill.pipelines.preview import preview_features, preview_poses
from posemill.pipelines.status import status


def register(app: typer.Typer) -> None:
    app.command(name="status")(status_command)
    app.command(name="preview")(preview_command)


def status_command(
    path: Annotated[str, typer.Argument(help="A catalog, a pose or feature store, or a run.")],
    json: JsonFlag = False,
) -> None:
    """Show what a path holds and how far it is."""
    found = status(path)
    lines = [f"{path}: {found['kind']}"]
    lines += [f"  {key}: {_text(value)}" for key, value in found.items() if key != "kind"]
    finish("\n".join(lines), {"path": path, **found}, as_json=json)


def _text(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {number}" for key, number in value.items()) or "none"
    return str(value)


def preview_command(
    store: Annotated[str, typer.Argument(help="A pose store or a feature store.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder for the pictures.")],
    video: Annotated[
        list[str] | None,
        typer.Option("--video", help="Id of a video of poses; repeatable [up to 12]."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many clips of features.")] = 24,
    frames: Annotated[int, typer.Option(min=1, help="Frames of each video of poses.")] = 8,
    catalog: Annotated[
        Path | None,
        typer.Option(help="Where the videos are listed \\[default: as at extraction]."),
    ] = None,
    json: JsonFlag = False,
    _config: ConfigOption = None,
) -> None:
    """Draw PNG pictures: skeletons on frames, or what a recipe made of them."""
    if status(store)["kind"] == "features":
        pictures = preview_features(store, out, limit)
    else:
        pictures = preview_poses(store, out, video, catalog, frames)
    finish(
        f"{out}: {count(len(pictures), 'picture')}",
        {"pictures": [str(path) for path in pictures]},
        as_json=json,
    )
