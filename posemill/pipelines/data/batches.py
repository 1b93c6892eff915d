"""What the loader hands over, and how stored numbers become values on the device."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from posemill.transforms.outputs import OutputSpec


class Batch(NamedTuple):
    """Views of B clips."""

    arrays: dict[str, Tensor]
    """By the names of the recipe's outputs, (B, ...) or (B, views, ...), of the stored dtypes."""
    labels: Tensor
    """(B,) int64; or (B, M) float32 with 1 for every class of a clip."""
    number: Tensor
    """(B,) int64: of each clip in the dataset."""
    empty: Tensor
    """(B,) bool: whether what is stored of a clip is all 0."""

    def pin_memory(self) -> Self:
        """The same in memory that a GPU copies from by itself."""
        arrays = {name: array.pin_memory() for name, array in self.arrays.items()}
        return type(self)(arrays, *(part.pin_memory() for part in self[1:]))


class Item(NamedTuple):
    """What becomes one element of a batch."""

    arrays: dict[str, npt.NDArray[Any]]
    labels: tuple[int, ...]
    number: int
    empty: bool


class Allocate(Protocol):
    """Makes room for an array, with whatever is in it; `numpy.empty` is one."""

    def __call__(self, shape: tuple[int, ...], dtype: npt.DTypeLike, /) -> npt.NDArray[Any]: ...


def collate(
    items: Iterable[Item], size: int, num_labels: int | None, allocate: Allocate = np.empty
) -> Batch:
    """A batch of these clips, each of them copied and let go before the next one is made.

    So the memory of one serves the next: new memory for each would cost more
    than rendering does.

    Args:
        items: in order.
        size: how many.
        num_labels: M where labels are to be (B, M).
        allocate: gives the memory that the batch's arrays are written to.

    Raises:
        ValueError: no items, or of another number.
    """
    arrays: dict[str, npt.NDArray[Any]] = {}
    labels, number, empty = [], np.empty(size, np.int64), np.empty(size, np.bool_)
    for place, item in enumerate(items):
        for name, array in item.arrays.items():
            if place == 0:
                arrays[name] = allocate((size, *array.shape), array.dtype)
            arrays[name][place] = array
        labels.append(item.labels)
        number[place], empty[place] = item.number, item.empty
    if len(labels) != size or not size:
        raise ValueError(f"expected {size} clips for a batch, 1 or more, got {len(labels)}")
    return Batch(
        arrays={name: torch.from_numpy(array) for name, array in arrays.items()},
        labels=label_tensor(labels, num_labels),
        number=torch.from_numpy(number),
        empty=torch.from_numpy(empty),
    )


def label_tensor(labels: Sequence[tuple[int, ...]], num_labels: int | None) -> Tensor:
    """(B,) the first class of each clip; or (B, M), with 1 for every class, where M is given."""
    if num_labels is None:
        return torch.tensor([first for first, *_ in labels])
    shown = torch.zeros(len(labels), num_labels)
    for row, numbers in zip(shown, labels, strict=True):
        row[list(numbers)] = 1.0
    return shown


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
