"""Frames in the input of a network, and points of it back in the frame."""

import numpy as np
import pytest

from posemill.models.estimators.onnx.letterbox import Letterbox, boxed, fit, fit_long_edge
from posemill.schema import UInt8


def test_a_wide_frame_is_centred_between_bars_above_and_below() -> None:
    """1920 x 1080 in 640 x 640: a third, 640 x 360, with 140 above."""
    letterbox = fit((1920, 1080), (640, 640))
    assert letterbox == Letterbox((1920, 1080), (640, 360), (640, 640))
    assert letterbox.offset == (0, 140)


def test_an_odd_border_is_thinner_at_the_left() -> None:
    assert fit((3, 4), (8, 8)).offset == (1, 0)


def test_a_long_edge_is_padded_to_multiples_only() -> None:
    """1920 x 1080 to a long edge of 640: 360 rows, of which 12 cells of 32 make 384."""
    letterbox = fit_long_edge((1920, 1080), 640, 32)
    assert letterbox == Letterbox((1920, 1080), (640, 360), (640, 384))
    assert letterbox.offset == (0, 12)


@pytest.mark.parametrize("size", [(1, 1), (1, 4000), (4000, 1), (639, 641)])
def test_any_size_leaves_a_pixel_at_least(size: tuple[int, int]) -> None:
    picture = boxed(np.full((size[1], size[0], 3), 255, np.uint8), fit(size, (64, 64)))
    assert picture.shape == (64, 64, 3)
    assert (picture == 255).any()


def test_points_come_back_to_the_centres_of_the_pixels_that_they_cover() -> None:
    """At half the size, pixel i of the input covers the source's 2 i and 2 i + 1, centred at
    2 i + .5; the border of 14 rows goes off first."""
    letterbox = fit((64, 36), (32, 46))
    assert letterbox.offset == (0, 14)
    points = np.array([[0, 14], [31, 31], [5.25, 20]], np.float32)
    np.testing.assert_array_equal(
        letterbox.to_source(points), [[0.5, 0.5], [62.5, 34.5], [11, 12.5]]
    )


def test_the_edges_of_the_input_are_the_edges_of_the_frame() -> None:
    letterbox = fit((300, 100), (96, 96))
    top, bottom = 32 - 0.5, 64 - 0.5
    corners = np.array([[-0.5, top], [95.5, bottom]], np.float32)
    np.testing.assert_allclose(
        letterbox.to_source(corners), [[-0.5, -0.5], [299.5, 99.5]], atol=1e-4
    )


def centroid(picture: UInt8) -> tuple[float, float]:
    """Of what is brighter than the border."""
    bright = np.maximum(picture[..., 0].astype(float) - 114, 0)
    ys, xs = np.indices(bright.shape)
    return float((bright * xs).sum() / bright.sum()), float((bright * ys).sum() / bright.sum())


@pytest.mark.parametrize("padded", [(96, 96), (48, 48), (200, 120), (24, 50)])
def test_a_dot_of_the_frame_lies_where_its_letterbox_says(padded: tuple[int, int]) -> None:
    """A dot of 4 x 4 pixels around (33.5, 21.5): symmetric, so scaling keeps its centroid."""
    frame = np.zeros((48, 96, 3), np.uint8)
    frame[20:24, 32:36] = 255
    letterbox = fit((96, 48), padded)
    dot = np.array(centroid(boxed(frame, letterbox)), np.float32)
    np.testing.assert_allclose(letterbox.to_source(dot), [33.5, 21.5], atol=0.02)


def test_the_border_is_grey_and_a_frame_of_the_right_size_is_untouched() -> None:
    frame = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    picture = boxed(frame, fit((6, 4), (6, 8)))
    np.testing.assert_array_equal(picture[2:6], frame)
    assert (np.concatenate([picture[:2], picture[6:]]) == 114).all()
