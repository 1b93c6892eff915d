"""The models that are registered as entry points."""

from __future__ import annotations

from posemill.models.base import Model
from posemill.plugins import ConfigurablePlugins

_MODELS: ConfigurablePlugins[Model] = ConfigurablePlugins("posemill.models", "model")
model_names = _MODELS.names
get_model = _MODELS.get
create_model = _MODELS.create
