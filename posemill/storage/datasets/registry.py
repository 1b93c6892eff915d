"""The datasets that are registered as entry points."""

from __future__ import annotations

from posemill.plugins import ConfigurablePlugins
from posemill.storage.datasets.base import Dataset

_DATASETS: ConfigurablePlugins[Dataset] = ConfigurablePlugins("posemill.datasets", "dataset")
dataset_names = _DATASETS.names
get_dataset = _DATASETS.get
create_dataset = _DATASETS.create
