"""Late fusion by hand, and of a run with itself."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_predictions import predictions, sigmoid, softmax

from posemill.pipelines.fuse.late import fuse_late, to_probabilities

ONE = predictions([[2, 0], [0, 1]], [0, 1], empty=[True, True], num_views=10)
TWO = predictions([[0, 0], [3, 0]], [0, 1], empty=[True, False], model="jmrn")


def test_probabilities_are_averaged_by_weight() -> None:
    found = fuse_late([ONE, TWO], [3, 1])
    np.testing.assert_allclose(
        found.probabilities, 0.75 * ONE.probabilities + 0.25 * TWO.probabilities, rtol=1e-6
    )
    np.testing.assert_allclose(found.logits, [[1.5, 0], [0.75, 0.75]])
    assert (found.model, found.num_views) == ("potion+jmrn", 10)
    assert found.empty.tolist() == [True, False]  # one of them saw somebody


def test_logits_are_averaged_on_request() -> None:
    found = fuse_late([ONE, TWO], [1, 1], of="logits")
    np.testing.assert_allclose(found.probabilities, softmax(np.array([[1, 0], [1.5, 0.5]])), 1e-6)


@given(st.integers(0, 2**32 - 1), st.booleans(), st.floats(0, 5))
def test_a_run_with_itself_gives_itself(seed: int, multi_label: bool, weight: float) -> None:
    rng = np.random.default_rng(seed)
    made = predictions(rng.normal(size=(5, 4)), [(1,)] * 5, multi_label=multi_label)
    for of in ("probabilities", "logits"):
        found = fuse_late([made, made], [1, weight], of)
        np.testing.assert_allclose(found.probabilities, made.probabilities, rtol=1e-5)
        np.testing.assert_allclose(found.logits, made.logits, rtol=1e-5)
    alone = fuse_late([made, replace(made, logits=-made.logits)], [1, 0])
    assert replace(alone, model=made.model) == made


def test_great_logits_do_not_overflow() -> None:
    logits = np.array([[1000, -1000, 0]], np.float32)
    assert to_probabilities(logits, multi_label=False).tolist() == [[1, 0, 0]]
    assert to_probabilities(logits, multi_label=True).tolist() == [[1, 0, 0.5]]
    small = np.array([[0.5, -2.0]], np.float32)
    np.testing.assert_allclose(to_probabilities(small, multi_label=True), sigmoid(small), rtol=1e-6)


@pytest.mark.parametrize("weights", [[1], [1, -1], [0, 0], [1, float("nan")], [1, 1, 1]])
def test_weights_that_cannot_be_are_refused(weights: list[float]) -> None:
    with pytest.raises(ValueError, match="expected 2 weights of 0 or more"):
        fuse_late([ONE, TWO], weights)
