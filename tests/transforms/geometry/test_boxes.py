import math
from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posemill.transforms.geometry import (
    Box,
    centre_box,
    centre_crop_box,
    flip_box,
    frame_box,
    map_to,
    random_crop_box,
    random_resized_box,
    scale_box,
    square_box,
)

SEED = st.integers(0, 2**32 - 1)
SIDE = st.floats(1, 2000)
boxes = st.builds(Box, st.floats(-500, 500), st.floats(-500, 500), SIDE, SIDE)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def lies_in(part: Box, whole: Box) -> bool:
    return (
        part.left >= whole.left - 1e-9
        and part.top >= whole.top - 1e-9
        and part.left + part.width <= whole.left + whole.width + 1e-9
        and part.top + part.height <= whole.top + whole.height + 1e-9
    )


@pytest.mark.parametrize("size", [(0.0, 5.0), (5.0, -1.0), (math.nan, 5.0)])
def test_a_box_without_area_is_refused(size: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match=rf"a box of {size[0]} x {size[1]} px has no area"):
        Box(0.0, 0.0, *size)


def test_an_endless_box_is_refused() -> None:
    with pytest.raises(ValueError, match="a box must be finite"):
        Box(math.nan, 0.0, 5.0, 5.0)


def test_a_flipped_box_is_as_far_from_the_other_edge() -> None:
    # From 10 to 40 in a frame whose edges are -1/2 and 99.5: 10.5 from the left edge.
    assert flip_box(Box(10.0, 5.0, 30.0, 20.0), 100) == Box(59.0, 5.0, 30.0, 20.0)
    assert flip_box(frame_box(100, 50), 100) == frame_box(100, 50)


@given(boxes, st.integers(1, 2000))
def test_a_box_flipped_twice_is_itself(box: Box, width: int) -> None:
    twice = flip_box(flip_box(box, width), width)
    assert twice.left == pytest.approx(box.left, abs=1e-9)
    assert (twice.top, twice.width, twice.height) == (box.top, box.width, box.height)


def test_the_middle_of_a_wide_and_of_a_high_box() -> None:
    assert centre_box(Box(0.0, 0.0, 160.0, 90.0), 1.0) == Box(35.0, 0.0, 90.0, 90.0)
    assert centre_box(Box(0.0, 0.0, 30.0, 90.0), 1.5) == Box(0.0, 35.0, 30.0, 20.0)


@given(boxes, st.floats(0.1, 10))
def test_the_middle_has_the_aspect_touches_two_sides_and_stays_inside(
    box: Box, aspect: float
) -> None:
    middle = centre_box(box, aspect)
    assert middle.aspect == pytest.approx(aspect)
    assert lies_in(middle, box)
    assert middle.width == box.width or middle.height == box.height


@pytest.mark.parametrize("aspect", [0.0, -1.0, math.inf, math.nan])
def test_an_aspect_that_is_none_is_refused(aspect: float) -> None:
    with pytest.raises(ValueError, match=f"aspect must be a number above 0, got {aspect}"):
        centre_box(frame_box(4, 4), aspect)


@given(boxes, SEED)
def test_random_parts_stay_inside_and_keep_their_ratio(box: Box, seed: int) -> None:
    part = random_resized_box(box, rng(seed))
    assert lies_in(part, box)
    assert 3 / 4 - 1e-9 <= part.aspect <= 4 / 3 + 1e-9


@given(SEED)
def test_parts_of_a_square_have_an_area_of_the_range(seed: int) -> None:
    part = random_resized_box(Box(3.0, 4.0, 50.0, 50.0), rng(seed))
    assert 0.56 - 1e-9 <= part.width * part.height / 2500 <= 1.0 + 1e-9


def test_random_parts_differ_in_area_ratio_and_place() -> None:
    box = Box(-10.0, 20.0, 50.0, 50.0)
    parts = [random_resized_box(box, rng(seed)) for seed in range(500)]
    areas = [part.width * part.height / 2500 for part in parts]
    assert min(areas) < 0.6
    assert max(areas) > 0.9
    ratios = [part.aspect for part in parts]
    assert min(ratios) < 0.8
    assert max(ratios) > 1.25
    # Where there is room, both ends of it are reached.
    places = [(part.left + 10) / (50 - part.width) for part in parts if part.width < 49]
    assert min(places) < 0.02
    assert max(places) > 0.98


def test_ratios_spread_evenly_in_the_logarithm() -> None:
    # Small parts always fit, so that nothing but the draw decides: half of the log range each.
    parts = [
        random_resized_box(Box(0, 0, 100, 100), rng(seed), area=(0.01, 0.1), ratio=(0.5, 8.0))
        for seed in range(2000)
    ]
    below = sum(part.aspect < 2.0 for part in parts) / 2000  # log 2 halves log .5 .. log 8
    assert below == pytest.approx(0.5, abs=0.04)


def test_areas_are_uniform() -> None:
    parts = [
        random_resized_box(Box(0, 0, 10, 10), rng(seed), area=(0.1, 0.3), ratio=(1, 1))
        for seed in range(2000)
    ]
    areas = np.array([part.width * part.height / 100 for part in parts])
    assert np.quantile(areas, [0.25, 0.5, 0.75]) == pytest.approx([0.15, 0.2, 0.25], abs=0.01)


def test_where_nothing_fits_it_is_the_largest_centred_part() -> None:
    # Four times as wide as high: .56 of 400 x 100 at 4 / 3 is 173 x 130, too high.
    wide = random_resized_box(Box(0.0, 0.0, 400.0, 100.0), rng())
    assert wide == centre_box(Box(0.0, 0.0, 400.0, 100.0), 4 / 3)
    high = random_resized_box(Box(0.0, 0.0, 100.0, 400.0), rng())
    assert high == centre_box(Box(0.0, 0.0, 100.0, 400.0), 3 / 4)
    square = Box(1.0, 2.0, 30.0, 30.0)
    assert random_resized_box(square, rng(), area=(1.0, 1.0), ratio=(0.9, 0.9)) == (
        centre_box(square, 0.9)
    )


def test_all_of_a_square_is_the_square() -> None:
    square = Box(1.0, 2.0, 30.0, 30.0)
    assert random_resized_box(square, rng(), area=(1.0, 1.0), ratio=(1.0, 1.0)) == square


@pytest.mark.parametrize(
    ("ranges", "message"),
    [
        ({"area": (0.0, 1.0)}, r"area must be a rising range above 0 and at most 1, got \(0.0"),
        ({"area": (0.5, 1.1)}, r"area must be a rising range above 0 and at most 1, got \(0.5"),
        ({"area": (0.9, 0.5)}, r"area must be .*, got \(0.9, 0.5\)"),
        ({"ratio": (0.0, 1.0)}, r"ratio must be a rising range above 0, got \(0.0, 1.0\)"),
        ({"ratio": (1.0, math.inf)}, r"ratio must be a rising range above 0, got \(1.0, inf\)"),
        ({"ratio": (math.nan, 1.0)}, r"ratio must be a rising range above 0, got \(nan, 1.0\)"),
    ],
)
def test_ranges_that_are_none_are_refused(
    ranges: dict[str, tuple[float, float]], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        random_resized_box(frame_box(10, 10), rng(), **ranges)


def test_random_crops_reach_every_place_and_no_other() -> None:
    crops = {random_crop_box(6, 5, 4, rng(seed)) for seed in range(100)}
    assert crops == {Box(left - 0.5, top - 0.5, 4.0, 4.0) for left in (0, 1, 2) for top in (0, 1)}


def test_the_middle_crop_of_parnet() -> None:
    # Short side 256 of 16 : 9: 456 x 256, of which 224 x 224 start at 116 and 16.
    assert centre_crop_box(456, 256, 224) == Box(115.5, 15.5, 224.0, 224.0)
    assert centre_crop_box(5, 4, 2) == Box(0.5, 0.5, 2.0, 2.0)
    assert centre_crop_box(4, 4, 4) == frame_box(4, 4)


@pytest.mark.parametrize(
    ("size", "message"),
    [
        (5, "size must be from 1 to the short side of 6 x 4 px, got 5"),
        (0, "size must be a whole number of at least 1, got 0"),
        (2.5, "size must be a whole number of at least 1, got 2.5"),
        (np.nan, "size must be a whole number of at least 1, got nan"),
    ],
)
def test_a_crop_that_does_not_fit_is_refused(size: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        centre_crop_box(6, 4, size)
    with pytest.raises(ValueError, match=message):
        random_crop_box(6, 4, size, rng())


@settings(max_examples=20)
@given(SEED)
def test_equal_generators_give_equal_boxes_and_nothing_global_is_touched(seed: int) -> None:
    state = np.random.get_state(legacy=False)  # noqa: NPY002
    draws = [
        (random_resized_box(frame_box(60, 60), each), random_crop_box(60, 50, 40, each))
        for each in (rng(seed), rng(seed))
    ]
    assert draws[0] == draws[1]
    after = np.random.get_state(legacy=False)  # noqa: NPY002
    np.testing.assert_equal(after, state)


@pytest.mark.parametrize("width", [-5, 0, np.nan, np.inf, None, "9"])
def test_a_mirror_needs_a_width(width: float) -> None:
    with pytest.raises(ValueError, match="width must be a number"):
        flip_box(frame_box(4, 4), width)


def test_what_is_no_number_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="top must be a number, got None"):
        Box(0.0, None, 2.0, 2.0)
    with pytest.raises(ValueError, match="aspect must be a number, got 'wide'"):
        centre_box(frame_box(4, 4), "wide")
    for area in ((0.5, 0.7, 1.0), 0.5, None):
        with pytest.raises(ValueError, match="area must be a rising range above 0 and at most 1"):
            random_resized_box(frame_box(4, 4), rng(), area=area)


def test_a_scaled_box_shows_the_same() -> None:
    # Twice as many px: from the edge at 10, which is 10.5 px from the left one, to 21 - 1/2.
    assert scale_box(Box(10.0, 4.5, 30.0, 20.0), 100, 50, (100, 200)) == Box(20.5, 9.5, 60.0, 40.0)
    whole = scale_box(frame_box(100, 50), 100, 50, (7, 13))
    assert astuple(whole) == pytest.approx(astuple(frame_box(13, 7)))
    with pytest.raises(ValueError, match="width"):
        scale_box(frame_box(100, 50), 0, 50, (7, 13))


@given(boxes, st.integers(1, 3000), st.integers(1, 3000), st.integers(1, 500))
def test_joints_land_alike_by_way_of_a_scaled_picture(
    box: Box, width: int, height: int, side: int
) -> None:
    joint = np.array([box.left + 0.3 * box.width, box.top + 0.8 * box.height])
    picture_hw = side, 2 * side
    there = map_to(joint, frame_box(width, height), picture_hw).astype(np.float64)
    ours = map_to(there, scale_box(box, width, height, picture_hw), (64, 48))
    error = 1e-6 * max(map(abs, (box.left, box.top, box.width, box.height)), default=1.0)
    assert ours == pytest.approx(map_to(joint, box, (64, 48)), abs=1e-3 + 64 * error)


@given(boxes)
def test_a_square_is_grown_around_the_middle(box: Box) -> None:
    square = square_box(box)
    assert square.width == square.height == max(box.width, box.height)
    assert lies_in(box, square)
    assert square.left + square.width / 2 == pytest.approx(box.left + box.width / 2, abs=1e-6)
    assert square.top + square.height / 2 == pytest.approx(box.top + box.height / 2, abs=1e-6)
