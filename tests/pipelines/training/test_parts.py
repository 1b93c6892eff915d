"""Parts of a batch: all of it, in order, and views of one clip together."""

import pytest
import torch

from posemill.pipelines.data import Batch
from posemill.pipelines.training.parts import split_batch


def batch(num_clips: int, *views: int) -> Batch:
    numbers = torch.arange(num_clips)
    arrays = {"u": torch.arange(num_clips * max([1, *views])).reshape(num_clips, *views)}
    return Batch(arrays, numbers % 2, numbers, numbers < 0)


@pytest.mark.parametrize(("count", "sizes"), [(1, [7]), (2, [3, 4]), (3, [2, 2, 3]), (9, [1] * 7)])
def test_parts_are_as_even_as_can_be(count: int, sizes: list[int]) -> None:
    parts = list(split_batch(batch(7), count, views_per_clip=1))
    assert [len(part.labels) for part in parts] == sizes
    assert [part.share for part in parts] == [size / 7 for size in sizes]
    assert sum(part.share for part in parts) == pytest.approx(1.0)
    assert torch.cat([part.arrays["u"] for part in parts]).tolist() == list(range(7))
    assert torch.cat([part.labels for part in parts]).tolist() == [0, 1, 0, 1, 0, 1, 0]


def test_views_of_a_clip_stay_together_and_know_their_clip() -> None:
    first, second = split_batch(batch(3, 2), 2, views_per_clip=2)
    assert (first.arrays["u"].tolist(), second.arrays["u"].tolist()) == ([0, 1], [2, 3, 4, 5])
    assert second.instances.tolist() == [1, 1, 2, 2]
    assert second.labels.tolist() == [1, 1, 0, 0]
    assert (first.share, second.share) == (1 / 3, 2 / 3)


def test_labels_of_several_classes_are_repeated_by_row() -> None:
    whole = batch(2, 2)._replace(labels=torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]))
    (part,) = split_batch(whole, 1, views_per_clip=2)
    assert part.labels.tolist() == [[1, 0, 1], [1, 0, 1], [0, 1, 0], [0, 1, 0]]
