"""`figure`: a tiny estimator for the fixtures' people, with its weights in the package.

It knows rendered figures only and is no use on real footage; it makes the demo
and the tests run in seconds anywhere, through the same code as any estimator.
Torch is imported where the estimator is built.
"""

from __future__ import annotations

from collections import defaultdict
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
    Persons,
)
from posemill.models.estimators.figure_decode import DecodeSettings, decode_maps
from posemill.provenance import canonical_json
from posemill.schema import Float32, UInt8
from posemill.transforms.skeletons import COCO_17

LONG_EDGE = 256
MULTIPLE = 16  # of the network's input sizes
MAX_BATCH = 16
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
    """Frames by padded shape, and where each of them was in the sequence given."""

    pictures: tuple[UInt8, ...]  # each (B, H, W, 3)
    positions: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class DenseMaps:
    """The network's maps for B frames of one padded shape (H, W), resized to its input."""

    joint_heatmaps: Float32  # (B, 17, H / 4, W / 4)
    part_fields: Float32  # (B, 36, H / 4, W / 4) x and y of each of FIELD_LIMBS
    features: Float32  # (B, 64, H / 16, W / 16)


@dataclass(frozen=True, slots=True)
class FigureRaw:
    """Maps by padded shape, and where each frame was in the sequence given."""

    maps: tuple[DenseMaps, ...]
    positions: tuple[tuple[int, ...], ...]


class FigureEstimator(FrameEstimator[FigureBatch, FigureRaw, Letter]):
    """Finds the fixtures' people; built by `create`."""

    def __init__(self, options: EstimatorOptions) -> None:
        import torch

        from posemill.models.devices import resolve_device
        from posemill.models.estimators.figure_weights import PACKAGED_WEIGHTS, load_network

        self.spec = EstimatorSpec("figure", COCO_17.name, MAX_BATCH)
        self._settings = _settings(options.parameters)
        # A batch of one is the only batch whose arithmetic no other frame can change.
        self._bucket_size = 1 if options.reproducible else MAX_BATCH
        self._reproducible = options.reproducible
        self._device = resolve_device(options.device)
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

    def preprocess(self, frames: Sequence[UInt8]) -> tuple[FigureBatch, list[Letter]]:
        letters = [_letter(frame) for frame in frames]
        buckets: dict[tuple[int, int], list[int]] = defaultdict(list)
        for position, letter in enumerate(letters):
            buckets[letter.padded].append(position)
        positions = [
            tuple(bucket[start : start + self._bucket_size])
            for bucket in buckets.values()
            for start in range(0, len(bucket), self._bucket_size)
        ]
        pictures = [
            np.stack([_fitted(frames[position], letters[position]) for position in bucket])
            for bucket in positions
        ]
        return FigureBatch(tuple(pictures), tuple(positions)), letters

    def infer(self, batch: FigureBatch) -> FigureRaw:
        maps = tuple(self._maps(pictures) for pictures in batch.pictures)
        return FigureRaw(maps, batch.positions)

    def decode(self, raw: FigureRaw, metas: Sequence[Letter]) -> list[Persons]:
        people: dict[int, Persons] = {}
        for maps, positions in zip(raw.maps, raw.positions, strict=True):
            for index, position in enumerate(positions):
                xy_px, score = decode_maps(
                    maps.joint_heatmaps[index], maps.part_fields[index], self._settings
                )
                people[position] = Persons(
                    xy_px=metas[position].to_source(xy_px),
                    score=score,
                    slot=np.full(len(score), -1, np.int64),
                )
        return [people[position] for position in range(len(metas))]

    def dense(self, frames: Sequence[UInt8]) -> DenseMaps:
        """Joint heatmaps, part fields and features of frames of one padded shape.

        Raises:
            InputError: no frames, or frames whose padded shapes differ.
        """
        batch, letters = self.preprocess(frames)
        shapes = sorted({letter.padded for letter in letters})
        if len(shapes) != 1:
            raise InputError(
                f"dense maps need frames of one padded size, got {len(shapes)} sizes "
                f"(width, height) {shapes}; call it once for each"
            )
        maps = self.infer(batch).maps
        return DenseMaps(
            joint_heatmaps=np.concatenate([part.joint_heatmaps for part in maps]),
            part_fields=np.concatenate([part.part_fields for part in maps]),
            features=np.concatenate([part.features for part in maps]),
        )

    def _maps(self, pictures: UInt8) -> DenseMaps:
        import torch

        cudnn = torch.backends.cudnn.flags(
            enabled=True,
            deterministic=self._reproducible,
            allow_tf32=not self._reproducible,
        )
        with torch.inference_mode(), cudnn:
            moved = torch.from_numpy(pictures).to(self._device).permute(0, 3, 1, 2)
            output = self._net(moved.float().div_(255))
        heatmaps, part_fields, features = (maps.cpu().numpy() for maps in output)
        return DenseMaps(heatmaps, part_fields, features)


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


def _letter(frame: UInt8) -> Letter:
    if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8 or frame.size == 0:
        raise InputError(
            f"a frame must be RGB uint8 (height, width, 3), got {frame.dtype} {frame.shape}"
        )
    height, width = frame.shape[:2]
    scale = LONG_EDGE / max(height, width)
    return Letter((width, height), (max(round(width * scale), 1), max(round(height * scale), 1)))


def _fitted(frame: UInt8, letter: Letter) -> UInt8:
    """The frame resized, then padded at its right and bottom with grey."""
    if letter.resized != letter.source:
        shrinks = letter.resized[0] < letter.source[0] or letter.resized[1] < letter.source[1]
        how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        frame = np.asarray(cv2.resize(frame, letter.resized, interpolation=how), np.uint8)
    (width, height), (padded_width, padded_height) = letter.resized, letter.padded
    margin = ((0, padded_height - height), (0, padded_width - width), (0, 0))
    return np.pad(frame, margin, constant_values=_GREY)
