"""The commands that tell what can be trained: `architectures` and `presets`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from posemill.cli.describe import first_line, list_all, settings_as_dict, settings_lines
from posemill.cli.options import JsonFlag, finish, require_torch
from posemill.settings import describe_settings


def register(app: typer.Typer) -> None:
    app.command(name="architectures")(architectures_command)
    app.command(name="presets")(presets_command)


def presets_command(
    name: Annotated[str | None, typer.Argument(help="A preset, to see all of it.")] = None,
    json: JsonFlag = False,
) -> None:
    """List the papers' trainings, with their published results, or show one."""
    require_torch("posemill presets")
    from posemill.pipelines.presets import PRESETS, get_preset

    if name is None:
        width = max(map(len, PRESETS))
        listed = [f"{preset.name:<{width}}  {preset.published}" for preset in PRESETS.values()]
        published = {preset.name: preset.published for preset in PRESETS.values()}
        finish("\n".join(listed), {"presets": published}, as_json=json)
        return
    preset = get_preset(name)
    identity = preset.config.identity()
    told: dict[str, Any] = {
        "name": preset.name,
        "dataset": preset.dataset,
        **({"materialize": preset.materialize} if preset.materialize else {}),
        "command": preset.command,
        "published": preset.published,
        "open_points": preset.open_points,
        "config": identity,
    }
    lines = [f"{key}: {value}" for key, value in told.items() if key != "config"]
    finish("\n".join([*lines, *_flat_lines(identity)]), told, as_json=json)


def architectures_command(
    name: Annotated[str | None, typer.Argument(help="A model, to see its settings.")] = None,
    json: JsonFlag = False,
) -> None:
    """List the models that can be trained, or the settings of one."""
    require_torch("posemill architectures")
    from posemill.models.create import get_model, model_names

    if name is None:
        list_all("models", {each: get_model(each) for each in model_names()}, as_json=json)
        return
    model = get_model(name)
    settings = describe_settings(model)
    lines = [f"{name}: {first_line(model)}", f"reads: {', '.join(model.recipes)}"]
    summary = {"name": name, "recipes": model.recipes, "settings": settings_as_dict(settings)}
    finish("\n".join([*lines, *settings_lines(settings)]), summary, as_json=json)


def _flat_lines(tree: dict[str, Any], prefix: str = "") -> list[str]:
    """`optimizer.momentum: 0.9`, a line for each setting."""
    lines = []
    for key, value in tree.items():
        if isinstance(value, dict):
            lines += _flat_lines(value, f"{prefix}{key}.")
        else:
            lines.append(f"  {prefix}{key}: {value}")
    return lines
