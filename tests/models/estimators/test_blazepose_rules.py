"""The constants: their defaults fit their ranges, and what may replace them."""

import math
from dataclasses import asdict

import pytest

from posemill.errors import InputError
from posemill.models.estimators.blazepose.rules import BlazePoseRules, rules_from_parameters


def test_no_parameters_give_the_defaults():
    assert rules_from_parameters({}) == BlazePoseRules()


def test_numbers_and_their_text_replace_constants():
    rules = rules_from_parameters({"detector_threshold": "0.5", "detect_every": "4"})
    assert rules == BlazePoseRules(detector_threshold=0.5, detect_every=4)
    assert isinstance(rules.detect_every, int)


def test_unknown_parameters_are_refused_with_the_known_ones():
    with pytest.raises(InputError, match=r"no parameter detect_often; there are: .*detect_every"):
        rules_from_parameters({"detect_often": 1})


@pytest.mark.parametrize(
    ("parameters", "complaint"),
    [
        ({"detector_threshold": "high"}, "must be a number, got 'high'"),
        ({"detector_threshold": None}, "must be a number, got None"),
        ({"detector_threshold": 1.5}, r"must lie in \[0.01, 1.0\], got 1.5"),
        ({"detector_threshold": math.nan}, "must lie in"),
        ({"detect_every": 0}, "must lie in"),
        ({"detect_every": 2.5}, "must be a whole number, got 2.5"),
        ({"refine_window": 4}, "must be odd, got 4"),
    ],
)
def test_bad_values_are_refused(parameters, complaint):
    with pytest.raises(InputError, match=complaint):
        rules_from_parameters(parameters)


@pytest.mark.parametrize("name", asdict(BlazePoseRules()))
def test_every_constant_is_checked(name):
    with pytest.raises(InputError, match=f"{name} must lie in"):
        BlazePoseRules(**{name: -1})
