"""Answers of several classifiers against the mean of their softmaxes."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from posemill.models.late_fusion import mean_answer  # noqa: E402


@pytest.mark.parametrize("number", [1, 2, 5])
def test_softmax_is_the_mean_of_the_softmaxes(number: int) -> None:
    torch.manual_seed(number)
    logits = [4 * torch.randn(3, 7) + 10 * torch.randn(1) for _ in range(number)]
    expected = sum(each.softmax(dim=1) for each in logits) / number
    torch.testing.assert_close(mean_answer(logits).softmax(dim=1), expected)


def test_equal_classifiers_answer_as_each_of_them() -> None:
    logits = torch.randn(4, 5, generator=torch.Generator().manual_seed(1)) - 3
    torch.testing.assert_close(mean_answer([logits, logits]), logits)


def test_answers_that_are_certain_stay_finite() -> None:
    sure = torch.tensor([[200.0, -200.0, 0.0]])
    answer = mean_answer([sure, sure.flip(1)])
    assert answer.isfinite().all()
    torch.testing.assert_close(answer.softmax(dim=1), torch.tensor([[0.5, 0.0, 0.5]]))
