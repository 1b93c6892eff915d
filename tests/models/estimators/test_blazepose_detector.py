"""The detector's pure parts, on tensors made by hand."""

import numpy as np

from posemill.models.estimators.blazepose.detector import (
    ANCHORS,
    Detections,
    bodies,
    decode,
    enlarged,
    inside_window,
    join,
    to_picture,
    weighted_nms,
)
from posemill.models.estimators.blazepose.tiles import Window


def detections(scores, boxes, hips_and_rims=None):
    keypoints = np.zeros((len(scores), 4, 2), np.float32)
    if hips_and_rims is not None:
        keypoints[:, :2] = hips_and_rims
    return Detections(np.array(scores, np.float32), np.array(boxes, np.float32), keypoints)


def test_there_are_2254_anchors():
    # 28 x 28 x 2 + 14 x 14 x 2 + 7 x 7 x 6
    assert ANCHORS.shape == (1568 + 392 + 294, 2)


def test_anchors_run_along_rows_with_those_of_a_cell_side_by_side():
    first = 0.5 / 28
    np.testing.assert_allclose(ANCHORS[:2], [[first, first]] * 2)
    np.testing.assert_allclose(ANCHORS[2], [1.5 / 28, first])
    np.testing.assert_allclose(ANCHORS[2 * 28], [first, 1.5 / 28])
    np.testing.assert_allclose(ANCHORS[1568], [0.5 / 14, 0.5 / 14])
    np.testing.assert_allclose(
        ANCHORS[1568 + 392 : 1568 + 392 + 7 : 6], [[0.5 / 7] * 2, [1.5 / 7, 0.5 / 7]]
    )
    np.testing.assert_allclose(ANCHORS[-1], [6.5 / 7, 6.5 / 7])


def test_decode_adds_the_anchor_and_keeps_what_scores_enough():
    values, logits = np.zeros((2254, 12), np.float32), np.full((2254, 1), -100.0, np.float32)
    values[-1] = [22.4, -22.4, 44.8, 89.6, 0, 0, 0, -112, 11.2, 0, 0, 0]
    logits[-1], logits[5] = 0.0, -0.5  # sigmoids .5 and .38
    found = decode(values, logits, 0.45)
    anchor = 6.5 / 7
    np.testing.assert_allclose(found.score, [0.5])
    # The centre is .1 right and .1 above the anchor; the size is .2 x .4.
    np.testing.assert_allclose(
        found.box, [[anchor, anchor - 0.3, anchor + 0.2, anchor + 0.1]], atol=1e-6
    )
    np.testing.assert_allclose(found.keypoints[0, 0], [anchor, anchor])
    np.testing.assert_allclose(found.keypoints[0, 1], [anchor, anchor - 0.5], atol=1e-6)
    np.testing.assert_allclose(found.keypoints[0, 2], [anchor + 0.05, anchor], atol=1e-6)


def test_decode_bears_any_logit():
    logits = np.full((2254, 1), -1e30, np.float32)
    logits[0] = 1e30
    found = decode(np.zeros((2254, 12), np.float32), logits, 0.5)
    np.testing.assert_allclose(found.score, [1.0])


def test_windows_are_mapped_to_the_picture_by_edges():
    found = to_picture(detections([1.0], [[0, 0, 0.5, 1]]), Window(10, 20, 100))
    # The window spans [9.5, 109.5) x [19.5, 119.5) of pixel centres.
    np.testing.assert_allclose(found.box, [[9.5, 19.5, 59.5, 119.5]])
    np.testing.assert_allclose(found.keypoints[0, 0], [9.5, 19.5])


def test_enlarging_keeps_edges_at_edges():
    found = enlarged(detections([1.0], [[-0.5, -0.5, 9.5, 4.5]]), 3, 2)
    np.testing.assert_allclose(found.box, [[-0.5, -0.5, 29.5, 9.5]])


def test_overlapping_boxes_become_their_mean_weighted_by_score():
    boxes = [[100, 0, 110, 10], [0, 0, 10, 10], [2, 0, 12, 10]]
    found = detections(
        [0.3, 0.75, 0.25], boxes, [[[5, 5], [0, 0]], [[0, 4], [0, 0]], [[8, 0], [0, 0]]]
    )
    # The last two share 80 of 120 square pixels; the mean is theirs, 3 : 1.
    merged = weighted_nms(found, found.box, 0.5)
    np.testing.assert_allclose(merged.score, [0.75, 0.3])
    np.testing.assert_allclose(merged.box, [[0.5, 0, 10.5, 10], [100, 0, 110, 10]])
    np.testing.assert_allclose(merged.keypoints[0, 0], [2, 3])


def test_boxes_that_overlap_less_stay_apart():
    found = detections([0.75, 0.25], [[0, 0, 10, 10], [2, 0, 12, 10]])
    assert len(weighted_nms(found, found.box, 0.7)) == 2


def test_a_box_without_area_is_its_own_group_once():
    found = detections([0.9, 0.8], [[5, 5, 5, 5], [5, 5, 5, 5]])
    assert len(weighted_nms(found, found.box, 0.3)) == 2


def test_nothing_found_merges_to_nothing():
    assert len(weighted_nms(join([]), join([]).box, 0.3)) == 0


def test_a_body_is_the_box_around_its_circle():
    found = detections([1.0], [[0] * 4], [[[10, 20], [13, 16]]])
    np.testing.assert_allclose(bodies(found), [[5, 15, 15, 25]])


def test_bodies_cut_by_a_window_are_dropped_but_not_those_cut_by_the_picture():
    upright = [[[50, 60], [50, 10]], [[50, 60], [50, 3]], [[50, 60], [50, -8]]]
    found = detections([1.0] * 3, [[0] * 4] * 3, upright)
    # Feet at 110, 117, 128: a window down to 110 with 6 pixels of grace loses the last two.
    window = Window(0, 10, 100)
    np.testing.assert_array_equal(
        inside_window(found, window, 200, 200, 0.06), [True, False, False]
    )
    # The head at -8 may leave a window that begins at the picture's border, and so on.
    window = Window(0, 0, 120)
    np.testing.assert_array_equal(inside_window(found, window, 200, 200, 0.06), [True, True, False])
    np.testing.assert_array_equal(inside_window(found, window, 200, 120, 0.06), [True] * 3)
