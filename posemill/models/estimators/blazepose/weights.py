"""BlazePose's networks as bytes, from the cache or from a folder: what is hashed is what is run."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from posemill.errors import WeightsUnavailable
from posemill.models.estimators.blazepose.published import DETECTOR, LANDMARKS, MEDIAPIPE
from posemill.models.estimators.weights.cached import how_to_get, require_hash, weights_folder
from posemill.models.estimators.weights.published import PublishedFile


@dataclass(frozen=True, slots=True)
class BlazePoseWeights:
    """Both networks, read and checked."""

    folder: Path
    detector: bytes
    landmarks: bytes


def find_blazepose(weights: Path | None = None) -> BlazePoseWeights:
    """The checked networks from the folder `weights`, or from the cache where None.

    Never downloads.

    Raises:
        WeightsUnavailable: a file is absent, cannot be read, or differs from its hash.
    """
    folder = weights_folder(MEDIAPIPE) if weights is None else weights
    if weights is not None and not weights.is_dir():
        raise WeightsUnavailable(
            f"--weights {weights} is not a folder; for blazepose, expected one that holds "
            f"{DETECTOR.name} and {LANDMARKS.name}"
        )
    return BlazePoseWeights(folder, _read(folder, DETECTOR), _read(folder, LANDMARKS))


def _read(folder: Path, file: PublishedFile) -> bytes:
    path = folder / file.name
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WeightsUnavailable(
            f"blazepose's weights are not on this machine: {path}: {error.strerror}; "
            f"{how_to_get(MEDIAPIPE)}"
        ) from error
    remedy = f"remove it and {how_to_get(MEDIAPIPE)}"
    require_hash(path, hashlib.sha256(content).hexdigest(), file.sha256, remedy)
    return content
