"""The commands that show what there is: `status` and `preview`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from posemill.cli.options import ConfigOption, JsonFlag, count, finish, require_torch
from posemill.errors import InputError
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
    place: Annotated[str, typer.Argument(help="A pose store, a feature store, or a run.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder for the pictures.")],
    video: Annotated[
        list[str] | None,
        typer.Option("--video", help="Id of a video of poses; repeatable [up to 12]."),
    ] = None,
    limit: Annotated[
        int, typer.Option(min=1, help="At most so many clips of features, or of a run.")
    ] = 24,
    frames: Annotated[int, typer.Option(min=1, help="Frames of each video of poses.")] = 8,
    store: Annotated[
        str | None, typer.Option(help="What a run was evaluated on: features, or poses.")
    ] = None,
    subset: Annotated[str, typer.Option(help="Of a run, the subset that was scored.")] = "test",
    catalog: Annotated[
        Path | None,
        typer.Option(help="Where the videos are listed \\[default: as at extraction]."),
    ] = None,
    json: JsonFlag = False,
    _config: ConfigOption = None,
) -> None:
    """Draw PNG pictures: skeletons on frames, what a recipe made of them, or where a run looked."""
    kind = status(place)["kind"]
    if kind == "run":
        pictures = _preview_run(place, store, out, subset, limit, catalog)
    elif store is not None:
        raise InputError(
            f"--store is for pictures of a run, and {place} holds {kind}; leave it out"
        )
    elif kind == "features":
        pictures = preview_features(place, out, limit)
    else:
        pictures = preview_poses(place, out, video, catalog, frames)
    finish(
        f"{out}: {count(len(pictures), 'picture')}",
        {"pictures": [str(path) for path in pictures]},
        as_json=json,
    )


def _preview_run(
    run: str, store: str | None, out: Path, subset: str, limit: int, catalog: Path | None
) -> list[Path]:
    if store is None:
        raise InputError(
            f"pictures of where the run {run} looked are drawn on what it was evaluated on; give "
            "that as --store"
        )
    require_torch("posemill preview of a run")
    from posemill.pipelines.preview.attention import preview_attention

    return preview_attention(Path(run), store, out, subset=subset, limit=limit, catalog=catalog)
