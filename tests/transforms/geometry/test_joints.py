import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posemill.transforms.geometry import (
    Box,
    fit_canvas,
    flip_box,
    flip_joints,
    frame_box,
    map_to,
    random_resized_box,
)
from posemill.transforms.skeletons import COCO_17

COORDINATE = st.floats(-500, 500, width=32)
# Multiples of 1/16 up to 2^12 are exact in float32, and so are sums and halves of them.
EXACT = st.integers(-(2**14), 2**14).map(lambda n: n / 16)


def test_resizing_keeps_the_outer_edges() -> None:
    # A frame of 320 px covers [-1/2, 319.5]; a picture of 64 px covers [-1/2, 63.5].
    xy = np.array([[-0.5, -0.5], [319.5, 239.5], [159.5, 119.5], [0.0, 0.0]], np.float32)
    mapped = map_to(xy, frame_box(320, 240), (48, 64))
    # x = 0 is half a source pixel, .1 px, inside the edge.
    assert mapped == pytest.approx(
        np.array([[-0.5, -0.5], [63.5, 47.5], [31.5, 23.5], [-0.4, -0.4]]), abs=1e-5
    )


def test_a_box_of_pixels_is_shown_as_it_is() -> None:
    # Columns 10 .. 13 and rows 20 .. 22, edges half a pixel outside.
    mapped = map_to(np.array([[10, 20], [13, 22]], np.float32), Box(9.5, 19.5, 4, 3), (3, 4))
    assert mapped.tolist() == [[0, 0], [3, 2]]


@given(st.lists(st.tuples(COORDINATE, COORDINATE), min_size=17, max_size=17))
def test_flipping_twice_changes_nothing(points: list[tuple[float, float]]) -> None:
    xy, score = np.array([points], np.float32), np.linspace(0, 1, 17, dtype=np.float32)[None]
    once = flip_joints(xy, score, 320, COCO_17.mirror)
    twice_xy, twice_score = flip_joints(*once, 320, COCO_17.mirror)
    assert twice_xy == pytest.approx(xy, abs=1e-4)
    assert np.array_equal(twice_score, score)


def test_a_flip_mirrors_pixel_centres_and_swaps_sides() -> None:
    xy, score = np.zeros((1, 17, 2), np.float32), np.zeros((1, 17), np.float32)
    left_wrist, right_wrist = (COCO_17.keypoints.index(f"{s}_wrist") for s in ("left", "right"))
    xy[0, left_wrist], score[0, left_wrist] = (3.0, 7.0), 0.5
    flipped_xy, flipped_score = flip_joints(xy, score, 64, COCO_17.mirror)
    assert flipped_xy[0, right_wrist].tolist() == [60.0, 7.0]
    assert flipped_score[0, right_wrist] == 0.5
    assert flipped_score[0, left_wrist] == 0.0


@given(COORDINATE, st.integers(20, 2000), st.integers(20, 2000))
def test_flipping_before_and_after_resizing_agree(x: float, width: int, height: int) -> None:
    xy, score = np.full((1, 17, 2), x, np.float32), np.ones((1, 17), np.float32)
    valid_hw = fit_canvas(width, height, (64, 86))
    box = frame_box(width, height)
    before = map_to(flip_joints(xy, score, width, COCO_17.mirror)[0], box, valid_hw)
    after = flip_joints(map_to(xy, box, valid_hw), score, valid_hw[1], COCO_17.mirror)[0]
    assert before == pytest.approx(after, abs=2e-2)


@given(
    st.lists(st.tuples(EXACT, EXACT), min_size=17, max_size=17),
    st.integers(1, 2048),
    EXACT,
    st.sampled_from([28, 56, 112, 224]),
)
def test_a_flipped_frame_in_a_flipped_box_is_the_flipped_picture(
    points: list[tuple[float, float]], width: int, left: float, box_width: int
) -> None:
    # All in sixteenths of a pixel, at scales that are powers of 2: equal, not nearly.
    xy, score = np.array([points], np.float32), np.ones((1, 17), np.float32)
    box = Box(left, 7.5, box_width, 2 * box_width)
    frame_flipped, _ = flip_joints(xy, score, width, COCO_17.mirror)
    before = map_to(frame_flipped, flip_box(box, width), (56, 56))
    after, _ = flip_joints(map_to(xy, box, (56, 56)), score, 56, COCO_17.mirror)
    assert np.array_equal(before, after)


@given(st.integers(0, 2**32 - 1))
def test_a_random_part_flips_to_rounding(seed: int) -> None:
    rng = np.random.default_rng(seed)
    xy = rng.uniform(0, 300, (2, 17, 2)).astype(np.float32)
    score = np.ones((2, 17), np.float32)
    box = random_resized_box(frame_box(320, 240), rng)
    frame_flipped, _ = flip_joints(xy, score, 320, COCO_17.mirror)
    before = map_to(frame_flipped, flip_box(box, 320), (56, 56))
    after, _ = flip_joints(map_to(xy, box, (56, 56)), score, 56, COCO_17.mirror)
    assert before == pytest.approx(after, abs=1e-4)


def test_what_is_missing_stays_missing() -> None:
    xy, score = np.zeros((2, 17, 2), np.float32), np.ones((2, 17), np.float32)
    xy[0, 5], score[0, 5] = np.nan, 0.0  # the left shoulder
    mapped = map_to(xy, Box(1, 2, 3, 4), (8, 8))
    assert np.array_equal(np.isnan(mapped), np.isnan(xy))
    flipped_xy, flipped_score = flip_joints(mapped, score, 8, COCO_17.mirror)
    assert np.isnan(flipped_xy[0, 6]).all()  # is the right one in the mirror
    assert np.isnan(flipped_xy).sum() == 2
    assert flipped_score[0, 6] == 0.0
    assert (flipped_score == 0).sum() == 1


def test_arguments_are_left_alone() -> None:
    xy, score = np.ones((1, 17, 2), np.float32), np.ones((1, 17), np.float32)
    kept = xy.copy(), score.copy()
    map_to(xy, frame_box(9, 9), (64, 64))[:] = 7
    for flipped in flip_joints(xy, score, 320, COCO_17.mirror):
        flipped[:] = 7
    assert np.array_equal(xy, kept[0])
    assert np.array_equal(score, kept[1])


def test_what_does_not_fit_together_is_refused() -> None:
    xy, score = np.ones((1, 3, 2), np.float32), np.ones((1, 3), np.float32)
    with pytest.raises(ValueError, match=r"xy_px must be \(..., 2\), got \(1, 3\)"):
        map_to(score, frame_box(9, 9), (8, 8))
    with pytest.raises(
        ValueError, match=r"size_hw must be .*at least 1 x 1 whole px, got \(0, 8\)"
    ):
        map_to(xy, frame_box(9, 9), (0, 8))
    with pytest.raises(ValueError, match=r"mirror must hold each of 3 joints once, got \(1, 0"):
        flip_joints(xy, score, 8, (1, 0))
    with pytest.raises(ValueError, match=r"xy_px must be \(1, 2, 2\), as score is, got \(1, 3, 2"):
        flip_joints(xy, score[:, :2], 8, (1, 0))


@pytest.mark.parametrize("width", [-5, 0, np.nan, np.inf, None, "9"])
def test_a_mirror_needs_a_width(width: float) -> None:
    with pytest.raises(ValueError, match="width must be a number"):
        flip_joints(np.zeros((1, 3, 2)), np.ones((1, 3)), width, (0, 2, 1))


def test_lists_are_as_good_as_arrays() -> None:
    mapped = map_to([[0, 0], [3, 7]], frame_box(4, 8), (8, 4))
    assert mapped.tolist() == [[0, 0], [3, 7]]
    flipped, score = flip_joints([[0, 0], [3, 7]], [0.25, 1], 4, (1, 0))
    assert flipped.tolist() == [[0, 7], [3, 0]]
    assert score.tolist() == [1, 0.25]
    with pytest.raises(ValueError, match=r"xy_px must be an array of real numbers, got \[\[0\], "):
        map_to([[0], [1, 2]], frame_box(4, 8), (8, 4))
    with pytest.raises(ValueError, match="score must be real numbers, got <U1"):
        flip_joints([[0, 0]], ["a"], 4, (0,))
    with pytest.raises(ValueError, match=r"size_hw must be \(height, width\), .* got \(8, 4, 2\)"):
        map_to([[0, 0]], frame_box(4, 8), (8, 4, 2))
