"""`figure`: a tiny estimator for the fixtures' people, with its weights in the package.

It knows rendered figures only and is no use on real footage; it makes the demo
and the tests run in seconds anywhere, through the same code as any estimator.
Torch is imported where the estimator is built.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from typing import Any

import cv2
import numpy as np

from posemill.errors import InputError, MissingDependency
from posemill.models.estimators.base import (
    EstimatorOptions,
    EstimatorSpec,
    FrameEstimator,
    FrameResult,
    refuse_boxes,
    require_finite,
    require_rgb,
    untracked,
)
from posemill.models.estimators.dense_maps import frame_grid, mean_over_scales, spread_over_frame
from posemill.models.estimators.figure_decode import DecodeSettings, decode_maps
from posemill.models.estimators.figure_fields import FIELD_LIMBS, STRIDE
from posemill.provenance import canonical_json
from posemill.schema import Float32, UInt8
from posemill.transforms.sample import DenseKind
from posemill.transforms.skeletons import COCO_17

LONG_EDGE = 256
MULTIPLE = 16  # of the network's input sizes
MAX_BATCH = 16
FEATURE_STRIDE = 16
_STRIDES: Mapping[DenseKind, int] = {"joints": STRIDE, "parts": STRIDE, "features": FEATURE_STRIDE}
_CHANNELS: Mapping[DenseKind, int] = {
    "joints": COCO_17.num_keypoints,
    "parts": 2 * len(FIELD_LIMBS),
    "features": 64,
}
_GREY = 128


@dataclass(frozen=True, slots=True)
class Letter:
    """How a frame was resized: source and resized (width, height)."""

    source: tuple[int, int]
    resized: tuple[int, int]

    @property
    def padded(self) -> tuple[int, int]:
        """Width and height of the network's input."""
        width, height = (-(-size // MULTIPLE) * MULTIPLE for size in self.resized)
        return width, height

    def to_source(self, xy_px: Float32) -> Float32:
        """Pixels of the network's input to source pixels, both with centres on integers."""
        scale = np.array(self.source, np.float32) / np.array(self.resized, np.float32)
        return np.asarray((xy_px + 0.5) * scale - 0.5, np.float32)


@dataclass(frozen=True, slots=True)
class FigureBatch:
    """Frames of one bucket, resized and padded for each scale."""

    pictures: tuple[UInt8, ...]  # a scale: (B, H, W, 3)


@dataclass(frozen=True, slots=True)
class FigureMaps:
    """The network's maps of one frame at one scale, of its padded input (H, W)."""

    joints: Float32  # (17, H / 4, W / 4)
    parts: Float32  # (36, H / 4, W / 4) x and y of each of FIELD_LIMBS
    features: Float32  # (64, H / 16, W / 16)


FigureRaw = tuple[FigureMaps, ...]
"""The maps of one frame, a scale each."""
FigureMeta = tuple[Letter, ...]
"""How one frame was resized, a scale each."""


@dataclass(frozen=True, slots=True)
class FigureDecoder:
    """Maps to people; satisfies `base.FrameDecoder`."""

    settings: DecodeSettings
    usual: int
    """Which of the scales poses are taken from."""
    keep: tuple[DenseKind, ...]

    def __call__(self, raw: FigureRaw, meta: FigureMeta) -> FrameResult:
        maps = raw[self.usual]
        xy_px, score = decode_maps(maps.joints, maps.parts, self.settings)
        persons = untracked(meta[self.usual].to_source(xy_px), score)
        return FrameResult(persons, {kind: self._kept(kind, raw, meta) for kind in self.keep})

    def _kept(self, kind: DenseKind, raw: FigureRaw, meta: FigureMeta) -> Float32:
        stride = _STRIDES[kind]
        grid = frame_grid(meta[self.usual].resized, stride)
        return mean_over_scales(
            [
                spread_over_frame(_own_maps(maps, kind), stride, letter.resized, grid)
                for maps, letter in zip(raw, meta, strict=True)
            ]
        )


def _own_maps(maps: FigureMaps, kind: DenseKind) -> Float32:
    """The maps of a kind; of heatmaps, which a network without a last sigmoid leaves a little
    below 0 and above 1, what they stand for."""
    return np.clip(maps.joints, 0, 1) if kind == "joints" else getattr(maps, kind)


class FigureEstimator(FrameEstimator[FigureBatch, FigureRaw, FigureMeta]):
    """Finds the fixtures' people; built by `create`."""

    def __init__(self, options: EstimatorOptions) -> None:
        import torch

        from posemill.models.devices import resolve_device
        from posemill.models.estimators.figure_weights import PACKAGED_WEIGHTS, load_network

        # A batch of one is the only batch whose arithmetic no other frame can change.
        self.spec = EstimatorSpec(
            "figure", COCO_17.name, max_batch=1 if options.reproducible else MAX_BATCH
        )
        self._settings = _settings(options.parameters)
        self._scales = options.scales
        self.decoder = FigureDecoder(
            self._settings, options.scales.index(1.0), tuple(sorted(options.keep))
        )
        self._reproducible = options.reproducible
        self._device = resolve_device(options.device_here)
        torch.set_num_threads(options.threads)
        self._net, self._weights_sha256 = load_network(options.weights or PACKAGED_WEIGHTS)
        self._net.to(self._device)

    def fingerprint(self) -> str:
        from torch import __version__ as torch_version

        parameters = {**asdict(self._settings), "long_edge": LONG_EDGE}
        return (
            f"figure weights={self._weights_sha256} parameters={canonical_json(parameters)} "
            f"torch={torch_version.partition('+')[0]}"
        )

    def dense_shapes(self, size_wh: tuple[int, int]) -> Mapping[DenseKind, tuple[int, int, int]]:
        resized = _letter(size_wh, 1.0).resized
        return {
            kind: (_CHANNELS[kind], *frame_grid(resized, stride))
            for kind, stride in _STRIDES.items()
        }

    def bucket(self, size_wh: tuple[int, int]) -> tuple[tuple[int, int], ...]:
        return tuple(_letter(size_wh, scale).padded for scale in self._scales)

    def preprocess(
        self, frames: Sequence[UInt8], boxes_px: Sequence[Float32] | None = None
    ) -> tuple[FigureBatch, list[FigureMeta]]:
        refuse_boxes(self.spec, boxes_px)
        metas = [self._meta(frame) for frame in frames]
        pictures = tuple(
            np.stack(
                [_fitted(frame, letter) for frame, letter in zip(frames, letters, strict=True)]
            )
            for letters in zip(*metas, strict=True)
        )
        return FigureBatch(pictures), metas

    def infer(self, batch: FigureBatch) -> list[FigureRaw]:
        from posemill.models.devices import inference

        with inference(self._device, reproducible=self._reproducible):
            scales = [self._maps(pictures) for pictures in batch.pictures]
        return list(zip(*scales, strict=True))

    def _meta(self, frame: UInt8) -> FigureMeta:
        require_rgb(frame)
        height, width = frame.shape[:2]
        return tuple(_letter((width, height), scale) for scale in self._scales)

    def _maps(self, pictures: UInt8) -> list[FigureMaps]:
        from posemill.models.devices import to_device

        output = self._net(to_device(pictures, self._device).float().div_(255))
        joints, parts, features = (maps.cpu().numpy() for maps in output)
        require_finite(self.spec, joints, parts, features)
        return [FigureMaps(*maps) for maps in zip(joints, parts, features, strict=True)]


def create(options: EstimatorOptions) -> FigureEstimator:
    """Build the estimator; `options.parameters` may set any field of `DecodeSettings`.

    Raises:
        MissingDependency: torch is not installed.
        WeightsUnavailable: `options.weights` is not a file with its weights.
        InputError: an unknown parameter, or a device that is not there.
    """
    if find_spec("torch") is None:
        raise MissingDependency("torch", "torch", "the estimator 'figure'")
    return FigureEstimator(options)


def _settings(parameters: Mapping[str, Any]) -> DecodeSettings:
    known = {name: type(value) for name, value in asdict(DecodeSettings()).items()}
    unknown = sorted(set(parameters) - set(known))
    if unknown:
        raise InputError(
            f"figure has no parameter {', '.join(map(repr, unknown))}; it has: {', '.join(known)}"
        )
    try:
        return DecodeSettings(**{name: known[name](value) for name, value in parameters.items()})
    except (TypeError, ValueError) as error:
        raise InputError(f"figure's parameters must be numbers: {error}") from error


def _letter(size_wh: tuple[int, int], scale: float) -> Letter:
    width, height = size_wh
    factor = scale * LONG_EDGE / max(height, width)
    return Letter(size_wh, (max(round(width * factor), 1), max(round(height * factor), 1)))


def _fitted(frame: UInt8, letter: Letter) -> UInt8:
    """The frame resized, then padded at its right and bottom with grey."""
    if letter.resized != letter.source:
        shrinks = letter.resized[0] < letter.source[0] or letter.resized[1] < letter.source[1]
        how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        frame = np.asarray(cv2.resize(frame, letter.resized, interpolation=how), np.uint8)
    (width, height), (padded_width, padded_height) = letter.resized, letter.padded
    margin = ((0, padded_height - height), (0, padded_width - width), (0, 0))
    return np.pad(frame, margin, constant_values=_GREY)
