"""TensorFlow's borders and branches side by side, by hand."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from hypothesis import given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from torch import nn  # noqa: E402

from posemill.models.backbones.inception import (  # noqa: E402
    Branches,
    SamePad,
    same_border,
    same_max_pool,
    scaled,
)


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "border"),
    [
        (224, 7, 2, (2, 3)),  # 112 windows: the last starts at 222 and ends at 229
        (7, 7, 2, (3, 3)),  # 4 windows, from 0 to 6: 13 values
        (8, 3, 2, (0, 1)),
        (7, 3, 2, (1, 1)),
        (7, 2, 2, (0, 1)),
        (8, 2, 2, (0, 0)),
        (5, 3, 1, (1, 1)),
        (5, 1, 2, (0, 0)),
        (1, 7, 2, (3, 3)),
    ],
)
def test_borders_by_hand(size: int, kernel: int, stride: int, border: tuple[int, int]) -> None:
    assert same_border(size, kernel, stride) == border


@given(st.integers(1, 60), st.integers(1, 7), st.integers(1, 3))
def test_there_are_as_many_windows_as_strides_begin(size: int, kernel: int, stride: int) -> None:
    before, after = same_border(size, kernel, stride)
    assert after - before in (0, 1)
    assert (size + before + after - kernel) // stride + 1 == -(-size // stride)
    # No more than the last window needs.
    assert before + after == 0 or (size + before + after - kernel) % stride == 0


def test_a_border_of_each_dimension() -> None:
    padded = SamePad((1, 2, 3), (1, 2, 2), value=9.0)(torch.zeros(1, 1, 2, 3, 4))
    assert padded.shape == (1, 1, 2, 4, 5)
    assert padded[0, 0, 0].tolist() == [
        [0, 0, 0, 0, 9],
        [0, 0, 0, 0, 9],
        [0, 0, 0, 0, 9],
        [9, 9, 9, 9, 9],
    ]


def test_borders_are_never_the_maximum() -> None:
    maps = torch.tensor([-5.0, -4, -3, -2, -1]).reshape(1, 1, 1, 5)
    # Windows of 3 from -1, 1 and 3.
    assert same_max_pool((1, 3), (1, 2))(maps).flatten().tolist() == [-4, -2, -1]


def test_branches_side_by_side_and_one_layer_watched() -> None:
    branches = Branches(
        {"twice": nn.Upsample(scale_factor=1), "negative": nn.Threshold(10.0, -1.0)},
        {"same": nn.Identity()},
    )
    maps = torch.tensor([[[2.0, 11.0]]])
    output, seen = branches.watched(maps, "twice")
    assert output.tolist() == branches(maps).tolist() == [[[-1, 11], [2, 11]]]
    assert seen.tolist() == [[[2, 11]]]


def test_no_layer_vanishes() -> None:
    assert [scaled(16, width) for width in (1.0, 0.5, 0.1, 0.01)] == [16, 8, 2, 1]
