"""Rectangles around people, and the ways to their crops and back."""

import numpy as np
import pytest

from posemill.errors import InputError
from posemill.models.estimators.vitpose.crop import boxes_inside, crops_around, cut

SIZE_WH = (192, 256)
ASPECT = 192 / 256


def test_rectangle_has_the_aspect_and_is_a_quarter_larger():
    # 30 x 80: the width is the lesser one; 80 * 3 / 4 = 60, and 60 and 80 by 1.25 are 75 and 100.
    tall = crops_around(np.array([[10, 20, 40, 100]], np.float32), ASPECT, 1.25)
    np.testing.assert_allclose(tall.size, [[75, 100]])
    np.testing.assert_allclose(tall.left_top, [[25 - 37.5, 60 - 50]])
    # 90 x 40: 90 * 4 / 3 = 120 high.
    wide = crops_around(np.array([[0, 0, 90, 40]], np.float32), ASPECT, 1.0)
    np.testing.assert_allclose(wide.size, [[90, 120]])
    np.testing.assert_allclose(wide.left_top, [[0, 20 - 60]])


def test_affine_map_goes_there_and_back():
    rng = np.random.default_rng(0)
    corner, size = rng.uniform(-50, 3800, (40, 2)), rng.uniform(2, 2000, (40, 2))
    crops = crops_around(np.hstack([corner, corner + size]).astype(np.float32), ASPECT, 1.25)
    crop_px = rng.uniform(0, 1, (40, 17, 2)) * (np.array(SIZE_WH) - 1)
    source = crops.to_source((crop_px / (np.array(SIZE_WH) - 1)).astype(np.float32))
    homogeneous = np.concatenate([source, np.ones((40, 17, 1))], axis=2)
    back = np.einsum("nij,nkj->nki", crops.matrices(SIZE_WH), homogeneous)
    # In pixels of the source, of which a pixel of the crop has size / (W - 1).
    error_px = np.abs(back - crop_px) * (crops.size / (np.array(SIZE_WH) - 1))[:, None]
    assert error_px.max() < 1e-3


def test_outermost_pixels_of_a_crop_lie_on_the_edges_of_its_rectangle():
    crops = crops_around(np.array([[10, 20, 70, 100]], np.float32), ASPECT, 1.0)  # 60 x 80 already
    matrix = crops.matrices(SIZE_WH)[0]
    np.testing.assert_allclose(matrix @ [10, 20, 1], [0, 0], atol=1e-9)
    np.testing.assert_allclose(matrix @ [70, 100, 1], [191, 255], atol=1e-9)


@pytest.mark.parametrize("centre", [(150.25, 97.75), (100.0, 120.5)])
def test_a_blob_of_the_frame_lies_in_the_crop_where_the_map_says(centre: tuple[float, float]):
    y, x = np.mgrid[:240, :320]
    square = (x - centre[0]) ** 2 + (y - centre[1]) ** 2
    frame = np.repeat(np.round(255 * np.exp(-square / 50))[..., None], 3, 2).astype(np.uint8)
    crops = crops_around(np.array([[60, 40, 200, 220]], np.float32), ASPECT, 1.25)
    picture = cut(frame, crops, SIZE_WH)[0, ..., 0].astype(float)
    total = picture.sum()
    weighted = np.arange(192) @ picture.sum(0) / total, np.arange(256) @ picture.sum(1) / total
    # OpenCV may round the place of a sample to 1/32 px of the source; values to 1/255.
    there = crops.matrices(SIZE_WH)[0] @ [*centre, 1]
    np.testing.assert_allclose(weighted, there, atol=0.06)


def test_outside_of_the_frame_a_crop_is_black():
    frame = np.full((40, 40, 3), 200, np.uint8)
    crops = crops_around(np.array([[-0.5, -0.5, 20, 20]], np.float32), ASPECT, 1.25)
    picture = cut(frame, crops, (48, 64))[0]
    assert (picture[0] == 0).all()
    assert (picture[:, 0] == 0).all()
    assert (picture[40, 30] == 200).all()


def test_boxes_are_cut_at_the_frame_and_left_out_beyond_it():
    boxes = np.array(
        [
            [-20, -20, 30, 500],  # cut on three sides
            [5, 5, 6, 6],  # a pixel's width is enough
            [5, 5, 5.5, 20],  # less is not
            [200, 10, 240, 40],  # beyond
            [30, 30, 10, 10],  # no area
        ],
        np.float32,
    )
    expected = [[-0.5, -0.5, 30, 79.5], [5, 5, 6, 6]]
    np.testing.assert_array_equal(boxes_inside(boxes, (100, 80)), expected)
    assert boxes_inside(np.zeros((0, 4), np.float32), (100, 80)).shape == (0, 4)


@pytest.mark.parametrize(
    "boxes", [np.zeros(4, np.float32), np.zeros((2, 5), np.float32), [[0, 0, np.nan, 4]]]
)
def test_what_is_no_box_is_refused(boxes: object):
    with pytest.raises(InputError, match=r"must be \(N, 4\) finite"):
        boxes_inside(np.asarray(boxes, np.float32), (100, 80))
