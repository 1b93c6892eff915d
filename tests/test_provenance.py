from __future__ import annotations

import math

import pytest

from posemill.provenance import canonical_json, content_hash, differences


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
