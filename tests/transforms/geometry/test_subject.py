import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posemill.transforms.geometry import Box, frame_box, map_to, subject_box


def joints(*points: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """One person; a point is missing where it is (-1, -1)."""
    xy = np.array([points], np.float32)
    return xy, np.where((xy == -1).all(axis=-1), 0.0, 1.0).astype(np.float32)


def test_the_subject_box_is_padded_by_a_quarter_and_square() -> None:
    box = subject_box(*joints((100, 50), (180, 90)), width=320, height=240)
    # Extent 80 x 40: side 1.25 * 80 = 100 around (140, 70), beyond no edge of the frame.
    assert box == Box(left=90.0, top=20.0, width=100.0, height=100.0)


def test_the_subject_box_may_leave_the_frame() -> None:
    box = subject_box(*joints((0, 0), (20, 200)), width=320, height=240)
    assert box == Box(left=-115.0, top=-25.0, width=250.0, height=250.0)


@pytest.mark.parametrize(
    ("aspect", "box"),
    [
        # Extent 80 x 40, padded 100 x 50 around (140, 70).
        (None, Box(90.0, 45.0, 100.0, 50.0)),
        (2.0, Box(90.0, 45.0, 100.0, 50.0)),
        (0.5, Box(90.0, -30.0, 100.0, 200.0)),
        (4.0, Box(40.0, 45.0, 200.0, 50.0)),
    ],
)
def test_an_aspect_is_reached_by_growing(aspect: float | None, box: Box) -> None:
    assert subject_box(*joints((100, 50), (180, 90)), 320, 240, aspect=aspect) == box


def test_padding_is_a_part_of_the_extent() -> None:
    two = joints((100, 50), (180, 90))
    assert subject_box(*two, 320, 240, padding=0.0) == Box(100.0, 30.0, 80.0, 80.0)
    assert subject_box(*two, 320, 240, padding=1.0) == Box(60.0, -10.0, 160.0, 160.0)


def test_all_people_of_all_frames_are_inside() -> None:
    xy = np.zeros((3, 2, 2, 2), np.float32)  # frames, persons, joints
    xy[0, 0], xy[2, 1] = [[10, 20], [30, 60]], [[200, 100], [170, 40]]
    score = np.zeros((3, 2, 2), np.float32)
    score[0, 0] = score[2, 1] = 1.0
    # x from 10 to 200, y from 20 to 100.
    assert subject_box(xy, score, 320, 240, padding=0.0, aspect=None) == Box(10, 20, 190, 80)


@pytest.mark.parametrize("nowhere", [math.nan, math.inf, 0.0])
def test_missing_joints_do_not_widen_the_box(nowhere: float) -> None:
    seen = subject_box(*joints((100, 50), (180, 90)), width=320, height=240)
    xy, score = joints((100, 50), (-1, -1), (180, 90))
    xy[0, 1] = nowhere
    assert subject_box(xy, score, width=320, height=240) == seen


def test_a_joint_without_coordinates_is_missing_whatever_its_score() -> None:
    seen = subject_box(*joints((100, 50), (180, 90)), width=320, height=240)
    xy, score = joints((100, 50), (math.nan, 7), (180, 90))
    assert subject_box(xy, score, width=320, height=240) == seen


@pytest.mark.parametrize(
    "points", [[(-1, -1)], [(10, 10)], [(10, 10), (200, 19)], [(10, 10), (19.5, 200)]]
)
def test_a_small_extent_takes_the_whole_frame(points: list[tuple[float, float]]) -> None:
    assert subject_box(*joints(*points), width=320, height=240) == frame_box(320, 240)


def test_what_is_small_can_be_chosen() -> None:
    narrow = joints((10, 10), (200, 14))
    assert subject_box(*narrow, 320, 240, min_extent_px=4.0) != frame_box(320, 240)
    assert subject_box(*narrow, 320, 240, min_extent_px=4.1) == frame_box(320, 240)


def test_nobody_takes_the_whole_frame() -> None:
    nobody = np.zeros((0, 17, 2), np.float32), np.zeros((0, 17), np.float32)
    assert subject_box(*nobody, 320, 240) == frame_box(320, 240)


def test_the_subjects_middle_is_the_pictures_middle() -> None:
    xy, score = joints((100, 50), (180, 90))
    mapped = map_to(xy, subject_box(xy, score, 320, 240), (64, 64))
    assert mapped.mean(axis=1)[0] == pytest.approx([31.5, 31.5])
    # 80 px of a box of 100 px: 51.2 px of 64.
    assert np.ptp(mapped[0, :, 0]) == pytest.approx(51.2, abs=1e-4)


@given(
    st.lists(st.tuples(st.floats(-300, 900, width=32), st.floats(-300, 900, width=32)), min_size=1),
    st.floats(0, 2),
    st.none() | st.floats(0.25, 4),
)
def test_every_detected_joint_is_shown(
    points: list[tuple[float, float]], padding: float, aspect: float | None
) -> None:
    xy = np.array([points], np.float32)
    score = np.ones(xy.shape[:2], np.float32)
    box = subject_box(xy, score, 640, 480, padding=padding, aspect=aspect)
    if box == frame_box(640, 480):
        assert np.ptp(xy[0], axis=0).min() < 10.0
        return
    mapped = map_to(xy, box, (56, 56))
    assert mapped.min() >= -0.501
    assert mapped.max() <= 55.501
    if aspect is not None:
        assert box.aspect == pytest.approx(aspect)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"padding": -0.1}, "padding must be a number of 0 or more, got -0.1"),
        ({"padding": math.nan}, "padding must be a number of 0 or more, got nan"),
        ({"min_extent_px": 0.0}, "min_extent_px must be a number above 0, got 0.0"),
        ({"aspect": 0.0}, "aspect must be a number above 0, got 0.0"),
        ({"aspect": math.inf}, "aspect must be a number above 0, got inf"),
    ],
)
def test_values_out_of_range_are_refused(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        subject_box(*joints((100, 50), (180, 90)), 320, 240, **settings)


def test_shapes_that_disagree_are_refused() -> None:
    xy, score = joints((100, 50), (180, 90))
    with pytest.raises(ValueError, match=r"xy_px must be \(1, 1, 2\), as score is, got \(1, 2, 2"):
        subject_box(xy, score[:, :1], 320, 240)
    with pytest.raises(ValueError, match=r"a box of 0.0 x 240.0 px has no area"):
        subject_box(xy, score, 0, 240)
