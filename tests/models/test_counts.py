"""Counts of parameters and multiply-accumulates against those made by hand."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, nn  # noqa: E402

from posemill.models.base import LOGITS, PoseNetwork  # noqa: E402
from posemill.models.counts import Counts, count  # noqa: E402

SHAPES = {"volume": (4, 6, 8, 10), "weights": (3, 6)}


class Small(PoseNetwork):
    """A grouped strided convolution, a product of two arrays, and a classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv3d(4, 8, 3, stride=(1, 2, 2), padding=1, groups=2, bias=False)
        self.norm = nn.BatchNorm3d(8)
        self.classifier = nn.Linear(8 * 3, 5)

    def forward(self, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
        maps = self.norm(self.convolution(values["volume"]))  # (B, 8, 6, 4, 5)
        mixed = torch.einsum("bwt,bctyx->bcwyx", values["weights"], maps)
        return {LOGITS: self.classifier(mixed.mean(dim=(3, 4)).flatten(1))}


def test_counts_are_those_made_by_hand() -> None:
    outputs = 8 * 6 * 4 * 5
    convolution = outputs * (4 // 2) * 27
    product = (8 * 3 * 4 * 5) * 6
    linear = 24 * 5
    parameters = 8 * (4 // 2) * 27 + 2 * 8 + (24 + 1) * 5
    network = Small()
    assert count(network, SHAPES) == Counts(parameters, convolution + product + linear)
    without = count(network, SHAPES, classifier=False)
    assert without == Counts(parameters - 25 * 5, convolution + product)


class Headed(PoseNetwork):
    """Two classifiers of features that are not equally wide; their mean."""

    def __init__(self) -> None:
        super().__init__()
        self.classifier = nn.ModuleDict({"wide": nn.Linear(6, 5), "narrow": nn.Linear(4, 5)})

    def forward(self, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
        wide = self.classifier["wide"](values["weights"].flatten(1)[:, :6])
        return {LOGITS: wide + self.classifier["narrow"](values["weights"].flatten(1)[:, :4])}


def test_several_classifiers_count_like_one() -> None:
    assert count(Headed(), SHAPES) == Counts((6 + 1 + 4 + 1) * 5, (6 + 4) * 5)
    assert count(Headed(), SHAPES, classifier=False) == Counts(0, 0)


def test_counting_leaves_the_network_as_it_is() -> None:
    network = Small().train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    count(network, SHAPES, classifier=False)
    assert network.training
    after = network.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
