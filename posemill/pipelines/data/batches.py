"""What the loader hands over, and how stored numbers become values on the device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import get_worker_info

from posemill.transforms.outputs import OutputSpec


class Batch(NamedTuple):
    """Views of B clips; `torch` moves it to pinned memory as it is."""

    arrays: dict[str, Tensor]
    """By the names of the recipe's outputs, (B, ...) or (B, views, ...), of the stored dtypes."""
    labels: Tensor
    """(B,) int64; or (B, M) float32 with 1 for every class of a clip."""
    number: Tensor
    """(B,) int64: of each clip in the dataset."""
    empty: Tensor
    """(B,) bool: whether what is stored of a clip is all 0."""


class Item(NamedTuple):
    """What becomes one element of a batch."""

    arrays: dict[str, npt.NDArray[Any]]
    labels: tuple[int, ...]
    number: int
    empty: bool


def collate(items: Sequence[Item], num_labels: int | None) -> Batch:
    """A batch of these clips; `num_labels` is M where labels are to be (B, M)."""
    return Batch(
        arrays={name: _stacked([item.arrays[name] for item in items]) for name in items[0].arrays},
        labels=_labels([item.labels for item in items], num_labels),
        number=torch.tensor([item.number for item in items]),
        empty=torch.tensor([item.empty for item in items]),
    )


def dequantise(
    arrays: Mapping[str, Tensor],
    specs: Sequence[OutputSpec],
    device: torch.device | str,
) -> dict[str, Tensor]:
    """float32 values on the device; so it is the stored bytes that travel there.

    From pinned memory the copies run while this process goes on.

    Args:
        arrays: of a batch.
        specs: of the recipe's outputs, all that `arrays` has among them.
        device: where the network is.
    """
    by_name = {spec.name: spec for spec in specs}
    return {
        name: _values(array.to(device, non_blocking=True), by_name[name])
        for name, array in arrays.items()
    }


def _values(stored: Tensor, spec: OutputSpec) -> Tensor:
    values = stored.to(torch.float32, copy=spec.packed)
    if spec.scale_factor is not None:
        values *= spec.scale_factor
    if spec.add_offset is not None:
        values += spec.add_offset
    return values


def _stacked(arrays: Sequence[npt.NDArray[Any]]) -> Tensor:
    """(B, ...); in a worker made in shared memory, or it would be copied there once more."""
    first = torch.from_numpy(np.asarray(arrays[0]))
    shape = (len(arrays), *first.shape)
    out = torch.empty(shape, dtype=first.dtype)
    if get_worker_info() is not None:
        out.share_memory_()  # type: ignore[no-untyped-call]
    np.stack(arrays, out=out.numpy())
    return out


def _labels(labels: Sequence[tuple[int, ...]], num_labels: int | None) -> Tensor:
    if num_labels is None:
        return torch.tensor([first for first, *_ in labels])
    shown = torch.zeros(len(labels), num_labels)
    for row, numbers in zip(shown, labels, strict=True):
        row[list(numbers)] = 1.0
    return shown
