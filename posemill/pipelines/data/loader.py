"""Batches through torch's DataLoader, whose workers' faults come out as what they are."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from posemill.errors import PosemillError
from posemill.pipelines.data.batches import Batch
from posemill.pipelines.data.dataset import TestDataset, TrainDataset


class Loader:
    """Batches of a dataset in the order of a sampler, as often as it is iterated."""

    def __init__(self, dataset: TrainDataset | TestDataset, batches: DataLoader[Any]) -> None:
        """Use `make_loader`."""
        self._dataset = dataset
        self._batches = batches

    def __len__(self) -> int:
        """Batches of a whole pass."""
        return len(self._batches)

    def __iter__(self) -> Iterator[Batch]:
        """Those that the sampler has left.

        Raises:
            PosemillError: what a worker met, as it met it.
        """
        self._dataset.hold()  # before workers are forked, which share it
        with _without_main():
            batches = iter(self._batches)  # starts the workers
        for batch in batches:
            if isinstance(batch, _Fault):
                raise batch.error
            yield batch


def make_loader(
    dataset: TrainDataset | TestDataset,
    sampler: Sampler[Any],
    workers: int = 0,
    *,
    pin_memory: bool = False,
    start_method: str | None = None,
    prefetch: int = 2,
) -> Loader:
    """Batches of `dataset` in the order of `sampler`.

    Workers are started once and kept. A program that spawns them needs no guard
    around its code, and may be a notebook.

    Args:
        dataset: training views with a `ClipSampler`, test views with a `TestSampler`.
        sampler: of batches of keys.
        workers: processes that load; 0 loads in this one.
        pin_memory: so that copies to a GPU run beside the computation.
        start_method: fork or spawn; None takes what the dataset's store allows, the
            quicker one where it can.
        prefetch: batches that each worker makes ahead.
    """
    options: dict[str, Any] = {}
    if workers:
        options = {
            "multiprocessing_context": start_method or dataset.start_method,
            "persistent_workers": True,
            "prefetch_factor": prefetch,
        }
    return Loader(
        dataset,
        DataLoader(
            _Guarded(dataset),
            batch_sampler=sampler,
            num_workers=workers,
            collate_fn=_as_it_is,
            pin_memory=pin_memory,
            generator=torch.Generator(),  # else it draws from the generator of dropout
            **options,
        ),
    )


@dataclass(frozen=True)
class _Fault:
    """An error on its way out of a worker: torch would make a traceback of it."""

    error: PosemillError


class _Guarded(Dataset[Any]):
    """A dataset that gives its faults instead of raising them."""

    def __init__(self, dataset: TrainDataset | TestDataset) -> None:
        self._dataset = dataset

    def __len__(self) -> int:
        return len(self._dataset)

    def __getitems__(self, keys: Sequence[Any]) -> Batch | _Fault:
        try:
            return self._dataset.__getitems__(keys)
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
