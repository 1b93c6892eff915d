"""Tracks numbered by score x size x duration, worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posemill.schema import PoseSequence
from posemill.transforms.track_ranking import ranked, track_weights


def clip(rows, num_frames=5):
    """Of (frame, slot, side, score): four joints in the corners of a square, in 100 x 100 px."""
    rows = sorted(rows, key=lambda row: row[:2])
    corners = np.float32([[0, 0], [1, 0], [0, 1], [1, 1]])
    return PoseSequence(
        skeleton="four",
        xy_px=np.array([corners * row[2] + 7 for row in rows], np.float32).reshape(-1, 4, 2),
        score=np.array([np.full(4, row[3]) for row in rows], np.float32).reshape(-1, 4),
        frame=np.array([row[0] for row in rows], np.int64),
        slot=np.array([row[1] for row in rows], np.int64),
        pts_seconds=np.arange(num_frames) / 25,
        width=100,
        height=100,
        frames_declared=num_frames,
    )


NEAR = [(0, 2, 30, 0.8), (1, 2, 30, 0.8)]  # .8 * .3 * 2 frames = .48
LARGE = [(3, 9, 60, 0.9)]  # .9 * .6 * 1 = .54
LASTING = [(frame, 4, 20, 0.5) for frame in range(5)]  # .5 * .2 * 5 = .5


def test_the_weight_is_score_times_size_times_duration():
    np.testing.assert_allclose(
        track_weights(clip([*NEAR, *LARGE, *LASTING])), [0.48, 0.5, 0.54], rtol=1e-6
    )


def test_score_and_size_are_means_over_the_tracks_rows():
    # Means .6 and .3 (of .2 and .4), over two frames.
    pose = clip([(0, 0, 20, 0.4), (1, 0, 40, 0.8)])
    np.testing.assert_allclose(track_weights(pose), [0.6 * 0.3 * 2], rtol=1e-6)


def test_joints_that_are_not_detected_lower_the_score_and_are_not_in_the_box():
    pose = clip([(0, 0, 40, 1.0)])
    pose.score[0] = [0.8, 0.8, 0, 0]  # the upper corners: a box without height
    assert track_weights(pose).tolist() == [0]
    pose.score[0] = [0.8, 0, 0, 0.8]  # opposite ones: the whole square, half of the score
    np.testing.assert_allclose(track_weights(pose), [0.4 * 0.4], rtol=1e-6)


def test_tracks_are_numbered_by_weight_and_rows_ordered():
    pose = ranked(clip([*NEAR, *LARGE, *LASTING]))
    assert list(zip(pose.frame.tolist(), pose.slot.tolist(), strict=True)) == [
        *[(0, 1), (0, 2), (1, 1), (1, 2), (2, 1), (3, 0), (3, 1), (4, 1)]
    ]
    side = np.ptp(pose.xy_px[:, :, 0], axis=1).tolist()
    assert side == [20, 30, 20, 30, 20, 60, 20, 20]


@pytest.mark.parametrize(("max_persons", "kept"), [(1, {60}), (2, {60, 20}), (3, {60, 20, 30})])
def test_only_the_first_are_kept(max_persons, kept):
    pose = ranked(clip([*NEAR, *LARGE, *LASTING]), max_persons)
    assert set(np.ptp(pose.xy_px[:, :, 0], axis=1).tolist()) == kept
    assert set(pose.slot.tolist()) == set(range(max_persons))
    assert pose.num_frames == 5


def test_equal_weights_keep_their_order():
    pose = ranked(clip([(0, 7, 10, 0.5), (0, 3, 10, 0.5), (0, 5, 20, 0.5)]))
    assert np.ptp(pose.xy_px[:, :, 0], axis=1).tolist() == [20, 10, 10]
    twins = clip([(0, 7, 10, 0.5), (1, 3, 10, 0.5)])
    assert ranked(twins).frame.tolist() == [0, 1]
    assert ranked(twins).slot.tolist() == [1, 0]


def test_nobody_is_nobody():
    pose = ranked(clip([]), 2)
    assert pose.num_rows == 0
    assert pose.num_frames == 5
    with pytest.raises(ValueError, match="1 or more"):
        ranked(pose, 0)


_ROWS = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 5), st.integers(1, 50), st.floats(0.125, 1)),
    unique_by=lambda row: row[:2],
)


@given(_ROWS)
def test_ranking_loses_nothing_and_ranks_once(rows):
    pose = clip(rows)
    once = ranked(pose)
    weights = track_weights(once)
    assert (np.diff(weights) <= 1e-12 * weights.max(initial=1)).all()
    assert sorted(once.xy_px.tolist()) == sorted(pose.xy_px.tolist())
    assert once.frame.tolist() == pose.frame.tolist()
    assert ranked(once).slot.tolist() == once.slot.tolist()
