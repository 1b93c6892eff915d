import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posemill.transforms.geometry import (
    Box,
    fit_canvas,
    flip_joints,
    frame_box,
    map_to,
    subject_box,
)
from posemill.transforms.skeletons import COCO_17

COORDINATE = st.floats(-500, 500, width=32)


def joints(*points: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """One person; a point is missing where it is (-1, -1)."""
    xy = np.array([points], np.float32)
    return xy, np.where((xy == -1).all(axis=-1), 0.0, 1.0).astype(np.float32)


def test_resizing_keeps_the_outer_edges() -> None:
    # A frame of 320 px covers [-1/2, 319.5]; a picture of 64 px covers [-1/2, 63.5].
    xy = np.array([[-0.5, -0.5], [319.5, 239.5], [159.5, 119.5], [0.0, 0.0]], np.float32)
    mapped = map_to(xy, frame_box(320, 240), (48, 64))
    # x = 0 is half a source pixel, .1 px, inside the edge.
    assert mapped == pytest.approx(
        np.array([[-0.5, -0.5], [63.5, 47.5], [31.5, 23.5], [-0.4, -0.4]]), abs=1e-5
    )


def test_the_subject_box_is_padded_by_a_quarter_and_square() -> None:
    box = subject_box(*joints((100, 50), (180, 90)), width=320, height=240)
    # Extent 80 x 40: side 1.25 * 80 = 100 around (140, 70), beyond no edge of the frame.
    assert box == Box(left=90.0, top=20.0, width=100.0, height=100.0)


def test_the_subject_box_may_leave_the_frame() -> None:
    box = subject_box(*joints((0, 0), (20, 200)), width=320, height=240)
    assert box == Box(left=-115.0, top=-25.0, width=250.0, height=250.0)


def test_missing_joints_do_not_widen_the_box() -> None:
    seen = subject_box(*joints((100, 50), (180, 90)), width=320, height=240)
    with_missing = subject_box(*joints((100, 50), (-1, -1), (180, 90)), width=320, height=240)
    assert with_missing == seen


@pytest.mark.parametrize(
    "points", [[(-1, -1)], [(10, 10)], [(10, 10), (200, 19)], [(10, 10), (19.5, 200)]]
)
def test_a_small_extent_takes_the_whole_frame(points: list[tuple[float, float]]) -> None:
    assert subject_box(*joints(*points), width=320, height=240) == frame_box(320, 240)


def test_the_subjects_middle_is_the_pictures_middle() -> None:
    xy, score = joints((100, 50), (180, 90))
    box = subject_box(xy, score, 320, 240)
    mapped = map_to(xy, box, (64, 64))
    assert mapped.mean(axis=1)[0] == pytest.approx([31.5, 31.5])
    # 80 px of a box of 100 px: 51.2 px of 64.
    assert np.ptp(mapped[0, :, 0]) == pytest.approx(51.2, abs=1e-4)


@pytest.mark.parametrize(
    ("width", "height", "valid_hw"),
    [
        (320, 240, (64, 86)),  # as published for JMRN
        (344, 256, (64, 86)),
        (1920, 1080, (49, 86)),  # 86 * 9 / 16 = 48.4
        (480, 640, (64, 48)),
        (10, 10, (64, 64)),
        (10_000, 1, (1, 86)),
    ],
)
def test_a_frame_fits_the_canvas(width: int, height: int, valid_hw: tuple[int, int]) -> None:
    assert fit_canvas(width, height, (64, 86)) == valid_hw


@given(st.integers(1, 5000), st.integers(1, 5000))
def test_a_fitted_frame_touches_two_sides_and_never_leaves(width: int, height: int) -> None:
    fitted_height, fitted_width = fit_canvas(width, height, (64, 86))
    assert 1 <= fitted_height <= 64
    assert 1 <= fitted_width <= 86
    assert fitted_height == 64 or fitted_width == 86


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


def test_arguments_are_left_alone() -> None:
    xy, score = joints((100, 50), (180, 90))
    kept = xy.copy(), score.copy()
    map_to(xy, subject_box(xy, score, 320, 240), (64, 64))
    flip_joints(xy, score, 320, (1, 0))
    assert np.array_equal(xy, kept[0])
    assert np.array_equal(score, kept[1])


def test_a_box_without_area_is_refused() -> None:
    with pytest.raises(ValueError, match=r"a box of 0.0 x 5.0 px has no area"):
        Box(0.0, 0.0, 0.0, 5.0)
