"""Boxes around joints and their overlaps, worked out by hand."""

import numpy as np

from posemill.transforms.keypoint_boxes import box_area, iou_matrix, keypoint_boxes


def test_a_box_goes_around_the_detected_joints():
    xy = np.float32([[[1, 2], [7, 4], [np.inf, -np.inf]], [[5, 5], [9, 9], [0, 0]]])
    score = np.float32([[0.5, 0.1, 0], [0, 1, 0]])
    boxes = keypoint_boxes(xy, score)
    assert boxes.tolist() == [[1, 2, 7, 4], [9, 9, 9, 9]]
    assert box_area(boxes).tolist() == [12, 0]


def test_nobody_and_nothing_seen_have_no_area():
    assert keypoint_boxes(
        np.empty((0, 17, 2), np.float32), np.empty((0, 17), np.float32)
    ).shape == (
        0,
        4,
    )
    unseen = keypoint_boxes(np.full((1, 3, 2), np.nan, np.float32), np.zeros((1, 3), np.float32))
    assert unseen.tolist() == [[0, 0, 0, 0]]


def test_overlap_is_the_shared_part_of_both():
    boxes = np.float32([[0, 0, 4, 2], [10, 10, 12, 12]])
    others = np.float32([[2, 1, 6, 3], [0, 0, 4, 2], [4, 0, 8, 2], [11, 11, 11, 11]])
    # 2 x 1 shared of 8 + 8 - 2; the same box; side by side; a point
    expected = [[2 / 14, 1, 0, 0], [0, 0, 0, 0]]
    np.testing.assert_allclose(iou_matrix(boxes, others), expected, rtol=1e-6)


def test_boxes_without_area_overlap_nothing_not_even_themselves():
    point = np.float32([[3, 3, 3, 3]])
    assert iou_matrix(point, point).tolist() == [[0]]
