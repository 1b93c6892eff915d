"""The estimators `rtmo` and `yolo-pose`: frames of any size through a network of an ONNX file.

What the file holds is found by running it: on a grey picture, for the shapes of its
outputs, and on two, for whether it takes batches at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from posemill.errors import EnvironmentFault, InputError, WeightsUnavailable
from posemill.models.estimators.base import (
    CPU_BATCH,
    EstimatorOptions,
    EstimatorSpec,
    FrameEstimator,
    refuse_boxes,
    require_finite,
    require_rgb,
)
from posemill.models.estimators.onnx.decoder import CandidateDecoder
from posemill.models.estimators.onnx.heads import Candidates, Family, Head, HeadSettings
from posemill.models.estimators.onnx.letterbox import Letterbox, Size, boxed, fit, fit_long_edge
from posemill.models.estimators.onnx.rtmo import RTMO
from posemill.models.estimators.onnx.session import CPU, CUDA, Compute, Network, load_network
from posemill.models.estimators.onnx.yolo_pose import YOLO_POSE
from posemill.models.estimators.weights.cached import find_weights
from posemill.models.estimators.weights.tables import published_by
from posemill.provenance import canonical_json
from posemill.schema import Float32, UInt8
from posemill.transforms.skeletons import COCO_17

MAX_BATCH = 32
LONG_EDGE = 640
_MULTIPLE = 32  # of the input's edges: the coarsest cells of these networks
_FAMILIES = (RTMO, YOLO_POSE)


@dataclass(frozen=True, slots=True)
class InputSize:
    """How frames are fitted into a network."""

    fixed: Size | None
    """Width and height of every input; None where only its long edge is given."""
    long_edge: int

    def letterbox(self, source: Size) -> Letterbox:
        if self.fixed is not None:
            return fit(source, self.fixed)
        return fit_long_edge(source, self.long_edge, _MULTIPLE)


class OnnxEstimator(FrameEstimator[UInt8, Candidates, Letterbox]):
    """Finds everybody in one stage; built by `create_rtmo` and `create_yolo_pose`."""

    def __init__(self, family: Family, options: EstimatorOptions) -> None:
        if options.keep:
            raise InputError(
                f"{family.name} has no dense maps to keep, got {', '.join(sorted(options.keep))}; "
                "leave them out, or name an estimator that has them"
            )
        self._family = family
        self._settings, long_edge = _parameters(family, options.parameters)
        path = _weights(family, options)
        compute = Compute(options.device_here, options.threads, options.reproducible)
        self._provider = CPU if options.device == "cpu" else CUDA
        self._network = load_network(path, compute)
        self._size = _input_size(path, self._network, family, long_edge)
        self._head = self._recognised(path)
        self.spec = EstimatorSpec(
            family.name, COCO_17.name, 1 if options.reproducible else self._max_batch()
        )
        self.decoder = CandidateDecoder(self._settings.max_overlap if self._head.overlapping else 1)

    def fingerprint(self) -> str:
        from onnxruntime import __version__ as version

        size = {"input": self._size.fixed or f"long edge {self._size.long_edge}"}
        parameters = canonical_json({**asdict(self._settings), **size})
        return (
            f"{self._family.name} weights={self._network.sha256} parameters={parameters} "
            f"onnxruntime={version} provider={self._provider}"
        )

    def bucket(self, size_wh: tuple[int, int]) -> Size:
        return self._size.letterbox(size_wh).padded

    def preprocess(
        self, frames: Sequence[UInt8], boxes_px: Sequence[Float32] | None = None
    ) -> tuple[UInt8, list[Letterbox]]:
        refuse_boxes(self.spec, boxes_px)
        metas = [self._letterbox(frame) for frame in frames]
        pictures = [boxed(frame, meta) for frame, meta in zip(frames, metas, strict=True)]
        return np.stack(pictures), metas

    def infer(self, batch: UInt8) -> list[Candidates]:
        outputs = [output[: len(batch)] for output in self._network.run(self._as_input(batch))]
        require_finite(self.spec, *outputs)
        return self._head.candidates(outputs, self._settings.min_score)

    def _letterbox(self, frame: UInt8) -> Letterbox:
        require_rgb(frame)
        height, width = frame.shape[:2]
        return self._size.letterbox((width, height))

    def _as_input(self, pictures: UInt8) -> Float32:
        """RGB pictures (B, H, W, 3) as the network takes them: (B, 3, H, W)."""
        if missing := (self._network.picture.batch or len(pictures)) - len(pictures):
            pictures = np.pad(pictures, ((0, missing), (0, 0), (0, 0), (0, 0)))
        ordered = pictures[..., ::-1] if self._family.bgr else pictures
        # Bytes are reordered before they are four times as large.
        planes = np.ascontiguousarray(ordered.transpose(0, 3, 1, 2))
        brightness = planes.astype(self._network.picture.dtype)
        return np.multiply(brightness, self._family.brightest / 255, out=brightness)

    def _recognised(self, path: Path) -> Head:
        """The network's head; it runs once for that, on a grey picture."""
        try:
            outputs = self._network.run(self._as_input(self._grey(1)))
        except EnvironmentFault as error:
            if self._network.provider != CPU:
                raise
            raise WeightsUnavailable(f"{path} does not run on a grey picture: {error}") from error
        shapes = [output.shape for output in outputs]
        # A network of a fixed batch gives that many: one frame's share tells the head.
        single = [(1, *shape[1:]) for shape in shapes]
        head = self._family.recognise(single, self._network.metadata)
        if head is None:
            raise WeightsUnavailable(_unknown(path, self._family, self._network, shapes))
        return head

    def _grey(self, count: int) -> UInt8:
        width, height = self._size.letterbox((LONG_EDGE, LONG_EDGE)).padded
        return np.full((count, height, width, 3), 114, np.uint8)

    def _max_batch(self) -> int:
        """The network's own batch; of an open one ours, if two frames go through it at all."""
        if self._network.picture.batch is not None:
            return self._network.picture.batch
        try:
            outputs = self._network.run(self._as_input(self._grey(2)))
        except EnvironmentFault:
            self._network.run(self._as_input(self._grey(1)))  # fails again where the device does
            return 1
        if any(len(output) != 2 for output in outputs):
            return 1
        return CPU_BATCH if self._provider == CPU else MAX_BATCH


def create_rtmo(options: EstimatorOptions) -> OnnxEstimator:
    """Build `rtmo`; `options.parameters` may set `min_score`, `max_overlap`, `long_edge`.

    Raises:
        MissingDependency: ONNX Runtime is not installed.
        WeightsUnavailable: there are no weights, or they are no RTMO's of 17 keypoints.
        InputError: an unknown parameter, a device that is not there, or dense maps.
    """
    return OnnxEstimator(RTMO, options)


def create_yolo_pose(options: EstimatorOptions) -> OnnxEstimator:
    """Build `yolo-pose`; parameters and errors as those of `create_rtmo`."""
    return OnnxEstimator(YOLO_POSE, options)


def _parameters(family: Family, given: Mapping[str, Any]) -> tuple[HeadSettings, int | None]:
    known = {**asdict(family.settings), "long_edge": LONG_EDGE}
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise InputError(
            f"{family.name} has no parameter {', '.join(map(repr, unknown))}; "
            f"it has: {', '.join(known)}"
        )
    try:
        numbers = {name: type(known[name])(value) for name, value in given.items()}
        long_edge = numbers.pop("long_edge", None)
        return replace(family.settings, **numbers), None if long_edge is None else int(long_edge)
    except (TypeError, ValueError) as error:
        raise InputError(f"{family.name}'s parameters are wrong: {error}") from error


def _weights(family: Family, options: EstimatorOptions) -> Path:
    if options.weights is not None:
        return options.weights
    if published_by(family.name):
        return find_weights(family.name, options.variant)
    raise WeightsUnavailable(
        f"no weights of {family.name} are published as ONNX files; give one of your own, with "
        f"{family.expected}, with --weights PATH"
    )


def _input_size(path: Path, network: Network, family: Family, long_edge: int | None) -> InputSize:
    """The size of the file, or where that is open the one asked for."""
    width, height = network.picture.width, network.picture.height
    if width is not None and height is not None:
        if long_edge is not None:
            raise InputError(
                f"long_edge cannot be set: {path} takes {width} x {height} pixels and no others"
            )
        return InputSize((width, height), max(width, height))
    edge = LONG_EDGE if long_edge is None else long_edge
    if edge <= 0 or edge % _MULTIPLE:
        raise InputError(f"long_edge must be a multiple of {_MULTIPLE}, got {edge}")
    return InputSize(None if family.any_rectangle else (edge, edge), edge)


def _unknown(
    path: Path, family: Family, network: Network, shapes: Sequence[tuple[int, ...]]
) -> str:
    outputs = zip(network.output_names, shapes, strict=True)
    told = ", ".join(f"{name} {shape}" for name, shape in outputs)
    others = [
        other.name for other in _FAMILIES if other.recognise(shapes, network.metadata) is not None
    ]
    task = {key: network.metadata[key] for key in ("task", "kpt_shape") if key in network.metadata}
    return (
        f"{path} is no network of {family.name}: its outputs are {told}"
        f"{f' and its metadata tell {task}' if task else ''}; expected {family.expected}"
        f"{f'. It is one of --estimator {others[0]}' if others else ''}"
    )
