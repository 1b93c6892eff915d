"""Sums of an epoch, which a checkpoint interrupts without a trace."""

from collections.abc import Iterator

import pytest
import torch

from posemill.errors import InputError
from posemill.pipelines.training import meter as meter_module
from posemill.pipelines.training.meter import EpochMeter, EpochTotals, timed

CPU = torch.device("cpu")


def test_means_are_over_views() -> None:
    meter = EpochMeter(CPU)
    meter.add(torch.tensor(1.0), torch.tensor(3), 4)
    meter.add(torch.tensor(4.0), torch.tensor(0), 2)
    totals = meter.settle(1, 0.1)
    assert totals.mean_loss == (1.0 * 4 + 4.0 * 2) / 6
    assert totals.accuracy == 3 / 6
    assert meter.settle(1, 0.1).mean_loss == 2.0  # a look changes nothing


def test_an_epoch_without_views_has_no_means_but_zero() -> None:
    totals = EpochTotals()
    assert (totals.mean_loss, totals.accuracy, totals.waiting_share) == (0.0, 0.0, 0.0)


def test_sums_go_on_as_if_never_interrupted() -> None:
    losses = torch.rand(50, generator=torch.Generator().manual_seed(0))
    whole, first = EpochMeter(CPU), EpochMeter(CPU)
    for loss in losses:
        whole.add(loss, torch.tensor(1), 3)
    for loss in losses[:17]:
        first.add(loss, torch.tensor(1), 3)
    second = EpochMeter(CPU, EpochTotals(**vars(first.settle(1, 0.1))))
    for loss in losses[17:]:
        second.add(loss, torch.tensor(1), 3)
    ours, theirs = second.settle(1, 0.1), whole.settle(1, 0.1)
    assert (ours.loss, ours.num_right, ours.num_views) == (
        theirs.loss,
        theirs.num_right,
        theirs.num_views,
    )


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_is_told(loss: float) -> None:
    meter = EpochMeter(CPU)
    meter.add(torch.tensor(loss), torch.tensor(0), 1)
    with pytest.raises(InputError, match=rf"\({loss}\) in epoch 3: .* rate of 0\.25; give a lower"):
        meter.settle(3, 0.25)


def test_waiting_is_told_from_working(monkeypatch: pytest.MonkeyPatch) -> None:
    # Asked, given, done; asked, given, done; asked for what does not come.
    clock = iter([0.0, 2.0, 5.0, 5.0, 6.0, 10.0, 10.0])
    meter = EpochMeter(CPU)
    monkeypatch.setattr(meter_module, "monotonic", lambda: next(clock))

    def items() -> Iterator[str]:
        yield from "ab"

    assert list(timed(items(), meter)) == ["a", "b"]
    assert (meter.totals.waiting_seconds, meter.totals.seconds) == (2 + 1, 10)
    assert meter.totals.waiting_share == 0.3
