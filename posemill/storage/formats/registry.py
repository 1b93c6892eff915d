"""The pose formats that are registered as entry points."""

from __future__ import annotations

from posemill.plugins import ConfigurablePlugins
from posemill.storage.formats.base import PoseFormat

_FORMATS: ConfigurablePlugins[PoseFormat] = ConfigurablePlugins("posemill.formats", "pose format")
format_names = _FORMATS.names
get_format = _FORMATS.get
create_format = _FORMATS.create
