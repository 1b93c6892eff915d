"""Finds estimators by name through the entry point group `posemill.estimators`.

A plugin registers `name = "package.module:factory"`, where
`factory(EstimatorOptions) -> Estimator`. Ours are registered the same way.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import cast

from posemill.errors import InputError
from posemill.models.estimators.base import Estimator, EstimatorOptions

ENTRY_POINT_GROUP = "posemill.estimators"


def estimator_names() -> list[str]:
    """The names of all registered estimators, sorted."""
    return sorted(entry_points(group=ENTRY_POINT_GROUP).names)


def create_estimator(name: str, options: EstimatorOptions) -> Estimator:
    """Build the estimator registered as `name`.

    Raises:
        InputError: no estimator has that name.
        MissingDependency: its optional packages are not installed.
        WeightsUnavailable: its weights are not on this machine.
    """
    found = entry_points(group=ENTRY_POINT_GROUP, name=name)
    if not found:
        raise InputError(
            f"no estimator is called {name!r}; there are: {', '.join(estimator_names())}"
        )
    factory = next(iter(found)).load()
    return cast(Estimator, factory(options))
