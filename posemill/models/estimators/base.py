"""The interface of a pose estimator.

An `Estimator` turns the frames of one video, in order, into persons. One that
looks at each frame alone derives from `FrameEstimator` and fills in three
steps, so that a pipeline can run them in different places and mix the frames of
several videos in a batch: `preprocess` (CPU), `infer` (device), `decoder` (CPU,
in another process if need be).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from posemill.errors import EnvironmentFault, InputError
from posemill.schema import Float32, Int64, UInt8
from posemill.transforms.sample import DenseKind
from posemill.transforms.tracking import Tracker

Batch = TypeVar("Batch")
Raw = TypeVar("Raw")
Meta = TypeVar("Meta")
RawIn = TypeVar("RawIn", contravariant=True)
MetaIn = TypeVar("MetaIn", contravariant=True)


@dataclass(frozen=True, slots=True)
class Persons:
    """The people of one frame: N persons with K joints.

    Raises:
        ValueError: shapes that disagree, or a track number given twice.
    """

    xy_px: Float32  # (N, K, 2) source pixels
    score: Float32  # (N, K) in [0, 1], 0 = not detected
    slot: Int64  # (N,) track numbers; all -1 where the estimator does not track

    def __post_init__(self) -> None:
        num_persons, num_keypoints = self.score.shape
        if self.xy_px.shape != (num_persons, num_keypoints, 2) or self.slot.shape != (num_persons,):
            raise ValueError(
                f"xy_px {self.xy_px.shape}, score {self.score.shape} and slot {self.slot.shape} "
                "must be (N, K, 2), (N, K) and (N,)"
            )
        tracked = self.slot[self.slot >= 0]
        if len(np.unique(tracked)) != len(tracked):
            raise ValueError(f"two people of a frame share a track: {self.slot.tolist()}")


@dataclass(frozen=True, slots=True)
class EstimatorSpec:
    """What a pipeline must know of an estimator before it runs."""

    name: str
    skeleton: str
    max_batch: int
    """The greatest number of frames in one call of `infer`."""
    takes_boxes: bool = False
    """Whether it can be told where the people are: `preprocess(frames, boxes_px)`."""
    needs_boxes: bool = False
    """Whether it must be: it was built without what finds them, see `EstimatorOptions`."""


@dataclass(frozen=True, slots=True)
class EstimatorOptions:
    """How to build an estimator; resolved by the driver, carried as is to workers.

    Raises:
        ValueError: scales that are not positive, or without 1.
    """

    device: str = "cpu"
    weights: Path | None = None
    """A local file or folder of weights; None takes the packaged or cached ones."""
    variant: str | None = None
    """The name of published weights, looked up in this machine's cache; None takes the default."""
    threads: int = 1
    reproducible: bool = False
    """Batches of one, fixed threads, no reduced precision: bit-equal results."""
    keep: frozenset[DenseKind] = frozenset()
    """The dense maps that `FrameResult.dense` shall hold."""
    scales: tuple[float, ...] = (1.0,)
    """Sizes of the input, as multiples of the usual one, over which dense maps are averaged."""
    boxes_given: bool = False
    """Whether `preprocess` will always be told where the people are: no detector is needed."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """The estimator's own, from `--estimator-option KEY=VALUE`; text where it comes from there."""
    elsewhere: bool = False
    """Whether the device is another machine's, and the estimator here is only asked what it is."""

    @property
    def device_here(self) -> str:
        """Where to put the networks on this machine."""
        return "cpu" if self.elsewhere else self.device

    def __post_init__(self) -> None:
        if 1.0 not in self.scales or not all(scale > 0 for scale in self.scales):
            raise ValueError(
                f"scales must be above 0 and 1 be among them: poses come from it; got {self.scales}"
            )


@dataclass(frozen=True, slots=True)
class FrameResult:
    """What is found in one frame."""

    persons: Persons
    dense: Mapping[DenseKind, Float32] = field(default_factory=dict)
    """By kind (channels, h, w), spread over exactly the whole frame: cell (y, x) is centred at the
    fractions ((x + 1/2) / w, (y + 1/2) / h) of it. `h` and `w` as in `dense_shapes`. Joints are
    heatmaps in [0, 1]."""


CPU_BATCH = 4
"""Frames: on a CPU more are no faster, and the time between two signs of life grows with them."""


def greatest_batch(options: EstimatorOptions, on_gpu: int) -> int:
    """Frames in a batch at most, of a network that takes `on_gpu` on a GPU.

    A batch of one is the only batch whose arithmetic no other frame can change.
    """
    if options.reproducible:
        return 1
    return min(CPU_BATCH, on_gpu) if options.device == "cpu" else on_gpu


class Estimator(ABC):
    """Finds people in the frames of a video."""

    spec: EstimatorSpec

    @abstractmethod
    def fingerprint(self) -> str:
        """Names what decides the output: hash of the weights, parameters, versions."""

    @abstractmethod
    def estimate(self, frames: Iterable[UInt8]) -> Iterator[Persons]:
        """Yield the people of each RGB frame (H, W, 3), in order, one video a call.

        Streams: holds a bounded number of frames, whatever the video's length.
        """

    def dense_shapes(self, size_wh: tuple[int, int]) -> Mapping[DenseKind, tuple[int, int, int]]:
        """(channels, h, w) of each kind of dense maps that it has, of frames of this size."""
        del size_wh
        return {}


class FrameDecoder(Protocol[RawIn, MetaIn]):
    """Turns a network's output into people; can be pickled, to run in another process."""

    def __call__(self, raw: RawIn, meta: MetaIn) -> FrameResult:
        """The people (in source pixels, untracked) and the kept maps of one frame."""


class FrameEstimator(Estimator, Generic[Batch, Raw, Meta]):
    """An estimator that looks at every frame alone; people are tracked afterwards."""

    decoder: FrameDecoder[Raw, Meta]

    @abstractmethod
    def bucket(self, size_wh: tuple[int, int]) -> Hashable:
        """Frames can share a batch where the buckets of their (width, height) are equal.

        Raises:
            InputError: a frame of that size cannot be taken.
        """

    @abstractmethod
    def preprocess(
        self, frames: Sequence[UInt8], boxes_px: Sequence[Float32] | None = None
    ) -> tuple[Batch, list[Meta]]:
        """RGB frames of one bucket to a device-ready batch, and per frame what `decoder` needs.

        At most `spec.max_batch` frames. `boxes_px` has, where `spec.takes_boxes`,
        for each frame (N, 4) left, top, right and bottom of the people in it; None
        leaves it to the estimator to find them.

        Raises:
            InputError: what is no frame, or boxes for an estimator that takes none.
        """

    @abstractmethod
    def infer(self, batch: Batch) -> list[Raw]:
        """The network's raw output, in the memory of this process, an entry for each frame.

        Raises:
            DeviceOutOfMemory: the batch is too large for the device; a smaller one may do.
            EnvironmentFault: the device fails.
        """

    def estimate(self, frames: Iterable[UInt8]) -> Iterator[Persons]:
        tracker = Tracker()
        remaining = iter(frames)
        while chunk := list(islice(remaining, self.spec.max_batch)):
            for result in self.results(chunk):
                persons = result.persons
                slot = tracker.update(persons.xy_px, persons.score)
                yield Persons(xy_px=persons.xy_px, score=persons.score, slot=slot)

    def results(
        self, frames: Sequence[UInt8], boxes_px: Sequence[Float32] | None = None
    ) -> list[FrameResult]:
        """What is found in each frame, whatever their sizes; in batches by bucket."""
        found: dict[int, FrameResult] = {}
        for positions in self._batches(frames):
            chosen = [frames[position] for position in positions]
            boxes = None if boxes_px is None else [boxes_px[position] for position in positions]
            batch, metas = self.preprocess(chosen, boxes)
            decoded = map(self.decoder, self.infer(batch), metas)
            found.update(zip(positions, decoded, strict=True))
        return [found[position] for position in range(len(frames))]

    def _batches(self, frames: Sequence[UInt8]) -> Iterator[list[int]]:
        """Positions of frames that go together."""
        buckets: dict[Hashable, list[int]] = {}
        for position, frame in enumerate(frames):
            require_rgb(frame)
            height, width = frame.shape[:2]
            buckets.setdefault(self.bucket((width, height)), []).append(position)
        size = self.spec.max_batch
        for bucket in buckets.values():
            yield from (bucket[start : start + size] for start in range(0, len(bucket), size))


def require_rgb(frame: UInt8) -> None:
    """Raises:
    InputError: it is no RGB picture.
    """
    if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8 or frame.size == 0:
        raise InputError(
            f"a frame must be RGB uint8 (height, width, 3), got {frame.dtype} {frame.shape}"
        )


def require_finite(spec: EstimatorSpec, *outputs: npt.NDArray[Any]) -> None:
    """Raises:
    EnvironmentFault: a network gave what is no number; people made of it would be wrong, or
        none: the weights are damaged, or the device computes wrongly.
    """
    if not all(np.isfinite(output).all() for output in outputs):
        raise EnvironmentFault(
            f"the network of {spec.name} gave numbers that are infinite or undefined; check its "
            "weights with: posemill models list, take others with --weights, or another --device"
        )


def refuse_boxes(spec: EstimatorSpec, boxes_px: Sequence[Float32] | None) -> None:
    """Raises:
    InputError: boxes are given for an estimator that takes none.
    """
    if boxes_px is not None:
        raise InputError(
            f"the estimator {spec.name} finds people by itself and takes no boxes; leave them out, "
            "or name a top-down estimator"
        )


def trial_boxes(spec: EstimatorSpec, frames: Sequence[UInt8]) -> list[Float32] | None:
    """One box as large as the frame for each frame of a trial; None where none are needed."""
    if not spec.needs_boxes:
        return None
    return [
        np.array([[-0.5, -0.5, f.shape[1] - 0.5, f.shape[0] - 0.5]], np.float32) for f in frames
    ]


def untracked(xy_px: Float32, score: Float32) -> Persons:
    """People (N, K, 2) and (N, K) whose tracks are not known yet."""
    return Persons(xy_px=xy_px, score=score, slot=np.full(len(score), -1, np.int64))
