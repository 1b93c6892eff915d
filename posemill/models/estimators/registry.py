"""The estimators that are registered as entry points, each by a function that builds one."""

from __future__ import annotations

from collections.abc import Callable

from posemill.models.estimators.base import Estimator, EstimatorOptions
from posemill.plugins import Plugins

_ESTIMATORS: Plugins[Callable[[EstimatorOptions], Estimator]] = Plugins(
    "posemill.estimators", "estimator"
)
estimator_names = _ESTIMATORS.names


def create_estimator(name: str, options: EstimatorOptions) -> Estimator:
    """Build the estimator registered as `name`.

    Raises:
        InputError: no estimator has that name.
        MissingDependency: its optional packages are not installed.
        WeightsUnavailable: its weights are not on this machine.
    """
    return _ESTIMATORS.get(name)(options)
