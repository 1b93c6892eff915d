"""Ways of choosing clips, and the videos' answers that come of them."""

from __future__ import annotations

import numpy as np
import pytest
from cut_answers import cut_answers, sure_of

from posemill.pipelines.select.compare import compare
from posemill.pipelines.select.consensus import join_clips
from posemill.pipelines.select.histogram import PlaceHistogram
from posemill.pipelines.select.methods import DRAWN, METHODS, Chooser
from posemill.pipelines.select.videos import CutVideos

EVEN = PlaceHistogram(np.array([0.0, 1.0]))


def random_answers(seed: int = 0, **more):
    rng = np.random.default_rng(seed)
    logits = [rng.normal(size=(size, 3)) for size in (5, 3, 8, 1)]
    return cut_answers(logits, [0, 1, 2, 1], **more)


def chooser(answers, keep: int, saliency=None, histogram=EVEN, seed: int = 0) -> Chooser:
    given = np.zeros(len(answers)) if saliency is None else saliency
    videos = CutVideos.of(answers, "answers")
    return Chooser(answers, videos, np.asarray(given, np.float32), histogram, keep, seed)


def test_mean_and_max_by_hand() -> None:
    logits = np.log(np.array([[0.5, 0.3, 0.2], [0.1, 0.8, 0.1], [0.6, 0.3, 0.1]]))
    answers = cut_answers([logits], [1], empty=np.array([True, False, True]))
    videos = CutVideos.of(answers, "answers")
    kept = (np.array([0, 1]),)
    mean = join_clips(answers, videos, kept, "mean", {"selection": "by hand"})
    np.testing.assert_allclose(mean.probabilities, [[0.3, 0.55, 0.15]], rtol=1e-6)
    np.testing.assert_allclose(mean.logits, [logits[:2].mean(axis=0)], rtol=1e-6)
    assert (mean.clip_ids, mean.video_ids, mean.labels) == (("a",), ("a.mp4",), ((1,),))
    assert mean.empty.tolist() == [False]
    assert dict(mean.made_with) == {"selection": "by hand"}
    greatest = join_clips(answers, videos, kept, "max", {})
    # .5, .8 and .2, scaled to a sum of 1
    np.testing.assert_allclose(greatest.probabilities, [[1 / 3, 8 / 15, 2 / 15]], rtol=1e-6)
    assert join_clips(answers, videos, (np.array([0, 2]),), "max", {}).empty.tolist() == [True]
    several = cut_answers([logits], [(0, 1)], multi_label=True)
    unscaled = join_clips(several, videos, kept, "max", {}).probabilities
    np.testing.assert_allclose(unscaled, [several.probabilities[:2].max(axis=0)])


@pytest.mark.parametrize("consensus", ["mean", "max"])
def test_with_as_many_as_there_are_every_method_is_dense(consensus) -> None:
    answers = random_answers()
    saliency = np.random.default_rng(1).normal(size=len(answers))
    results = compare(chooser(answers, 8, saliency), METHODS, consensus, 3)
    dense = results[0].evaluations[0].predictions
    for result in results:
        assert result.num_clips == (5 + 3 + 8 + 1) / 4
        for evaluation in result.evaluations:
            found = evaluation.predictions
            assert np.array_equal(found.probabilities, dense.probabilities)
            assert np.array_equal(found.logits, dense.logits)
        assert result.figure.values == (results[0].figure.mean,) * len(result.evaluations)
    dense_of_few = compare(chooser(answers, 2, saliency), ["dense"], consensus, 1)[0]
    assert np.array_equal(
        dense_of_few.evaluations[0].predictions.probabilities, dense.probabilities
    )


def test_the_order_of_clips_changes_nothing() -> None:
    answers = random_answers()
    rng = np.random.default_rng(1)
    saliency = rng.normal(size=len(answers))
    straight = compare(chooser(answers, 2, saliency), METHODS, "mean", 3)
    for _ in range(3):
        order = rng.permutation(len(answers))
        shuffled = compare(chooser(answers.pick(order), 2, saliency[order]), METHODS, "mean", 3)
        for one, other in zip(straight, shuffled, strict=True):
            assert one.evaluations == other.evaluations


def test_a_video_is_drawn_alike_whatever_others_there_are() -> None:
    answers = random_answers()
    alone = answers.pick(range(8, 16))  # the third video
    for method in DRAWN:
        (same,) = chooser(alone, 2).choose(method, 4)
        assert np.array_equal(chooser(answers, 2).choose(method, 4)[2], same)
    draws = {tuple(chooser(alone, 2).choose("random", n)[0]) for n in range(30)}
    assert len(draws) > 10
    seeds = {tuple(chooser(alone, 2, seed=n).choose("random")[0]) for n in range(30)}
    assert len(seeds) > 10


def test_each_method_keeps_what_it_says() -> None:
    answers = cut_answers([sure_of([0, 1, 1, 0, 1, 1], 2, [5, 1, 4, 3, 2, 1])], [0])
    late = PlaceHistogram(np.array([0.0, 0.0, 0.0, 1.0]))  # oracle clips in the last third
    made = chooser(answers, 2, [0, 9, 1, 7, 8, 2], late)
    assert made.choose("dense")[0].tolist() == [0, 1, 2, 3, 4, 5]
    assert made.choose("uniform")[0].tolist() == [1, 4]
    assert made.choose("saliency")[0].tolist() == [1, 4]
    assert made.choose("oracle")[0].tolist() == [0, 3]
    assert {tuple(made.choose("empirical", n)[0].tolist()) for n in range(9)} == {(4, 5)}


def test_figures_are_means_over_draws() -> None:
    # One clip of two is right; a random one is so half of the time.
    answers = cut_answers([sure_of([0, 1], 2)] * 26, [0] * 26)
    random, oracle = compare(chooser(answers, 1), ["random", "oracle"], "mean", 40)
    assert random.figure.name == "accuracy"
    assert len(random.figure.values) == 40
    assert random.figure.mean == pytest.approx(0.5, abs=0.06)
    # Binomial of 26 videos: sqrt(.25 / 26) = .098
    assert random.figure.spread == pytest.approx(0.098, abs=0.035)
    assert (oracle.figure.mean, oracle.figure.spread) == (1.0, None)
    assert oracle.as_dict()["knows_the_labels"]
    several = cut_answers([sure_of([0, 1], 2)] * 2, [(0,), (1, 0)], multi_label=True)
    (dense,) = compare(chooser(several, 1), ["dense"], "mean", 1)
    assert dense.figure.name == "mean_average_precision"
