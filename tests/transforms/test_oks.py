"""Object keypoint similarity, against the equation of the COCO keypoint evaluation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posemill.transforms.oks import keypoint_area_px2, oks_matrix
from posemill.transforms.skeletons import COCO_17_OKS_SIGMAS

NOSE, LEFT_HIP = 0, 11


def people(*rows):
    """(N, 17, 2) and (N, 17) from one {joint: (x, y)} a person; other joints are missing."""
    xy = np.full((len(rows), 17, 2), np.nan, np.float32)
    score = np.zeros((len(rows), 17), np.float32)
    for person, joints in enumerate(rows):
        for joint, point in joints.items():
            xy[person, joint], score[person, joint] = point, 0.9
    return xy, score


def test_the_sigmas_are_those_of_the_coco_evaluation():
    assert COCO_17_OKS_SIGMAS[NOSE] == pytest.approx(0.026)
    assert COCO_17_OKS_SIGMAS[LEFT_HIP] == pytest.approx(0.107)
    assert len(COCO_17_OKS_SIGMAS) == 17


def test_one_joint_by_hand():
    # k = 2 * .107; d = 5 (3, 4, 5); a = 400: exp(-25 / (2 * 400 * k^2)).
    similarity = oks_matrix(
        *people({LEFT_HIP: (10, 10)}), *people({LEFT_HIP: (13, 14)}), area_px2=np.array([400.0])
    )
    assert similarity.shape == (1, 1)
    assert similarity[0, 0] == pytest.approx(math.exp(-25 / (800 * 0.214**2)), rel=1e-5)


def test_the_mean_runs_over_the_joints_of_the_reference():
    reference = people({NOSE: (0, 0), LEFT_HIP: (9, 9)})
    # The nose is right, the hip is lacking, the ankle is more than was asked for.
    other = people({NOSE: (0, 0), 16: (50, 50)})
    area = np.array([100.0])
    assert oks_matrix(*reference, *other, area_px2=area)[0, 0] == pytest.approx(1 / 2)
    assert oks_matrix(*other, *reference, area_px2=area)[0, 0] == pytest.approx(1 / 2)


def test_every_reference_meets_every_other_with_its_own_area():
    reference = people({LEFT_HIP: (0, 0)}, {LEFT_HIP: (100, 0)})
    other = people({LEFT_HIP: (0, 0)}, {LEFT_HIP: (100, 0)}, {LEFT_HIP: (10, 0)})
    similarity = oks_matrix(*reference, *other, area_px2=np.array([400.0, 1e6]))
    assert similarity.shape == (2, 3)
    np.testing.assert_allclose(np.diag(similarity[:, :2]), 1.0)
    assert similarity[0, 2] == pytest.approx(math.exp(-100 / (2 * 400 * 0.214**2)), rel=1e-4)
    assert similarity[1, 0] == pytest.approx(math.exp(-1e4 / (2 * 1e6 * 0.214**2)), rel=1e-4)


def test_nobody_is_like_nobody():
    xy, score = people({NOSE: (0, 0)})
    assert oks_matrix(xy[:0], score[:0], xy, score).shape == (0, 1)
    assert oks_matrix(xy, score, xy[:0], score[:0]).shape == (1, 0)


def test_a_reference_without_joints_is_like_none():
    assert oks_matrix(*people({}), *people({NOSE: (0, 0)}))[0, 0] == 0.0


@pytest.mark.parametrize("rubbish", [np.nan, np.inf, -np.inf])
def test_missing_joints_may_hold_anything(rubbish):
    xy, score = people({NOSE: (1, 2), LEFT_HIP: (5, 9)})
    xy[score == 0] = rubbish
    assert oks_matrix(xy, score, xy, score)[0, 0] == 1.0


def test_the_area_is_that_of_the_box_around_detected_joints():
    xy, score = people({NOSE: (10, 10), LEFT_HIP: (30, 60)})
    # 20 x 50, of which a body fills .53.
    np.testing.assert_allclose(keypoint_area_px2(xy, score), [530.0])


def test_the_area_of_a_point_or_of_nothing_is_not_zero():
    xy, score = people({NOSE: (10, 10)}, {})
    np.testing.assert_allclose(keypoint_area_px2(xy, score), [0.53, 0.53])


coordinate = st.floats(-1000, 1000, width=32)
bodies = st.lists(st.tuples(coordinate, coordinate), min_size=17, max_size=17)


@given(bodies, bodies, coordinate, coordinate)
def test_similarity_lies_in_0_to_1_is_1_with_oneself_and_ignores_where(first, second, x, y):
    one, other = np.array([first], np.float32), np.array([second], np.float32)
    score = np.ones((1, 17), np.float32)
    similarity = oks_matrix(one, score, other, score)[0, 0]
    assert 0.0 <= similarity <= 1.0
    assert oks_matrix(one, score, one, score)[0, 0] == pytest.approx(1.0)
    shift = np.array([x, y], np.float32)
    moved = oks_matrix(one + shift, score, other + shift, score)[0, 0]
    assert moved == pytest.approx(similarity, abs=0.02)


@given(bodies, bodies, st.sampled_from([0.25, 0.5, 2.0, 4.0]))
def test_similarity_ignores_scale(first, second, factor):
    one, other = np.array([first], np.float32), np.array([second], np.float32)
    score = np.ones((1, 17), np.float32)
    area = np.array([1000.0])
    similarity = oks_matrix(one, score, other, score, area_px2=area)[0, 0]
    scaled = oks_matrix(one * factor, score, other * factor, score, area_px2=area * factor**2)
    assert scaled[0, 0] == pytest.approx(similarity, abs=1e-4)
