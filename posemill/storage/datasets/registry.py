"""The datasets that are registered as entry points."""

from __future__ import annotations

from collections.abc import Mapping

from posemill.plugins import Plugins
from posemill.settings import parse_settings
from posemill.storage.datasets.base import Dataset

_DATASETS: Plugins[type[Dataset]] = Plugins("posemill.datasets", "dataset")
dataset_names = _DATASETS.names
get_dataset = _DATASETS.get


def create_dataset(name: str, settings: Mapping[str, str] | None = None) -> Dataset:
    """The dataset registered as `name`, with `settings` as text in place of its defaults.

    Raises:
        InputError: no dataset has that name, it has no such setting, or a value
            that cannot be.
    """
    dataset_class = get_dataset(name)
    return dataset_class(**parse_settings(dataset_class, settings or {}))
