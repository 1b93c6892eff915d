"""Learnt fusion: a modality of noise is given up, weights follow the equation's gradient."""

import numpy as np
import pytest
from made_predictions import predictions

from posemill.errors import InputError
from posemill.pipelines.fuse.learnt import LearntFusion, fuse_learnt, learn_weights
from posemill.pipelines.metrics import Evaluation

RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 4, 300)
INFORMED = predictions(
    np.eye(4)[LABELS] * 2 + RNG.normal(size=(300, 4)), LABELS.tolist(), model="informed"
)
NOISE = predictions(RNG.normal(size=(300, 4)) * 2, LABELS.tolist(), model="noise")
QUICK = LearntFusion(epochs=30, learning_rate=0.05, batch_size=50)


def test_noise_gets_no_weight() -> None:
    weights = learn_weights([INFORMED, NOISE], QUICK)
    assert weights.shape == (2,)
    assert weights[0] > 1
    assert abs(weights[1]) < 0.1 * weights[0]
    fused = Evaluation(fuse_learnt([INFORMED, NOISE], weights, QUICK))
    assert fused.accuracy > 0.97 * Evaluation(INFORMED).accuracy
    assert fused.accuracy > Evaluation(NOISE).accuracy + 0.4
    assert np.array_equal(learn_weights([INFORMED, NOISE], QUICK), weights)


def test_each_class_finds_the_model_that_knows_it() -> None:
    shown = RNG.random((400, 2)) < 0.5
    labels = [tuple(np.flatnonzero(row)) for row in shown]
    signal, noise = np.where(shown, 1.0, -1.0), RNG.normal(size=(400, 2))
    first = np.stack([signal[:, 0], noise[:, 1]], axis=1)
    second = np.stack([noise[:, 0], signal[:, 1]], axis=1)
    made = [predictions(logits, labels, multi_label=True) for logits in (first, second)]
    weights = learn_weights(made, QUICK)
    assert weights.shape == (2, 2)
    assert weights[0, 0] > 10 * abs(weights[1, 0])
    assert weights[1, 1] > 10 * abs(weights[0, 1])
    assert Evaluation(fuse_learnt(made, weights, QUICK)).mean_average_precision == 1.0
    single = learn_weights(made, LearntFusion(per_class=False, epochs=1))
    assert single.shape == (2,)


def test_the_fused_logits_are_the_weighted_sum() -> None:
    made = [predictions([[3, 4], [0, 0]], [0, 1]), predictions([[1, 0], [0, -2]], [0, 1])]
    plain = fuse_learnt(made, np.array([2.0, -1.0]), LearntFusion())
    assert plain.logits.tolist() == [[5, 8], [0, 2]]
    unit = fuse_learnt(made, np.array([1.0, 2.0]), LearntFusion(unit_norm=True))
    np.testing.assert_allclose(unit.logits, [[0.6 + 2, 0.8], [0, -2]], rtol=1e-6)
    by_class = fuse_learnt(made, np.array([[1.0, 0.0], [0.0, 1.0]]), LearntFusion())
    assert by_class.logits.tolist() == [[3, 0], [0, -2]]


def test_the_first_step_goes_down_the_loss() -> None:
    # One clip of class 0, logits (1, 0): d loss / d alpha = p_0 - 1 < 0, and Adam's first step
    # is the learning rate long, from 1.
    made = predictions([[1, 0]], [0])
    wrong = predictions([[0, 1]], [0])
    weights = learn_weights([made, wrong], LearntFusion(epochs=1, learning_rate=0.01))
    np.testing.assert_allclose(weights, [1.01, 0.99], rtol=1e-6)


def test_settings_that_cannot_be_are_refused() -> None:
    for settings in ({"epochs": 0}, {"learning_rate": -1.0}, {"batch_size": 0}):
        with pytest.raises(InputError, match="above 0"):
            LearntFusion(**settings)
    with pytest.raises(InputError, match="became infinite with a learning rate of 1e\\+308"):
        learn_weights([INFORMED, NOISE], LearntFusion(epochs=4, learning_rate=1e308))
