"""Heat over pictures, joints and people coloured by their weights, bars."""

import numpy as np
import pytest

from posemill.pipelines.drawing import PAPER, blank
from posemill.pipelines.preview.attention_figures import (
    draw_bars,
    draw_weighted_joints,
    draw_weighted_people,
)
from posemill.pipelines.preview.attention_heat import Scale, heat, heat_key, lay_over
from posemill.transforms.skeletons import COCO_17

GREY = blank(70, 140, (128, 128, 128))
WARMTH = heat(np.linspace(0, 1, 256, dtype=np.float32)).astype(int).sum(axis=1)


@pytest.mark.parametrize("place", [(0, 0), (3, 5), (6, 6), (2, 0)])
def test_the_hottest_pixels_lie_where_the_greatest_weight_is(place: tuple[int, int]) -> None:
    weights = np.random.default_rng(0).uniform(0.0, 0.4, (7, 7)).astype(np.float32)
    weights[place] = 1.0
    laid = lay_over(GREY, weights, Scale.of(weights)).astype(int)
    row, column = np.unravel_index(laid.sum(axis=2).argmax(), laid.shape[:2])
    assert (row // 10, column // 20) == place  # parts of 10 x 20 px


def test_a_picture_is_seen_through_its_heat() -> None:
    half = GREY.copy()
    half[:, 70:] = 250
    weights = np.ones((2, 2), np.float32)
    laid = lay_over(half, weights, Scale.of(weights))
    assert (laid[:, 70:].astype(int).sum(axis=2) > laid[:, :70].astype(int).sum(axis=2)).all()


def test_heat_rises_with_the_weight_and_its_scale_is_that_of_the_weights() -> None:
    assert (np.diff(WARMTH) >= -2).all()
    assert WARMTH[-1] > 3 * WARMTH[0]
    scale = Scale.of(np.array([2.0, 6.0, 3.0], np.float32))
    assert (scale.low, scale.high) == (2.0, 6.0)
    np.testing.assert_array_equal(scale.share(np.array([0, 2, 3, 6, 9], "f4")), [0, 0, 0.25, 1, 1])
    assert not Scale.of(np.full(3, 0.5, np.float32)).share(np.full(3, 0.5, np.float32)).any()


def test_the_key_goes_from_the_least_weight_to_the_greatest() -> None:
    strip = heat_key(Scale(0.0, 1.0), 400)
    ends = heat(np.array([0.0, 1.0], np.float32))
    np.testing.assert_array_equal(strip[10, [100, 299]], ends)


def test_joints_are_larger_and_hotter_the_more_they_weigh() -> None:
    xy = np.stack([np.linspace(20, 380, 17), np.full(17, 30.0)], axis=1).astype(np.float32)
    weights = np.linspace(0.0, 1.0, 17, dtype=np.float32)
    seen = np.ones(17, bool)
    seen[4] = False
    ground = blank(60, 400, (0, 0, 0))
    drawn = draw_weighted_joints(ground, xy, seen, weights, Scale.of(weights), COCO_17)
    for joint, (x, y) in enumerate(np.rint(xy).astype(int).tolist()):
        if seen[joint]:
            np.testing.assert_array_equal(drawn[y, x], heat(weights[joint : joint + 1])[0])
    sizes = [(drawn[:, x - 10 : x + 11].sum(axis=2) > 450).sum() for x in (20, 380)]
    assert sizes[1] > 4 * sizes[0]
    assert not ground.any()


def test_people_are_of_the_colours_of_their_weights() -> None:
    xy = np.zeros((3, 17, 2), np.float32)
    xy[0], xy[1], xy[2] = (30, 50), (110, 50), (300, 50)  # all joints in one place
    seen = np.ones((3, 17), bool)
    weights = np.array([0.9, 0.1, 0.5], np.float32)
    drawn = draw_weighted_people(GREY, xy, seen, weights, Scale.of(weights), COCO_17)
    np.testing.assert_array_equal(drawn[50, [30, 110]], heat(np.array([1.0, 0.0], np.float32)))
    papers = (drawn == PAPER).all(axis=2)
    assert papers[:40, :70].any()
    assert papers[:40, 70:135].any()
    assert not papers[:, 136:].any()  # who is outside has no text


def test_texts_of_people_in_one_place_hide_no_other() -> None:
    xy, seen = np.full((3, 17, 2), 60.0, np.float32), np.ones((3, 17), bool)
    weights = np.array([0.2, 0.3, 0.5], np.float32)
    ground = blank(140, 140, (128, 128, 128))
    drawn = draw_weighted_people(ground, xy, seen, weights, Scale.of(weights), COCO_17)
    rows = np.flatnonzero((drawn[:, 36] == PAPER).all(axis=1))
    assert len(rows) == 3 * 14


def test_bars_are_as_long_as_their_weights() -> None:
    weights = np.array([0.2, 0.4, 0.1], np.float32)
    drawn = draw_bars(["a", "b", "c"], weights, 616)  # 400 px for the longest
    colours = heat(np.array([1 / 3, 1, 0], np.float32))
    lengths = [
        int((drawn[16 * line + 8, 160:] == colours[line]).all(axis=1).sum()) for line in range(3)
    ]
    assert lengths == [200, 400, 100]
