"""The rate of each step, by values worked out by hand."""

import math
from typing import Any

import pytest

from posemill.errors import InputError
from posemill.pipelines.training.schedules import Plateau, one_cycle, rate_factor
from posemill.pipelines.training.settings import ScheduleSettings


def factors(
    num_steps: int, steps_per_epoch: int = 1, drops: int = 0, **settings: Any
) -> list[float]:
    schedule = ScheduleSettings(**settings)
    return [
        rate_factor(schedule, step, num_steps, steps_per_epoch, drops) for step in range(num_steps)
    ]


def test_a_constant_rate_is_constant() -> None:
    assert factors(5, shape="constant") == [1.0] * 5


def test_one_cycle_rises_over_three_tenths_and_falls_over_the_rest() -> None:
    rates = factors(11, shape="one-cycle")  # shares of all steps 0, .1, ..., 1
    assert rates[0] == pytest.approx(1 / 25)
    assert rates[3] == pytest.approx(1.0)
    assert rates[-1] == pytest.approx(1 / 1000)
    # Half way up and half way down a cosine is the mean of its ends.
    assert one_cycle(0.15) == pytest.approx((1 / 25 + 1) / 2)
    assert one_cycle(0.65) == pytest.approx((1 + 1 / 1000) / 2)
    assert rates[:4] == sorted(rates[:4])
    assert rates[3:] == sorted(rates[3:], reverse=True)
    assert factors(1, shape="one-cycle") == [pytest.approx(1 / 25)]  # no second step to go to


def test_a_cosine_falls_from_the_peak_towards_zero() -> None:
    # (1 + cos(pi s / 4)) / 2 at s = 0, 1, 2, 3; zero would be that of a fifth step.
    r = math.sqrt(0.5)
    assert factors(4, shape="cosine") == pytest.approx([1, (1 + r) / 2, 0.5, (1 - r) / 2])


def test_steps_drop_after_their_epochs() -> None:
    found = factors(8, steps_per_epoch=2, shape="steps", milestones="1,3", gamma=0.1)
    assert found == pytest.approx([1, 1, 0.1, 0.1, 0.1, 0.1, 0.01, 0.01])


def test_a_plateau_is_counted_elsewhere() -> None:
    assert factors(3, drops=2, shape="plateau", gamma=0.5) == [0.25] * 3


@pytest.mark.parametrize("shape", ["constant", "cosine", "one-cycle", "plateau"])
def test_a_warm_up_multiplies_until_it_is_over(shape: str) -> None:
    plain, warm = (factors(9, shape=shape, warmup_steps=steps) for steps in (0, 4))
    ratios = [ours / theirs for ours, theirs in zip(warm, plain, strict=True)]
    assert ratios == pytest.approx([0.25, 0.5, 0.75] + [1.0] * 6)


def test_a_plateau_drops_after_more_than_patience_epochs_without_progress() -> None:
    plateau, dropped = Plateau(), []
    # With a patience of 2 the third epoch in a row without a better score drops the rate,
    # and counting begins anew; an equal score is not a better one.
    for score in (0.1, 0.3, 0.3, 0.2, 0.3, 0.2, 0.4, 0.1, 0.1, 0.4, 0.4, 0.4, 0.4):
        plateau.observe(score, patience=2)
        dropped.append(plateau.num_drops)
    assert dropped == [0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 3]
    assert plateau == Plateau(best=0.4, num_bad_epochs=0, num_drops=3)


def test_without_patience_every_epoch_must_do_better() -> None:
    plateau = Plateau()
    for score in (-1.0, -2.0, -0.5, -0.5):
        plateau.observe(score, patience=0)
    assert plateau.num_drops == 2


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"shape": "steps"}, "shape=steps needs epochs to drop after; .*schedule.milestones=9,11"),
        ({"milestones": "9,nine"}, "whole numbers, got '9,nine'"),
        ({"milestones": "11,9"}, "rising epochs from 1 on, got '11,9'"),
        ({"milestones": "9,9"}, "rising epochs from 1 on, got '9,9'"),
        ({"milestones": "0,9"}, "rising epochs from 1 on, got '0,9'"),
        ({"shape": "cosin"}, "nearest is --set schedule.shape=cosine"),
        ({"gamma": 0.0}, "nearest is --set schedule.gamma=1e-06"),
        ({"warmup_steps": -1}, "nearest is --set schedule.warmup_steps=0"),
    ],
)
def test_schedules_that_cannot_be_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        ScheduleSettings(**settings)
