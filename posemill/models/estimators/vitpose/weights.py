"""Where the two networks' weights are: in folders that are given, or pulled ones."""

from __future__ import annotations

from pathlib import Path

from posemill.errors import InputError, WeightsUnavailable
from posemill.models.estimators.base import EstimatorOptions
from posemill.models.estimators.vitpose.folder import CONFIG
from posemill.models.estimators.vitpose.published import DETECTORS, ESTIMATOR
from posemill.models.estimators.weights import find_weights


def pose_folder(options: EstimatorOptions) -> Path:
    """ViTPose's: the given folder or `pose/` in it, else the published weights of that name.

    Raises:
        InputError: no published weights are called so.
        WeightsUnavailable: they are not here, or not what was pulled.
    """
    given = options.weights
    if given is None:
        return find_weights(ESTIMATOR, options.variant)
    return given if (given / CONFIG).is_file() else given / "pose"


def detector_folder(options: EstimatorOptions, detector: str) -> Path:
    """RT-DETR's: the folder or the published weights that `detector` names; where it is empty
    `detector/` in the given folder, else the default published weights.

    Raises:
        InputError: `detector` is neither a folder nor the name of published weights.
        WeightsUnavailable: they are not here, or not what was pulled.
    """
    if detector:
        return _named_detector(detector)
    if options.weights is not None and (options.weights / "detector").is_dir():
        return options.weights / "detector"
    return find_weights(DETECTORS)


def _named_detector(detector: str) -> Path:
    if Path(detector).is_dir():
        return Path(detector)
    try:
        return find_weights(DETECTORS, detector)
    except InputError as error:
        if isinstance(error, WeightsUnavailable):
            raise
        raise InputError(f"{detector!r} is no folder of vitpose's detector, and {error}") from error
