"""Answers of a network are means over the views of each clip."""

from collections.abc import Mapping

import numpy as np
import pytest
import torch
from torch import Tensor

from posemill.errors import InputError
from posemill.models.base import LOGITS, PoseNetwork
from posemill.pipelines.data import Batch
from posemill.pipelines.training import scoring
from posemill.pipelines.training.scoring import score_clips
from posemill.transforms.outputs import OutputSpec

U = OutputSpec(name="u", dims=("x",), shape=(3,), dtype="uint8", scale_factor=0.1)
VIEWS = np.array(
    [[[10, 0, 0], [0, 30, 0]], [[20, 20, 0], [0, 0, 0]], [[5, 0, 5], [0, 0, 40]]], np.uint8
)


class Echo(PoseNetwork):
    """Its values are its logits; it notes how many views it is given at once."""

    def __init__(self) -> None:
        super().__init__()
        self.dropout = torch.nn.Dropout(0.9)
        self.seen: list[int] = []

    def forward(self, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
        self.seen.append(len(values["u"]))
        return {LOGITS: self.dropout(values["u"])}


def batches() -> list[Batch]:
    """Two clips, then one, of two views each."""
    numbers = torch.arange(3)
    empty = torch.tensor([False, True, False])
    return [
        Batch({"u": torch.from_numpy(VIEWS[some])}, numbers[some], numbers[some], empty[some])
        for some in (slice(0, 2), slice(2, 3))
    ]


@pytest.mark.parametrize("multi_label", [False, True])
def test_means_over_views(multi_label: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "_VIEWS_AT_ONCE", 3)
    network, logits = Echo().train(), VIEWS * 0.1
    scores = score_clips(network, batches(), [U], torch.device("cpu"), multi_label=multi_label)  # type: ignore[arg-type]
    assert network.seen == [3, 1, 2]
    assert not network.training  # or the dropout would show
    assert scores.num_views == 2
    assert scores.empty.tolist() == [False, True, False]
    np.testing.assert_allclose(scores.logits, logits.mean(axis=1), rtol=1e-6)
    shares = 1 / (1 + np.exp(-logits))
    if not multi_label:
        shares = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
    np.testing.assert_allclose(scores.probabilities, shares.mean(axis=1), rtol=1e-6)


@pytest.mark.parametrize("multi_label", [False, True])
def test_the_greatest_of_the_views(multi_label: bool) -> None:
    logits = VIEWS * 0.1
    scores = score_clips(
        Echo(),
        batches(),  # type: ignore[arg-type]
        [U],
        torch.device("cpu"),
        multi_label=multi_label,
        consensus="max",
    )
    np.testing.assert_allclose(scores.logits, logits.mean(axis=1), rtol=1e-6)
    if multi_label:
        expected = (1 / (1 + np.exp(-logits))).max(axis=1)
    else:
        shares = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
        expected = shares.max(axis=1)
        expected /= expected.sum(axis=1, keepdims=True)
        # The second view of the first clip is surer of its class than the first one of another.
        assert expected[0].argmax() == 1
    np.testing.assert_allclose(scores.probabilities, expected, rtol=1e-6)


def test_answers_that_are_not_finite_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = OutputSpec(name="u", dims=("x",), shape=(3,), dtype="uint8", scale_factor=1e38)
    monkeypatch.setattr(Echo, "forward", lambda _, values: {LOGITS: values["u"] * 10})
    # 10 x 10 x 1e38 is more than float32 has; the third clip's 5 x 10 x 1e38 is, too.
    with pytest.raises(InputError, match="for 3 of 3 clips are not finite: training diverged"):
        score_clips(Echo(), batches(), [broken], torch.device("cpu"), multi_label=False)  # type: ignore[arg-type]
