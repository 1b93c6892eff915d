"""The exports that are registered as entry points."""

from __future__ import annotations

from posemill.plugins import ConfigurablePlugins
from posemill.storage.exports.base import Export

_EXPORTS: ConfigurablePlugins[Export] = ConfigurablePlugins("posemill.exports", "export")
export_names = _EXPORTS.names
get_export = _EXPORTS.get
create_export = _EXPORTS.create
