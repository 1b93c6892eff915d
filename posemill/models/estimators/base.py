"""The interface of a pose estimator.

An `Estimator` turns the frames of one video, in order, into persons. One that
looks at each frame alone derives from `FrameEstimator` and fills in three
steps, so that a pipeline can run them in different places: `preprocess` (CPU),
`infer` (device), `decode` (CPU).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np

from posemill.schema import Float32, Int64, UInt8
from posemill.transforms.tracking import Tracker

Batch = TypeVar("Batch")
Raw = TypeVar("Raw")
Meta = TypeVar("Meta")


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


@dataclass(frozen=True, slots=True)
class EstimatorOptions:
    """How to build an estimator; resolved by the driver, carried as is to workers."""

    device: str = "cpu"
    weights: Path | None = None
    """A local file or folder of weights; None takes the packaged or cached ones."""
    threads: int = 1
    reproducible: bool = False
    """Constant padded batches, fixed threads, no reduced precision: bit-equal results."""
    parameters: Mapping[str, Any] = field(default_factory=dict)


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


class FrameEstimator(Estimator, Generic[Batch, Raw, Meta]):
    """An estimator that looks at every frame alone; people are tracked afterwards."""

    @abstractmethod
    def preprocess(self, frames: Sequence[UInt8]) -> tuple[Batch, Sequence[Meta]]:
        """Frames to a device-ready batch, and per frame what `decode` needs to go back."""

    @abstractmethod
    def infer(self, batch: Batch) -> Raw:
        """The network's raw output for a batch."""

    @abstractmethod
    def decode(self, raw: Raw, metas: Sequence[Meta]) -> list[Persons]:
        """Raw output to people in source pixels, a list entry per frame."""

    def estimate(self, frames: Iterable[UInt8]) -> Iterator[Persons]:
        tracker = Tracker()
        remaining = iter(frames)
        while chunk := list(islice(remaining, self.spec.max_batch)):
            batch, metas = self.preprocess(chunk)
            for persons in self.decode(self.infer(batch), metas):
                slot = tracker.update(persons.xy_px, persons.score)
                yield Persons(xy_px=persons.xy_px, score=persons.score, slot=slot)
