"""A ranker finds the clips that tell, of features that show which they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from cut_answers import cut_answers, sure_of

from posemill.errors import ConfigurationMismatch, InputError, StoreCorrupted
from posemill.models.checkpoints import dump_checkpoint
from posemill.models.devices import torch_settings
from posemill.pipelines.select.compare import compare
from posemill.pipelines.select.features import ClipFeatures, FeatureOrigin
from posemill.pipelines.select.histogram import PlaceHistogram
from posemill.pipelines.select.methods import METHODS, Chooser
from posemill.pipelines.select.oracle import oracle_positions
from posemill.pipelines.select.pairs import RankedClips
from posemill.pipelines.select.ranker import (
    Ranker,
    RankerSettings,
    share_in_order,
    train_network,
)
from posemill.pipelines.select.ranker_files import read_ranker, write_ranker
from posemill.pipelines.select.videos import CutVideos
from posemill.predictions import Predictions
from posemill.schema import Float32

KEEP, NUM_CLIPS = 2, 8
SMALL = RankerSettings(hidden=16, epochs=12, learning_rate=1e-2)
ORIGIN = FeatureOrigin("jmrn", "0" * 64, flip=False)


def informative(num_videos: int, seed: int) -> tuple[Predictions, Float32]:
    """Answers that are right for 2 clips of 8, and features (N, 6) of which one tells these.

    For the six others the classifier is a little less sure of one wrong class, so that all
    together, and most choices of two, give the wrong answer.
    """
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, num_videos)
    logits, features = [], []
    for label in labels:
        tells = np.isin(np.arange(NUM_CLIPS), rng.permutation(NUM_CLIPS)[:2])
        wrong = (label + rng.integers(1, 3)) % 3
        logits.append(sure_of(np.where(tells, label, wrong), 3, np.where(tells, 4.0, 3.0)))
        each = rng.normal(size=(NUM_CLIPS, 6))
        each[:, 3] += 3 * tells
        features.append(5 + 0.1 * each)
    return cut_answers(logits, labels.tolist()), np.concatenate(features).astype(np.float32)


def trained(settings: RankerSettings = SMALL, seed: int = 0, order=None) -> Ranker:
    answers, features = informative(40, seed)
    if order is not None:
        answers, features = answers.pick(order), features[order]
    videos = CutVideos.of(answers, "answers")
    oracle = oracle_positions(answers, videos, KEEP)
    with torch_settings(1, torch.device("cpu")):
        network = train_network(features, RankedClips.of(videos, oracle), settings)
    return Ranker(network, settings, ORIGIN, KEEP, PlaceHistogram.of(oracle, videos.sizes))


@pytest.mark.parametrize("loss", ["logistic", "margin"])
def test_the_ranker_beats_chance_even_spread_and_all_clips(loss) -> None:
    settings = RankerSettings(hidden=16, epochs=12, learning_rate=1e-2, loss=loss)
    ranker = trained(settings)
    answers, features = informative(60, seed=7)
    videos = CutVideos.of(answers, "answers")
    saliency = ranker.saliency(features)
    chooser = Chooser(answers, videos, saliency, ranker.histogram, KEEP)
    found = {each.method: each.figure.mean for each in compare(chooser, METHODS, "mean", 5)}
    assert found["oracle"] == 1.0
    assert found["dense"] == 0.0  # two right answers against six wrong ones
    # A right answer of two needs one of the two telling clips: 1 - (6/8)(5/7) = 46%.
    for method in ("random", "uniform", "empirical"):
        assert found[method] == pytest.approx(1 - 6 / 8 * 5 / 7, abs=0.15)
    assert found["saliency"] > 0.9
    oracle = oracle_positions(answers, videos, KEEP)
    assert share_in_order(saliency, RankedClips.of(videos, oracle)) > 0.9


def test_the_order_of_training_clips_changes_nothing() -> None:
    order = np.random.default_rng(3).permutation(40 * NUM_CLIPS)
    _, features = informative(10, seed=7)
    straight = trained(SMALL).saliency(features)
    np.testing.assert_array_equal(trained(SMALL, order=order).saliency(features), straight)
    other_seed = RankerSettings(hidden=16, epochs=12, learning_rate=1e-2, seed=1)
    assert not np.array_equal(trained(other_seed).saliency(features), straight)


def test_pairs_in_order_by_hand() -> None:
    clips = RankedClips((np.array([0, 1]), np.array([4])), (np.array([2, 3]), np.array([5, 6])))
    saliency = np.array([3, 1, 2, 1, 0, 0, 5], np.float32)
    # 3 > 2, 3 > 1, 1 < 2, 1 = 1: 2.5 of 4; 0 = 0, 0 < 5: .5 of 2
    assert share_in_order(saliency, clips) == pytest.approx((2.5 / 4 + 0.5 / 2) / 2)


def test_a_ranker_is_kept_with_what_it_was_made_for(tmp_path: Path) -> None:
    ranker = trained()
    _, features = informative(5, seed=9)
    write_ranker(tmp_path / "r", ranker, {"videos": 40})
    again = read_ranker(tmp_path / "r")
    np.testing.assert_array_equal(again.saliency(features), ranker.saliency(features))
    assert (again.settings, again.origin, again.keep) == (ranker.settings, ORIGIN, KEEP)
    np.testing.assert_array_equal(again.histogram.weights(5), ranker.histogram.weights(5))
    again.require_origin(ORIGIN, tmp_path)
    other = FeatureOrigin("jmrn", "1" * 64, flip=False)
    with pytest.raises(ConfigurationMismatch, match=r"features of another network: .*'000"):
        again.require_origin(other, tmp_path)


def test_what_is_no_ranker_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Make a ranker with `posemill select train` first"):
        read_ranker(tmp_path)
    (tmp_path / "ranker.pt").write_bytes(b"not one")
    with pytest.raises(StoreCorrupted, match=r"ranker\.pt: 7 bytes that hold other things than"):
        read_ranker(tmp_path)
    run = dump_checkpoint({"model": {"name": "jmrn"}, "network": {"w": torch.zeros(1)}})
    (tmp_path / "ranker.pt").write_bytes(run)
    with pytest.raises(StoreCorrupted, match="holds no saliency ranker"):
        read_ranker(tmp_path)


def test_what_cannot_be_trained_is_refused() -> None:
    for settings, message in (
        ({"loss": "hinge"}, "logistic or margin, got 'hinge'"),
        ({"batch_size": 3}, "an even number of clips, got 128, 50 and 3"),
        ({"epochs": 0}, "hidden units, epochs"),
        ({"learning_rate": 0.0}, "a learning rate above 0"),
        ({"dropout": 1.0}, "a dropout from 0 to below 1"),
    ):
        with pytest.raises(InputError, match=message):
            RankerSettings(**settings)
    features = np.zeros((2, 3), np.float32)
    with pytest.raises(InputError, match="no video has more clips than are kept"):
        train_network(features, RankedClips((), ()), SMALL)
    clips = RankedClips((np.array([0]),), (np.array([1]),))
    with (
        pytest.raises(InputError, match=r"infinite with a learning rate of 1e\+30"),
        torch_settings(1, torch.device("cpu")),
    ):
        train_network(np.eye(2, 3, dtype=np.float32), clips, RankerSettings(learning_rate=1e30))


def test_features_are_given_in_the_order_of_answers() -> None:
    features = ClipFeatures(ORIGIN, ("a/0000", "a/0001", "b/0000"), np.arange(6.0).reshape(3, 2))
    found = features.of(("b/0000", "a/0000", "a/0001"), "runs/x")
    assert found.tolist() == [[4, 5], [0, 1], [2, 3]]
    with pytest.raises(InputError, match="runs/x has answers for 2 clips, of which 1 have no feat"):
        features.of(("b/0000", "c/0000"), "runs/x")
    with pytest.raises(InputError, match="and 1 clips with features have no answers, as a/0001"):
        features.of(("b/0000", "a/0000"), "runs/x")
