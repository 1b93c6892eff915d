"""The command that tells what can be materialised: `recipes`."""

from __future__ import annotations

from math import prod
from typing import Annotated, Any

import numpy as np
import typer

from posemill.cli.describe import first_line, list_all, settings_lines
from posemill.cli.options import JsonFlag, finish
from posemill.pipelines.materialize import parse_assignments
from posemill.settings import describe_settings
from posemill.transforms.outputs import OutputSpec
from posemill.transforms.recipes import create_recipe, get_recipe, recipe_names
from posemill.transforms.skeletons import get_skeleton


def register(app: typer.Typer) -> None:
    app.command(name="recipes")(recipes_command)


def recipes_command(
    name: Annotated[
        str | None, typer.Argument(help="A recipe, to see its settings and outputs.")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A setting of the recipe; repeatable."),
    ] = None,
    skeleton: Annotated[str, typer.Option(help="Of the poses.")] = "coco-17",
    json: JsonFlag = False,
) -> None:
    """List the recipes of `materialize`, or the settings and outputs of one."""
    if name is None:
        list_all("recipes", {each: get_recipe(each) for each in recipe_names()}, as_json=json)
        return
    recipe = create_recipe(name, parse_assignments(set_ or ()))
    outputs = recipe.outputs(recipe.target(get_skeleton(skeleton)))
    settings = describe_settings(type(recipe))
    summary = {
        **recipe.configuration(),
        "requires": sorted(recipe.requires),
        "about": {key: text for key, (_, text) in settings.items()},
        "outputs": {spec.name: _output_as_dict(spec) for spec in outputs},
    }
    requires = ", ".join(sorted(recipe.requires))
    lines = [f"{name}: {first_line(type(recipe))}", f"requires: {requires}"]
    lines += settings_lines(settings)
    lines += ["", f"outputs of a clip, from poses of {skeleton}:"]
    lines += [f"  {_output_line(spec)}" for spec in outputs]
    finish("\n".join(lines), summary, as_json=json)


def _num_bytes(spec: OutputSpec) -> int:
    return prod(spec.shape) * np.dtype(spec.dtype).itemsize


def _output_line(spec: OutputSpec) -> str:
    sizes = ", ".join(f"{dim} {size}" for dim, size in zip(spec.dims, spec.shape, strict=True))
    return (
        f"{spec.name} ({sizes}) {spec.dtype}, {spec.precision}, "
        f"{_num_bytes(spec) / 1e6:.3f} MB: {spec.description}"
    )


def _output_as_dict(spec: OutputSpec) -> dict[str, Any]:
    return {
        "dims": list(spec.dims),
        "shape": list(spec.shape),
        "dtype": spec.dtype,
        "scale_factor": spec.scale_factor,
        "precision": spec.precision,
        "bytes": _num_bytes(spec),
    }
