"""How recipes, formats and exports are listed, and the settings of one told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from posemill.cli.options import finish

Settings = Mapping[str, tuple[str, str]]
"""As `settings.describe_settings` gives them."""


def list_all(what: str, classes: Mapping[str, type], *, as_json: bool) -> None:
    """Print each name with the first line of its docstring, or a JSON object under `what`."""
    told = {name: first_line(found) for name, found in classes.items()}
    width = max(map(len, told), default=0)
    lines = (f"{name:<{width}}  {text}" for name, text in told.items())
    finish("\n".join(lines), {what: told}, as_json=as_json)


def first_line(found: type) -> str:
    return (found.__doc__ or "").strip().partition("\n")[0].replace("`", "")


def settings_lines(settings: Settings) -> Iterable[str]:
    yield from ("", "settings and defaults:")
    for key, (default, text) in settings.items():
        yield f"  {key}={default}\t{text}"


def settings_as_dict(settings: Settings) -> dict[str, dict[str, str]]:
    return {key: {"default": default, "about": text} for key, (default, text) in settings.items()}
