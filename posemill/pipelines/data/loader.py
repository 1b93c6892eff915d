"""Batches through torch's DataLoader, whose workers' faults come out as what they are."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic

import torch
from torch.utils.data import DataLoader, Dataset

from posemill.errors import PosemillError
from posemill.pipelines.data.batches import Batch
from posemill.pipelines.data.dataset import BatchT, ClipDataset
from posemill.pipelines.data.post import SlotPost, TorchPost
from posemill.pipelines.data.sampler import ClipSampler, TestSampler


class BatchLoader(Generic[BatchT]):
    """Batches of a dataset in the order of a sampler, as often as it is iterated."""

    def __init__(
        self,
        dataset: ClipDataset[BatchT],
        sampler: ClipSampler | TestSampler,
        workers: int,
        options: dict[str, Any],
        *,
        pin_memory: bool,
    ) -> None:
        """Use `make_loader`."""
        self._dataset = dataset
        self._sampler = sampler
        self._workers = workers
        self._options = options
        self._pin_memory = pin_memory

    def __len__(self) -> int:
        """Batches of a whole pass."""
        return len(self._sampler)

    def __iter__(self) -> Iterator[BatchT]:
        """Those that the sampler has left.

        Raises:
            PosemillError: what a worker met, as it met it.
            EnvironmentFault: too little shared memory for the batches of workers.
        """
        self._dataset.hold()  # before workers are forked, which share it
        return self._from_workers() if self._workers else self._from_here()

    def _from_here(self) -> Iterator[BatchT]:
        for keys in self._sampler:
            batch = self._dataset.__getitems__(keys)
            yield batch.pin_memory() if self._pin_memory else batch

    def _from_workers(self) -> Iterator[BatchT]:
        post, batches = self._crew
        with _without_main():
            parcels = iter(batches)  # starts the workers
        for parcel in parcels:
            if isinstance(parcel, _Fault):
                raise parcel.error
            batch: Any = post.take(parcel, pin_memory=self._pin_memory)
            yield batch

    @cached_property
    def _crew(self) -> tuple[TorchPost | SlotPost, DataLoader[Any]]:
        """Made once, as its workers stay."""
        count = self._options["prefetch_factor"] * self._workers + 1
        each = self._dataset.bytes_per_clip
        post = TorchPost() if each is None else SlotPost(count, each * self._sampler.batch_size)
        batches: DataLoader[Any] = DataLoader(
            _Sending(self._dataset, post),
            batch_sampler=post.tasks(self._sampler),
            num_workers=self._workers,
            collate_fn=_as_it_is,
            persistent_workers=True,
            generator=torch.Generator(),  # else it draws from the generator of dropout
            **self._options,
        )
        return post, batches


Loader = BatchLoader[Batch]
"""Of rendered or stored maps."""


def make_loader(
    dataset: ClipDataset[BatchT],
    sampler: ClipSampler | TestSampler,
    workers: int = 0,
    *,
    pin_memory: bool = False,
    start_method: str | None = None,
    prefetch: int = 2,
) -> BatchLoader[BatchT]:
    """Batches of `dataset` in the order of `sampler`.

    Workers are started once and kept. A program that spawns them needs no guard
    around its code, and may be a notebook. Batches of maps come through shared
    memory for `prefetch` of each worker and one more, which is taken once.

    Args:
        dataset: training views with a `ClipSampler`, test views with a `TestSampler`.
        sampler: of batches of keys.
        workers: processes that load; 0 loads in this one.
        pin_memory: so that copies to a GPU run beside the computation.
        start_method: fork or spawn; None takes what the dataset's store allows, the
            quicker one where it can.
        prefetch: batches that each worker makes ahead.
    """
    method = start_method or dataset.start_method
    options = {"multiprocessing_context": method, "prefetch_factor": prefetch}
    return BatchLoader(dataset, sampler, workers, options, pin_memory=pin_memory)


@dataclass(frozen=True)
class _Fault:
    """An error on its way out of a worker: torch would make a traceback of it."""

    error: PosemillError


class _Sending(Dataset[Any]):
    """A dataset in a worker: gives its faults instead of raising them."""

    def __init__(self, dataset: ClipDataset[Any], post: TorchPost | SlotPost) -> None:
        self._dataset = dataset
        self._post = post

    def __len__(self) -> int:
        return len(self._dataset)

    def __getitems__(self, task: Any) -> Any:
        try:
            return self._post.make(self._dataset, task)
        except PosemillError as error:
            return _Fault(error)


@contextmanager
def _without_main() -> Iterator[None]:
    """A spawned process would run the main program's file, of which it needs nothing, and which
    may be none: code from a pipe has the file `<stdin>`."""
    main = vars(sys.modules["__main__"])
    hidden: dict[str, Any] = {name: main[name] for name in ("__file__", "__spec__") if name in main}
    main["__spec__"] = None
    main.pop("__file__", None)
    try:
        yield
    finally:
        main.update(hidden)


def _as_it_is(batch: Any) -> Any:
    return batch
