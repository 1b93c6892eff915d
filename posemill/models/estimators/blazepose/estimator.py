"""The estimator: detect now and then, follow by landmarks in between."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict

import numpy as np

from posemill.errors import InputError
from posemill.models.estimators.base import Estimator, EstimatorOptions, EstimatorSpec, Persons
from posemill.models.estimators.blazepose.detector import PersonDetector
from posemill.models.estimators.blazepose.follower import Follower
from posemill.models.estimators.blazepose.landmarks import BodyReader
from posemill.models.estimators.blazepose.network import litert_version
from posemill.models.estimators.blazepose.people import Track
from posemill.models.estimators.blazepose.published import DETECTOR, LANDMARKS
from posemill.models.estimators.blazepose.rules import rules_from_parameters
from posemill.models.estimators.blazepose.weights import find_blazepose
from posemill.provenance import content_hash
from posemill.schema import UInt8
from posemill.transforms.skeletons import COCO_17


class BlazePose(Estimator):
    """Finds one to four mostly separate people, by BlazePose's two networks on the CPU.

    Equal frames and threads give bit-equal people, whatever else runs.
    """

    spec = EstimatorSpec(name="blazepose", skeleton=COCO_17.name, max_batch=1)

    def __init__(self, options: EstimatorOptions) -> None:
        if options.device != "cpu" or options.threads < 1:
            raise InputError(
                f"blazepose runs on the CPU with one thread or more, got the device "
                f"{options.device!r} and {options.threads} threads; use --device cpu"
            )
        self._rules = rules_from_parameters(options.parameters)
        weights = find_blazepose(options.weights)
        self._detect = PersonDetector(weights.detector, options.threads, self._rules)
        self._read = BodyReader(weights.landmarks, options.threads, self._rules)

    def fingerprint(self) -> str:
        decides = {
            "detector": DETECTOR.sha256,
            "landmarks": LANDMARKS.sha256,
            "litert": litert_version(),
            "rules": asdict(self._rules),
        }
        return f"{self.spec.name}:{content_hash(decides)}"

    def estimate(self, frames: Iterable[UInt8]) -> Iterator[Persons]:
        """Yield the people of each RGB frame (H, W, 3), in order, one video a call.

        Raises:
            InputError: a frame that is no uint8 RGB picture.
        """
        follower = Follower(self._detect, self._read, self._rules)
        for frame in frames:
            yield to_persons(follower.update(checked(frame)))


def checked(frame: UInt8) -> UInt8:
    """The frame, contiguous.

    Raises:
        InputError: it is no uint8 array (H, W, 3) with at least one pixel.
    """
    if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8 or not frame.size:
        raise InputError(
            f"blazepose wants RGB frames, uint8 (height, width, 3), got {frame.dtype} "
            f"{frame.shape}; turn a grey frame into three equal channels"
        )
    return np.ascontiguousarray(frame)


def to_persons(tracks: list[Track]) -> Persons:
    """The tracks of a frame as N persons."""
    joints = COCO_17.num_keypoints
    return Persons(
        xy_px=np.array([track.body.xy_px for track in tracks], np.float32).reshape(-1, joints, 2),
        score=np.array([track.body.score for track in tracks], np.float32).reshape(-1, joints),
        slot=np.array([track.slot for track in tracks], np.int64),
    )


def create(options: EstimatorOptions) -> BlazePose:
    """The factory behind the entry point `blazepose`.

    Raises:
        InputError: an unknown or ill-valued parameter, device or number of threads.
        MissingDependency: ai-edge-litert is not installed.
        WeightsUnavailable: the weights are not on this machine, or damaged.
    """
    return BlazePose(options)
