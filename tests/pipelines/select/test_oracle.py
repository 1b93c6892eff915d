"""Oracle clips, and the pairs that a ranker learns from them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from cut_answers import cut_answers, sure_of
from made_predictions import sigmoid, softmax

from posemill.errors import InputError
from posemill.pipelines.select.oracle import oracle_positions, true_confidence
from posemill.pipelines.select.pairs import RankedClips
from posemill.pipelines.select.videos import CutVideos


def places(found) -> list[list[int]]:
    return [each.tolist() for each in found]


def test_oracle_by_hand() -> None:
    # Two videos, of the classes 1 and 0; logits of three classes for each of their clips.
    first = np.array([[0, 2, 0], [0, 5, 9], [0, 3, 0], [1, 1, 1]], float)
    second = np.array([[4, 0, 0], [0, 4, 0], [2, 0, 0]], float)
    answers = cut_answers([first, second], [1, 0])
    confidence = true_confidence(answers)
    np.testing.assert_allclose(confidence[:4], softmax(first)[:, 1], rtol=1e-6)
    np.testing.assert_allclose(confidence[4:], softmax(second)[:, 0], rtol=1e-6)
    # exp 2 / (exp 2 + 2) = .79, .018, .91 and 1/3: not the greatest logit, the greatest share.
    videos = CutVideos.of(answers, "answers")
    assert places(oracle_positions(answers, videos, 2)) == [[0, 2], [0, 2]]
    assert places(oracle_positions(answers, videos, 1)) == [[2], [0]]
    assert places(oracle_positions(answers, videos, 3)) == [[0, 2, 3], [0, 1, 2]]


def test_ties_go_to_the_earlier_clip_in_whatever_order_they_come() -> None:
    answers = cut_answers([sure_of([1, 0, 1, 1, 0], 2)], [1])
    for order in ([0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [3, 0, 4, 1, 2]):
        shuffled = answers.pick(order)
        videos = CutVideos.of(shuffled, "answers")
        assert places(oracle_positions(shuffled, videos, 2)) == [[0, 2]]
        (rows,) = videos.rows_at(oracle_positions(shuffled, videos, 2))
        assert [shuffled.clip_ids[row] for row in rows] == ["a/0000", "a/0002"]


def test_of_several_classes_the_mean_confidence_counts() -> None:
    logits = np.array([[3, -3, 0], [1, 1, 0], [-1, 4, 9]], float)
    answers = cut_answers([logits], [(0, 1)], multi_label=True)
    np.testing.assert_allclose(
        true_confidence(answers), sigmoid(logits)[:, :2].mean(axis=1), rtol=1e-6
    )
    nothing = cut_answers([logits, logits], [(2,), ()], multi_label=True)
    with pytest.raises(InputError, match="1 of 2 videos show no class, as b,"):
        oracle_positions(nothing, CutVideos.of(nothing, "answers"), 1)


def test_clips_of_videos_are_put_in_order_of_time() -> None:
    ids = ("b/0010", "a/0001", "b/0002", "a/0000")
    answers = replace(cut_answers([np.zeros((4, 2))], [0]), clip_ids=ids)
    videos = CutVideos.of(answers, "answers")
    assert videos.ids == ("a", "b")
    assert places(videos.rows) == [[3, 1], [2, 0]]
    assert videos.sizes == [2, 2]


def test_answers_that_are_not_of_cut_videos_are_refused() -> None:
    answers = cut_answers([np.zeros((2, 2))], [0])
    whole = replace(answers, clip_ids=("a/0000", "video"))
    with pytest.raises(InputError, match=r"runs/x: 'video' is no id .*`posemill select clips`"):
        CutVideos.of(whole, "runs/x")
    torn = replace(answers, labels=((0,), (1,)))
    with pytest.raises(InputError, match=r"clips of the video a have different labels, as \(0,\)"):
        CutVideos.of(torn, "runs/x")


def test_pairs_are_of_one_video_and_balanced_in_any_batch() -> None:
    rng = np.random.default_rng(5)
    answers = cut_answers([rng.normal(size=(size, 3)) for size in (9, 3, 4, 2)], [0, 1, 2, 0])
    videos = CutVideos.of(answers, "answers")
    oracle = oracle_positions(answers, videos, 3)
    clips = RankedClips.of(videos, oracle)
    assert len(clips) == 2  # of 9 and of 4 clips; those of 3 and 2 are all oracle clips
    best = np.concatenate(clips.oracle)
    video_of = {row: n for n, rows in enumerate(videos.rows) for row in rows.tolist()}
    for _ in range(20):
        pairs = clips.draw(rng)
        assert pairs.shape == (6, 2)
        assert sorted(pairs[:, 0]) == sorted(best)  # each once
        assert all(video_of[one] == video_of[other] for one, other in pairs.tolist())
        for size in (1, 2, 4):  # pairs of a batch
            for first in range(0, 6, size):
                batch = pairs[first : first + size].ravel()
                assert np.isin(batch, best).sum() * 2 == len(batch)
    shown = {other for _ in range(60) for other in clips.draw(rng)[:, 1].tolist()}
    assert shown == set(np.concatenate(clips.others).tolist())
