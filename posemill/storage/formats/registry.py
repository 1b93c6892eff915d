"""Finds pose formats by name through the entry point group `posemill.formats`.

A plugin registers `name = "package.module:FormatClass"`. Ours are registered
the same way.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import cast

from posemill.errors import InputError
from posemill.settings import did_you_mean, parse_settings
from posemill.storage.formats.base import PoseFormat

ENTRY_POINT_GROUP = "posemill.formats"


def format_names() -> list[str]:
    """The names of all registered formats, sorted."""
    return sorted(entry_points(group=ENTRY_POINT_GROUP).names)


def get_format(name: str) -> type[PoseFormat]:
    """The class of the format registered as `name`.

    Raises:
        InputError: no format has that name.
    """
    found = entry_points(group=ENTRY_POINT_GROUP, name=name)
    if not found:
        names = format_names()
        raise InputError(
            f"no pose format is called {name!r}{did_you_mean(name, names)}; there are: "
            f"{', '.join(names) or 'none'}"
        )
    return cast(type[PoseFormat], next(iter(found)).load())


def create_format(name: str, settings: Mapping[str, str] | None = None) -> PoseFormat:
    """The format registered as `name`, with `settings` as text in place of its defaults.

    Raises:
        InputError: no format has that name, it has no such setting, or a value
            that cannot be.
    """
    format_class = get_format(name)
    return format_class(**parse_settings(format_class, settings or {}))
