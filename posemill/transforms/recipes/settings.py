"""Settings given as text, `key=value`, to the typed fields of a recipe; and their checks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin, get_type_hints

from posemill.errors import InputError

if TYPE_CHECKING:
    from posemill.transforms.recipes.base import Recipe


def parse_settings(recipe: type[Recipe], settings: Mapping[str, str]) -> dict[str, Any]:
    """Values for the fields of `recipe` that `settings` names.

    Fields may be int, float, str, a Literal of strings, or a pair of int,
    written `64,86`.

    Raises:
        InputError: a setting that the recipe lacks, or text of another type.
    """
    defaults = {field.name: field.default for field in fields(recipe)}
    types = get_type_hints(recipe)
    for key in settings:
        if key not in defaults:
            known = ", ".join(f"{name}={_text(value)}" for name, value in defaults.items())
            raise InputError(
                f"recipe {recipe.name} has no setting {key!r}; its settings and defaults: {known}"
            )
    return {key: _parse(recipe.name, key, text, types[key]) for key, text in settings.items()}


def require(recipe: str, holds: bool, key: str, value: object, expected: str) -> None:
    """Raise InputError, `recipe`'s setting `key` must be `expected`, unless `holds`."""
    if not holds:
        raise InputError(
            f"recipe {recipe}: {key} must be {expected}, got {_text(value)}; "
            f"set it with --set {key}=..."
        )


def _parse(recipe: str, key: str, text: str, kind: Any) -> Any:
    if get_origin(kind) is Literal:
        choices = get_args(kind)
        require(recipe, text in choices, key, text, " or ".join(choices))
        return text
    parser, expected = _PARSERS[kind]
    try:
        return parser(text)
    except ValueError as error:
        raise InputError(
            f"recipe {recipe}: {key} must be {expected}, got {text!r}; set it with --set {key}=..."
        ) from error


def _pair(text: str) -> tuple[int, int]:
    first, second = text.split(",")
    return int(first), int(second)


_PARSERS: Mapping[Any, tuple[Callable[[str], Any], str]] = {
    int: (int, "a whole number"),
    float: (float, "a number"),
    str: (str, "text"),
    tuple[int, int]: (_pair, "two whole numbers, height and width, like 64,86"),
}


def _text(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
