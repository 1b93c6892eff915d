"""Refinement by a heatmap, and the scores of joints, on arrays made by hand."""

import numpy as np
import pytest

from posemill.models.estimators.blazepose.landmarks import joint_scores, refine
from posemill.models.estimators.blazepose.network import sigmoid
from posemill.models.estimators.blazepose.regions import Region
from posemill.models.estimators.blazepose.rules import BlazePoseRules

RULES = BlazePoseRules()
OFF = -80.0  # a logit whose sigmoid adds nothing that counts


def one_landmark(x, y, cells):
    """A landmark at (x, y) refined by a heatmap with these (column, row) -> logit."""
    heatmap = np.full((64, 64, 1), OFF, np.float32)
    for (column, row), logit in cells.items():
        heatmap[row, column] = logit
    return refine(np.array([[x, y]], np.float32), heatmap, 7, 0.5)[0]


def test_a_single_peak_draws_the_landmark_to_it():
    # Cell (12, 9) stands for (48, 36); the landmark lies in cell (10, 10).
    np.testing.assert_allclose(one_landmark(42, 41, {(12, 9): 5.0}), [48, 36], atol=1e-4)


def test_two_cells_weigh_by_their_sigmoids():
    # Sigmoids 3/4 and 1/4: ln 3 and -ln 3; columns 10 and 12 average to 10.5.
    moved = one_landmark(40, 40, {(10, 10): np.log(3), (12, 10): -np.log(3)})
    np.testing.assert_allclose(moved, [42, 40], atol=1e-4)


def test_a_weak_heatmap_changes_nothing():
    np.testing.assert_array_equal(one_landmark(42, 41, {(10, 10): -0.1}), [42, 41])


def test_a_peak_outside_the_window_changes_nothing():
    # The window of 7 around cell 10 ends with cell 13.
    np.testing.assert_array_equal(one_landmark(42, 41, {(14, 10): 5.0}), [42, 41])
    assert one_landmark(42, 41, {(13, 10): 5.0})[0] == pytest.approx(52)


@pytest.mark.parametrize("xy", [(-0.5, 10), (10, 256), (1e9, 0)])
def test_landmarks_outside_the_crop_stay(xy):
    np.testing.assert_array_equal(one_landmark(*xy, {(0, 2): 5.0}), np.float32(xy))


def test_windows_are_cut_at_the_border():
    np.testing.assert_allclose(one_landmark(1, 255, {(0, 63): 5.0}), [0, 252], atol=1e-4)


def test_refining_leaves_its_input_alone():
    xy = np.array([[42, 41]], np.float32)
    heatmap = np.full((64, 64, 1), 5.0, np.float32)
    refine(xy, heatmap, 7, 0.5)
    np.testing.assert_array_equal(xy, [[42, 41]])


def test_sigmoid_bears_any_number():
    found = sigmoid(np.array([-1e30, 0, 1e30], np.float32))
    np.testing.assert_allclose(found, [0, 0.5, 1], atol=1e-30)


def test_joints_far_outside_the_frame_are_missing_and_the_others_never_quite():
    frame = np.zeros((50, 100, 3), np.uint8)
    region = Region(0, 0, 40.0, 0)  # joints may lie .1 * 40 = 4 pixels outside
    xy = np.array([[10, 10], [-4, 10], [-5, 10], [103, 53], [104, 10], [10, 10]], np.float32)
    certainty = np.array([0.8, 0.8, 0.8, 0.8, 0.8, 0.0], np.float32)
    np.testing.assert_allclose(
        joint_scores(xy, certainty, region, frame, RULES), [0.8, 0.8, 0, 0.8, 0, 0.001]
    )
