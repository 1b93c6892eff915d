"""The pose formats that are registered as entry points."""

from __future__ import annotations

from collections.abc import Mapping

from posemill.plugins import Plugins
from posemill.settings import parse_settings
from posemill.storage.formats.base import PoseFormat

_FORMATS: Plugins[type[PoseFormat]] = Plugins("posemill.formats", "pose format")
format_names = _FORMATS.names
get_format = _FORMATS.get


def create_format(name: str, settings: Mapping[str, str] | None = None) -> PoseFormat:
    """The format registered as `name`, with `settings` as text in place of its defaults.

    Raises:
        InputError: no format has that name, it has no such setting, or a value
            that cannot be.
    """
    format_class = get_format(name)
    return format_class(**parse_settings(format_class, settings or {}))
