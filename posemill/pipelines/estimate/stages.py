"""A frame estimator's three steps, side by side: one batch is prepared while the next to last is
on the device, and before that are decoded."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any, Generic, TypeVar

from posemill.errors import DeviceOutOfMemory, EnvironmentFault
from posemill.models.estimators.base import FrameDecoder, FrameEstimator, FrameResult
from posemill.schema import Float32, UInt8

Tag = TypeVar("Tag")

_ON_DEVICE = 2
"""Batches: one that the device works on, and one that is ready for it."""


@dataclass(frozen=True, slots=True)
class Tagged(Generic[Tag]):
    """A frame, and whose it is."""

    tag: Tag
    rgb: UInt8  # (H, W, 3)
    boxes_px: Float32 | None = None  # (N, 4), where the estimator is told where people are


Output = list[tuple[Any, Any]]
"""The raw output and the meta of each frame of a batch."""


class Stages(Generic[Tag]):
    """Results come in the order of the batches. Not for several threads; `close` it."""

    def __init__(self, estimator: FrameEstimator[Any, Any, Any], size: int, processes: int) -> None:
        """Batches have `size` frames at most, less once the device has no memory for so many;
        `processes` decode, or this one where there are 0."""
        self.size = size
        self._estimator = estimator
        self._preparing = ThreadPoolExecutor(1, "prepare")
        self._device = ThreadPoolExecutor(1, "infer")
        self._processes = processes
        self._decoding = _decoders(processes)
        self._on_device: deque[tuple[list[Tagged[Tag]], Future[Output]]] = deque()
        self._decoded: deque[tuple[list[Tagged[Tag]], Future[list[FrameResult]]]] = deque()

    def ready(self) -> None:
        """Wait until all processes run: their start is no batch's time."""
        if self._decoding is not None:
            nothing: Output = []
            decoder = self._estimator.decoder
            all_of_them = range(self._processes)
            started = [self._decoding.submit(decode_all, decoder, nothing) for _ in all_of_them]
            for each in started:
                each.result()

    @property
    def takes_another(self) -> bool:
        """Whether a batch can be put in that need not wait for long."""
        return len(self._on_device) < _ON_DEVICE and len(self._decoded) <= 2 * self._processes

    @property
    def busy(self) -> bool:
        return bool(self._on_device or self._decoded)

    def put(self, batch: list[Tagged[Tag]]) -> None:
        """Begin with a batch of frames of one bucket."""
        prepared = self._preparing.submit(self._prepare, batch)
        self._on_device.append((batch, self._device.submit(self._infer, batch, prepared)))

    def oldest(self) -> Iterator[tuple[Tag, FrameResult]]:
        """Wait for the oldest batch, and give its results.

        Raises:
            EnvironmentFault: the device fails, or has no memory for a single frame.
        """
        self._hand_over(wait=not self._decoded)
        batch, results = self._decoded.popleft()
        yield from zip((frame.tag for frame in batch), results.result(), strict=True)

    def finished(self) -> bool:
        """Whether the oldest batch is done, so that `oldest` does not wait."""
        self._hand_over(wait=False)
        return bool(self._decoded) and self._decoded[0][1].done()

    def close(self) -> None:
        """Begin nothing more; what runs on is ended with the process."""
        for executor in (self._preparing, self._device, self._decoding):
            if executor is not None:
                executor.shutdown(wait=False, cancel_futures=True)

    def _hand_over(self, *, wait: bool) -> None:
        """Have decoded what the device is done with; `wait` for one batch at least."""
        while self._on_device and (wait or self._on_device[0][1].done()):
            batch, output = self._on_device.popleft()
            self._decoded.append((batch, self._decode(output.result())))
            wait = False

    def _decode(self, output: Output) -> Future[list[FrameResult]]:
        if self._decoding is not None:
            return self._decoding.submit(decode_all, self._estimator.decoder, output)
        done: Future[list[FrameResult]] = Future()
        done.set_result(decode_all(self._estimator.decoder, output))
        return done

    def _prepare(self, batch: Sequence[Tagged[Tag]]) -> tuple[Any, list[Any]]:
        boxes = [frame.boxes_px for frame in batch if frame.boxes_px is not None]
        return self._estimator.preprocess([frame.rgb for frame in batch], boxes or None)

    def _infer(self, batch: Sequence[Tagged[Tag]], prepared: Future[tuple[Any, Any]]) -> Output:
        pictures, metas = prepared.result()
        try:
            return list(zip(self._estimator.infer(pictures), metas, strict=True))
        except DeviceOutOfMemory as error:
            reason = str(error)
        # Out of the handler: the error's traceback would hold what is on the device.
        return self._infer_halves(batch, reason)

    def _infer_halves(self, batch: Sequence[Tagged[Tag]], reason: str) -> Output:
        if len(batch) == 1:
            raise EnvironmentFault(
                f"the device has no memory for a single frame: {reason}; give smaller frames with "
                "--long-edge, a smaller model with --weights, or a device with more memory"
            )
        half = len(batch) // 2
        self.size = min(self.size, half)
        output: Output = []
        for start in range(0, len(batch), half):
            part = batch[start : start + half]
            prepared: Future[tuple[Any, Any]] = Future()
            prepared.set_result(self._prepare(part))
            output += self._infer(part, prepared)
        return output


def decode_all(decoder: FrameDecoder[Any, Any], output: Output) -> list[FrameResult]:
    """What is found in each frame of a batch."""
    return [decoder(raw, meta) for raw, meta in output]


def _decoders(processes: int) -> Executor | None:
    """Spawned: a fork would lose the threads of the network's library."""
    return ProcessPoolExecutor(processes, get_context("spawn")) if processes else None
