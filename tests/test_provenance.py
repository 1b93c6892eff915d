from __future__ import annotations

import json
import math
from datetime import datetime, timedelta

import numpy as np
import pytest

from posemill.provenance import (
    Attempt,
    canonical_json,
    content_hash,
    differences,
    library_versions,
)


def test_equal_content_has_equal_json_and_hash() -> None:
    one, other = (
        {"b": [1, 2.5], "a": {"y": None, "x": "é"}},
        {"a": {"x": "é", "y": None}, "b": [1, 2.5]},
    )
    assert canonical_json(one) == canonical_json(other)
    assert content_hash(one) == content_hash(other)
    assert content_hash({**one, "b": [1, 2.6]}) != content_hash(one)


def test_the_json_is_as_written_by_hand() -> None:
    assert canonical_json({"b": 1, "a": [True, None]}) == '{"a":[true,null],"b":1}'


def test_nan_has_no_canonical_json() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json({"sigma": math.nan})


def test_differences_name_the_leaves_and_both_values() -> None:
    ours = {"recipe": {"name": "potion", "sigma": 1.0}, "seed": 0}
    theirs = {"recipe": {"name": "potion", "sigma": 2.0}, "seed": 0, "old": True}
    assert differences(ours, ours) == []
    assert differences(ours, theirs) == [
        "old: asked for '(absent)', the store has True",
        "recipe.sigma: asked for 1.0, the store has 2.0",
    ]


def test_versions_are_of_what_is_installed_here() -> None:
    versions = library_versions()
    assert versions["numpy"] == np.__version__
    assert "posemill" in versions
    assert library_versions() is versions


def test_an_attempt_comes_back_from_json() -> None:
    attempt = Attempt.ended_now(12.34567, 60)
    assert (attempt.seconds, attempt.cost) == (12.346, 60)
    assert datetime.fromisoformat(attempt.ended).utcoffset() == timedelta(0)
    stored = json.loads(canonical_json(attempt.as_dict()))
    assert Attempt.from_json(stored) == attempt
