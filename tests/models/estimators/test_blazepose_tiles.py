"""Windows of a frame: how many, what they cover, what a cut of them shows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posemill.models.estimators.blazepose.rules import BlazePoseRules
from posemill.models.estimators.blazepose.tiles import Window, cut, shrink, windows

RULES = BlazePoseRules()


# By hand, with tiles of .6 and at least .3 of overlap, for a height of 1:
# 16:9  1 + 3 squares of 1 (gaps: ceil(.78 / .7) = 2) + 2 x 4 of .6 (ceil(1.18 / .42) = 3)
# 3:2   1 + 2 (ceil(.5 / .7) = 1) + 2 x 4 (ceil(.9 / .42) = 3)
# 1:1   1 + 2 x 2 (ceil(.4 / .42) = 1): the whole frame is a square already
@pytest.mark.parametrize(
    ("width", "height", "count"),
    [
        (1920, 1080, 12),
        (1080, 1920, 12),
        (600, 400, 11),
        (400, 600, 11),
        (500, 500, 5),
        (1, 300, 1),
    ],
)
def test_how_many_windows_there_are(width, height, count):
    assert len(windows(width, height, RULES)) == count


def test_windows_of_a_wide_frame_by_hand():
    found = windows(200, 100, RULES)
    assert found[0] == Window(0, -50, 200)  # the whole frame, letterboxed
    assert found[1:4] == (Window(0, 0, 100), Window(50, 0, 100), Window(100, 0, 100))
    lefts = [0, 35, 70, 105, 140]  # (200 - 60) / 4 apart
    assert found[4:] == tuple(Window(left, top, 60) for top in (0, 40) for left in lefts)


def test_a_portrait_frame_has_the_windows_of_the_landscape_one_transposed():
    landscape = windows(640, 360, RULES)
    assert windows(360, 640, RULES) == tuple(Window(w.top, w.left, w.side) for w in landscape)


@given(st.integers(1, 150), st.integers(1, 150))
def test_small_windows_cover_every_pixel_of_any_frame(width, height):
    first, *rest = windows(width, height, RULES)
    assert first.side == max(width, height)
    assert first.left <= 0
    assert first.top <= 0
    assert first.left + first.side >= width
    assert first.top + first.side >= height
    seen = np.zeros((height, width), bool)
    for window in rest:
        left, top = max(window.left, 0), max(window.top, 0)
        seen[top : window.top + window.side, left : window.left + window.side] = True
    assert seen.all() or (min(width, height) < 34 and not rest)  # .6 of 34 are 20 pixels


@given(st.integers(1, 90), st.integers(1, 90), st.integers(0, 12))
def test_every_window_of_any_frame_can_be_cut(width, height, index):
    frame = np.full((height, width, 3), 200, np.uint8)
    found = windows(width, height, RULES)
    tile = cut(frame, found[index % len(found)], 16)
    assert tile.shape == (16, 16, 3)
    assert set(np.unique(tile)) <= {0, 200}
    assert (tile == 200).any()


def test_a_letterboxed_cut_is_centred_and_black_beside_the_frame():
    frame = np.full((4, 8, 3), 255, np.uint8)
    tile = cut(frame, Window(0, -2, 8), 16)
    np.testing.assert_array_equal(tile[4:12], 255)
    np.testing.assert_array_equal(tile[[0, 3, 12, 15]], 0)


def test_a_cut_of_its_own_size_is_that_part_of_the_frame():
    frame = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    np.testing.assert_array_equal(cut(frame, Window(5, 2, 16), 16), frame[2:18, 5:21])


def test_large_frames_shrink_until_the_small_tiles_need_no_scaling():
    # .6 of the height becomes 224 pixels: 1080 -> 373, 1920 -> 664.
    assert shrink(np.zeros((1080, 1920, 3), np.uint8), 224, RULES).shape == (373, 664, 3)


def test_small_frames_are_not_touched():
    frame = np.zeros((256, 340, 3), np.uint8)
    assert shrink(frame, 224, RULES) is frame
