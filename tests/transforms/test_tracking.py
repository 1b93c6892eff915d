"""Tracks: numbers that stay with people through frames, gaps and changes of order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posemill.errors import InputError
from posemill.transforms.keypoint_boxes import iou_matrix, keypoint_boxes
from posemill.transforms.tracking import Tracker, TrackSettings, best_assignment


def standing(*xs):
    """One person, 40 px wide and 160 px high, at each x: (N, 17, 2) and (N, 17)."""
    shape = np.stack([np.tile([-20.0, 20.0], 9)[:17], np.linspace(0, 160, 17)], axis=1)
    xy = np.array([shape + np.array([x, 0]) for x in xs], np.float32).reshape(-1, 17, 2)
    return xy, np.full((len(xs), 17), 0.9, np.float32)


def slots(tracker, *xs):
    return tracker.update(*standing(*xs)).tolist()


def test_people_are_numbered_as_they_come():
    assert slots(Tracker(), 0, 500, 1000) == [0, 1, 2]


def test_numbers_follow_people_not_their_order():
    tracker = Tracker()
    slots(tracker, 0, 500)
    assert slots(tracker, 503, 4) == [1, 0]


def test_somebody_walking_stays_one_person():
    tracker = Tracker()
    assert [slots(tracker, 8 * step) for step in range(50)] == [[0]] * 50


def test_the_nearer_of_two_gets_the_number():
    tracker = Tracker()
    slots(tracker, 0)
    assert slots(tracker, 12, 2) == [1, 0]


def test_somebody_new_gets_a_new_number_also_when_another_left():
    tracker = Tracker()
    slots(tracker, 0, 500)
    assert slots(tracker, 500, 1000) == [1, 2]


def test_no_people_are_no_tracks():
    tracker = Tracker()
    found = tracker.update(*standing())
    assert found.shape == (0,)
    assert found.dtype == np.int64


def test_pairs_that_are_none_weigh_nothing():
    # With the 0.09 counted, 0.55 + 0.09 would beat 0.60; without it the best sum is 0.60.
    similarity = np.array([[0.60, 0.09], [0.55, 0.0]], np.float32)
    rows, columns = best_assignment(similarity, 0.1)
    assert (rows.tolist(), columns.tolist()) == ([0], [0])


@pytest.mark.parametrize("max_gap", [0, 1, 15])
def test_a_short_gap_is_bridged_and_a_long_one_not(max_gap):
    tracker = Tracker(TrackSettings(max_gap=max_gap))
    slots(tracker, 0)
    for _ in range(max_gap):
        slots(tracker)
    assert slots(tracker, 0) == [0]
    for _ in range(max_gap + 1):
        slots(tracker)
    assert slots(tracker, 0) == [1]


def squares(*corners):
    """People whose joints lie in the corners of a square of 10 px, by its top left."""
    shape = np.tile([[0, 0], [10, 0], [0, 10], [10, 10]], (5, 1))[:17]
    xy = np.array([shape + np.array(corner) for corner in corners], np.float32)
    return xy, np.ones((len(corners), 17), np.float32)


def test_two_paths_that_cross_are_kept_apart_where_the_best_pair_alone_is_wrong():
    # One goes right along y = 0, the other one down along x = 4, 3 px a frame.
    frames = [squares((0, 0), (4, -2)), squares((3, 0), (4, 1)), squares((6, 0), (4, 4))]
    boxes = [keypoint_boxes(*people) for people in frames]
    overlap = iou_matrix(boxes[0], boxes[1])
    # Shifted by (dx, dy) two squares share (10 - |dx|) (10 - |dy|) of 200 minus that.
    right = 70 / 130  # (3, 0) and (0, 3), for both
    wrong = [60 * 0.9 / (200 - 54), 72 / 128]  # (4, 1), and (1, 2): more than the right ones
    np.testing.assert_allclose(overlap, [[right, wrong[0]], [wrong[1], right]], rtol=1e-6)
    np.testing.assert_allclose(
        iou_matrix(boxes[1], boxes[2]), [[right, 54 / 146], [72 / 128, right]], rtol=1e-6
    )
    assert wrong[1] > right
    assert sum(wrong) < 2 * right
    tracker = Tracker(TrackSettings(by="box"))
    assert [tracker.update(*people).tolist() for people in frames] == [[0, 1]] * 3


def test_who_walks_behind_another_does_not_take_the_others_number():
    frames = [squares((3 * step, 0), (3 * step + 4, 0)) for step in range(6)]
    tracker = Tracker(TrackSettings(by="box"))
    assert [tracker.update(*people).tolist() for people in frames] == [[0, 1]] * 6


def test_pairs_below_the_least_similarity_are_two_people():
    # 10 px squares 6 px apart share 40 of 160: 0.25.
    for least, expected in ((0.24, 0), (0.26, 1)):
        tracker = Tracker(TrackSettings(by="box", min_similarity=least))
        tracker.update(*squares((0, 0)))
        assert tracker.update(*squares((6, 0))).tolist() == [expected]


@pytest.mark.parametrize(
    ("similarity", "pairs"),
    [
        ([[0.9, 0.8], [0.8, 0.1]], [(0, 1), (1, 0)]),  # 1.6 is more than 1.0
        ([[0.9, 0.3], [0.3, 0.05]], [(0, 0)]),  # 0.9 is more than 0.6, and 0.05 is no pair
        ([[0.05, 0.02]], []),
        ([[0.2, 0.7, 0.3]], [(0, 1)]),
    ],
)
def test_the_sum_over_all_pairs_is_greatest(similarity, pairs):
    rows, columns = best_assignment(np.float32(similarity), 0.1)
    assert list(zip(rows.tolist(), columns.tolist(), strict=True)) == pairs


def test_other_skeletons_are_tracked_too():
    tracker = Tracker()
    xy, score = standing(0, 500)
    tracker.update(xy[:, :13], score[:, :13])
    assert tracker.update(xy[::-1, :13], score[:, :13]).tolist() == [1, 0]


@pytest.mark.parametrize(
    "wrong",
    [
        {"by": "name"},
        {"min_similarity": 0.0},
        {"min_similarity": 1.1},
        {"max_gap": -1},
        {"max_persons": 0},
    ],
)
def test_settings_that_cannot_be_are_refused(wrong):
    with pytest.raises(InputError, match="got"):
        TrackSettings(**wrong)


def test_a_body_without_joints_is_no_ones_continuation():
    tracker = Tracker()
    xy, score = standing(0)
    tracker.update(xy, score * 0)
    assert tracker.update(xy, score).tolist() == [1]


@given(st.lists(st.lists(st.integers(0, 400), max_size=6), max_size=20))
def test_two_people_of_a_frame_never_share_a_number(frames):
    tracker = Tracker()
    for xs in frames:
        found = slots(tracker, *xs)
        assert len(set(found)) == len(xs)
        assert min(found, default=0) >= 0


_CROWDS = st.lists(st.lists(st.integers(0, 400), max_size=6, unique=True), max_size=12)


@given(_CROWDS, st.sampled_from(["oks", "box"]), st.randoms(use_true_random=False))
def test_the_order_of_a_frames_people_decides_nothing(frames, by, random):
    one, other = Tracker(TrackSettings(by=by)), Tracker(TrackSettings(by=by))
    for xs in frames:
        order = random.sample(range(len(xs)), len(xs))
        xy, score = standing(*xs)
        found = one.update(xy, score)
        assert other.update(xy[order], score[order]).tolist() == found[order].tolist()
