"""Batches through torch's DataLoader, whose workers' faults come out as what they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from posemill.errors import PosemillError
from posemill.pipelines.data.batches import Batch
from posemill.pipelines.data.dataset import TestDataset, TrainDataset


class Loader:
    """Batches of a dataset in the order of a sampler, as often as it is iterated."""

    def __init__(self, batches: DataLoader[Any]) -> None:
        """Use `make_loader`."""
        self._batches = batches

    def __len__(self) -> int:
        """Batches of a whole pass."""
        return len(self._batches)

    def __iter__(self) -> Iterator[Batch]:
        """Those that the sampler has left.

        Raises:
            PosemillError: what a worker met, as it met it.
        """
        for batch in self._batches:
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

    Workers are started once and kept. They need no guard around the main
    program's code and nothing of a notebook's.

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
        DataLoader(
            _Guarded(dataset),
            batch_sampler=sampler,
            num_workers=workers,
            collate_fn=_as_it_is,
            pin_memory=pin_memory,
            generator=torch.Generator(),  # else it draws from the generator of dropout
            **options,
        )
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


def _as_it_is(batch: Any) -> Any:
    return batch
