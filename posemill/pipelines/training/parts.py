"""A batch in parts that the network takes one after another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor

from posemill.pipelines.data import Batch


@dataclass(frozen=True, slots=True)
class Part:
    """Some views of a batch."""

    arrays: dict[str, Tensor]  # (V, ...) by name
    labels: Tensor  # (V,) or (V, M)
    instances: Tensor  # (V,) equal for views of one clip
    share: float
    """Of the batch's views."""


def split_batch(batch: Batch, count: int, views_per_clip: int) -> Iterator[Part]:
    """The batch in `count` parts, or in fewer where it has fewer clips.

    Of several views a clip, all are in one part: a contrast compares them.
    """
    num_clips = len(batch.labels)
    sizes = [size for size in _even_sizes(num_clips, count) if size]
    start = 0
    for size in sizes:
        some = slice(start, start + size)
        arrays = {name: array[some] for name, array in batch.arrays.items()}
        labels, instances = batch.labels[some], batch.number[some]
        if views_per_clip > 1:
            arrays = {name: array.flatten(0, 1) for name, array in arrays.items()}
            labels = labels.repeat_interleave(views_per_clip, dim=0)
            instances = instances.repeat_interleave(views_per_clip)
        yield Part(arrays, labels, instances, size / num_clips)
        start += size


def _even_sizes(total: int, count: int) -> list[int]:
    return [(total * (i + 1)) // count - (total * i) // count for i in range(count)]
