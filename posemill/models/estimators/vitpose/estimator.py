"""`vitpose`: RT-DETR finds the people, or the caller says where they are; ViTPose their joints.

torch and transformers are imported where the estimator is built.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from importlib.util import find_spec

import cv2
import numpy as np

from posemill.errors import InputError, MissingDependency
from posemill.models.estimators.base import (
    EstimatorOptions,
    EstimatorSpec,
    FrameEstimator,
    greatest_batch,
    require_rgb,
)
from posemill.models.estimators.vitpose.crop import Crops, boxes_inside, crops_around, cut
from posemill.models.estimators.vitpose.decoder import (
    HeatmapDecoder,
    PersonHeatmaps,
    dense_grid,
)
from posemill.models.estimators.vitpose.settings import VitposeSettings, parse_settings
from posemill.models.estimators.vitpose.weights import detector_folder, pose_folder
from posemill.provenance import canonical_json
from posemill.schema import Float32, UInt8
from posemill.transforms.sample import DenseKind
from posemill.transforms.skeletons import COCO_17

MAX_BATCH = 8


@dataclass(frozen=True, slots=True)
class FramesToSearch:
    """Frames in which people are still to be found."""

    frames: tuple[UInt8, ...]
    stretched: UInt8  # (B, S, S, 3)


@dataclass(frozen=True, slots=True)
class CroppedPeople:
    """The people of B frames."""

    crops: tuple[Crops, ...]  # a frame
    pictures: UInt8  # (P, H, W, 3) of all frames, one after the other


VitposeBatch = FramesToSearch | CroppedPeople


class VitposeEstimator(FrameEstimator[VitposeBatch, PersonHeatmaps, tuple[int, int]]):
    """Top-down: people first, then the joints of each; built by `create`."""

    def __init__(self, options: EstimatorOptions, settings: VitposeSettings) -> None:
        import torch

        from posemill.models.devices import resolve_device
        from posemill.models.estimators.vitpose.detector import PersonDetector
        from posemill.models.estimators.vitpose.pose_network import PoseNetwork

        exact = options.reproducible
        self.spec = EstimatorSpec(
            "vitpose",
            COCO_17.name,
            greatest_batch(options, MAX_BATCH),
            takes_boxes=True,
            needs_boxes=options.boxes_given,
        )
        self.decoder = HeatmapDecoder(keep_joints="joints" in options.keep)
        self._settings = settings
        self._exact = exact
        self._device = resolve_device(options.device_here)
        torch.set_num_threads(options.threads)
        self._network = PoseNetwork(pose_folder(options), settings, self._device, exact=exact)
        self._detector: PersonDetector | None = None
        if not options.boxes_given:
            folder = detector_folder(options, settings.detector)
            self._detector = PersonDetector(
                folder, settings.person_threshold, self._device, exact=exact
            )

    def fingerprint(self) -> str:
        packages = {name: version(name).partition("+")[0] for name in ("torch", "transformers")}
        parameters = {
            name: value for name, value in asdict(self._settings).items() if name != "detector"
        }
        detector = "none" if self._detector is None else self._detector.folder.sha256
        return (
            f"vitpose weights={self._network.folder.sha256} detector={detector} "
            f"parameters={canonical_json(parameters)} versions={canonical_json(packages)} "
            f"opencv={cv2.__version__}"
        )

    def dense_shapes(self, size_wh: tuple[int, int]) -> Mapping[DenseKind, tuple[int, int, int]]:
        return {"joints": (COCO_17.num_keypoints, *dense_grid(size_wh))}

    def bucket(self, size_wh: tuple[int, int]) -> str:
        """Frames of any sizes go together: what the networks see of them has one size."""
        del size_wh
        return "any"

    def preprocess(
        self, frames: Sequence[UInt8], boxes_px: Sequence[Float32] | None = None
    ) -> tuple[VitposeBatch, list[tuple[int, int]]]:
        from posemill.models.estimators.vitpose.detector import stretched

        for frame in frames:
            require_rgb(frame)
        sizes = [(frame.shape[1], frame.shape[0]) for frame in frames]
        if boxes_px is not None:
            return self._cropped(frames, boxes_px), sizes
        if self._detector is None:
            raise InputError(
                "vitpose was built for boxes that it is given, and got frames without any; give "
                "boxes for every frame, none where nobody is, or build it with a detector"
            )
        side = self._settings.detector_size
        pictures = np.stack([stretched(frame, side) for frame in frames])
        return FramesToSearch(tuple(frames), pictures), sizes

    def infer(self, batch: VitposeBatch) -> list[PersonHeatmaps]:
        from posemill.models.devices import inference

        with inference(self._device, reproducible=self._exact):
            people = batch if isinstance(batch, CroppedPeople) else self._search(batch)
            heatmaps = self._network.heatmaps(people.pictures)
        last = np.cumsum([len(crops) for crops in people.crops])[:-1]
        found = zip(np.split(heatmaps, last), people.crops, strict=True)
        return [PersonHeatmaps(*person) for person in found]

    def _search(self, batch: FramesToSearch) -> CroppedPeople:
        assert self._detector is not None  # noqa: S101  (`preprocess` refused such frames)
        return self._cropped(
            batch.frames,
            [
                _pixels(boxes, frame)
                for boxes, frame in zip(
                    self._detector.boxes(batch.stretched), batch.frames, strict=True
                )
            ],
        )

    def _cropped(self, frames: Sequence[UInt8], boxes_px: Sequence[Float32]) -> CroppedPeople:
        width, height = self._network.size_wh
        crops, pictures = [], []
        for frame, boxes in zip(frames, boxes_px, strict=True):
            inside = boxes_inside(boxes, (frame.shape[1], frame.shape[0]))
            crops.append(crops_around(inside, width / height, self._settings.padding))
            pictures.append(cut(frame, crops[-1], (width, height)))
        return CroppedPeople(tuple(crops), np.concatenate(pictures))


def create(options: EstimatorOptions) -> VitposeEstimator:
    """Build the estimator; `options.parameters` may set any field of `VitposeSettings`.

    Raises:
        MissingDependency: torch or transformers is not installed.
        WeightsUnavailable: weights are not on this machine, damaged, or of another network.
        InputError: an unknown parameter, a device that is not there, or maps that it has not.
    """
    for package in ("torch", "transformers"):
        if find_spec(package) is None:
            raise MissingDependency(package, "vitpose", "the estimator 'vitpose'")
    settings = parse_settings(options.parameters)
    if lacking := sorted(options.keep - {"joints"}):
        raise InputError(f"vitpose has no maps of {', '.join(lacking)} to keep; it has joints")
    if options.scales != (1.0,):
        raise InputError(
            f"vitpose sees people at one size, so there is nothing to average over the scales "
            f"{options.scales}; leave them out"
        )
    return VitposeEstimator(options, settings)


def _pixels(boxes: Float32, frame: UInt8) -> Float32:
    """Boxes in fractions of the frame, whose edges lie half a pixel beyond the outermost centres,
    in its pixels."""
    height, width = frame.shape[:2]
    scale = np.array([width, height, width, height], np.float32)
    return np.asarray(boxes * scale - np.float32(0.5), np.float32)
