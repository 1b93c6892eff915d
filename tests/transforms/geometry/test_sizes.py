import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posemill.transforms.geometry import fit_canvas, short_side_hw

SIDE = st.integers(1, 5000)


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


@given(SIDE, SIDE)
def test_a_fitted_frame_touches_two_sides_and_never_leaves(width: int, height: int) -> None:
    fitted_height, fitted_width = fit_canvas(width, height, (64, 86))
    assert 1 <= fitted_height <= 64
    assert 1 <= fitted_width <= 86
    assert fitted_height == 64 or fitted_width == 86


@pytest.mark.parametrize(
    ("width", "height", "short_side", "size_hw"),
    [
        (320, 240, 64, (64, 86)),  # 85.33
        (240, 320, 64, (86, 64)),
        (1920, 1080, 256, (256, 456)),  # 455.1
        (640, 480, 240, (240, 320)),
        (7, 7, 224, (224, 224)),
        (1, 3, 1, (3, 1)),
    ],
)
def test_the_short_side(width: int, height: int, short_side: int, size_hw: tuple[int, int]) -> None:
    assert short_side_hw(width, height, short_side) == size_hw


@given(SIDE, SIDE, st.integers(1, 512))
def test_the_aspect_is_kept_to_a_pixel(width: int, height: int, short_side: int) -> None:
    size = short_side_hw(width, height, short_side)
    assert min(size) == short_side
    exact = short_side * max(width, height) / min(width, height)
    assert -1e-5 <= max(size) - exact < 1.0
    assert (size[0] >= size[1]) or width > height


@given(SIDE, SIDE, st.integers(1, 512))
def test_both_ways_to_a_size_round_alike(width: int, height: int, short_side: int) -> None:
    size = short_side_hw(width, height, short_side)
    assert fit_canvas(width, height, size) == pytest.approx(size, abs=1)
    long_hw = (short_side, 10**9) if width >= height else (10**9, short_side)
    assert fit_canvas(width, height, long_hw) == size


def test_what_has_no_size_is_refused() -> None:
    with pytest.raises(ValueError, match="short_side must be a whole number of at least 1, got 0"):
        short_side_hw(4, 4, 0)
    with pytest.raises(ValueError, match="width must be a whole number of at least 1, got 0"):
        short_side_hw(0, 4, 4)
    with pytest.raises(ValueError, match="height must be a whole number of at least 1, got 0"):
        fit_canvas(4, 0, (64, 86))
    with pytest.raises(
        ValueError, match=r"canvas_hw must be .*at least 1 x 1 whole px, got \(64, 0\)"
    ):
        fit_canvas(4, 4, (64, 0))


def test_sizes_are_integers_of_any_kind() -> None:
    assert fit_canvas(np.int16(320), np.uint8(240), np.array([64, 86])) == (64, 86)
    assert short_side_hw(np.int16(320), np.uint8(240), 120) == (120, 160)
    for wrong in (np.nan, 4.0, "4", None):
        with pytest.raises(ValueError, match="width must be a whole number of at least 1, got"):
            fit_canvas(wrong, 4, (64, 86))
        with pytest.raises(ValueError, match="short_side must be a whole number of at least 1"):
            short_side_hw(4, 4, wrong)
    for size in ((64, 86, 3), (64,), 64, None, (64.0, 86)):
        with pytest.raises(ValueError, match=r"canvas_hw must be \(height, width\), .* got "):
            fit_canvas(4, 4, size)
