from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from posemill.storage.fixed_point import dequantise, quantise, step_px


@pytest.mark.parametrize(
    ("size", "step"),
    [
        ((320, 240), 1 / 16),
        ((3840, 2160), 1 / 16),
        # (65535 - 4096) / 16 = 3839.94 px is the last coordinate at 1/16 px.
        ((3841, 2160), 1 / 8),
        ((2160, 4096), 1 / 8),
        ((7680, 4320), 1 / 8),
        ((8192, 4320), 1 / 4),
    ],
)
def test_larger_frames_take_coarser_steps(size: tuple[int, int], step: float) -> None:
    assert step_px(*size) == step


def test_the_numbers_are_those_of_the_format() -> None:
    xy_px = np.array([[[0, 0], [1.5, -256], [3839.9375, 100.03125], [7, 7]]], np.float32)
    score = np.array([[1.0, 0.5, 0.001, 0.0]], np.float32)
    triplets = quantise(xy_px, score, 1 / 16)
    # x * 16 + 4096; 255 * 0.5 = 127.5 rounds to even; a faint joint stays detected.
    expected = [[4096, 4096, 255], [4120, 0, 128], [65535, 5696, 1], [0, 0, 0]]
    assert triplets.tolist() == [expected]


@given(
    hnp.arrays(np.float32, (3, 5, 2), elements=st.floats(-256, 3839.875, width=32)),
    hnp.arrays(np.float32, (3, 5), elements=st.floats(0, 1, width=32)),
)
def test_errors_are_at_most_half_a_step(
    xy_px: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
    score: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
) -> None:
    xy_px[score == 0] = np.nan
    found_xy, found_score = dequantise(quantise(xy_px, score, 1 / 16), 1 / 16, 4096)
    detected = score > 0
    assert np.array_equal(found_score > 0, detected)
    assert (np.abs(found_xy - xy_px)[detected] <= 1 / 32).all()
    assert (found_xy[~detected] == 0).all()
    faint = score < 1 / 255
    assert (np.abs(found_score - score) <= np.where(faint, 1 / 255, 0.5 / 255) + 1e-6).all()


@given(st.floats(allow_nan=False, allow_infinity=False, width=32), st.integers(1, 20000))
def test_nothing_wraps_round(x: float, width: int) -> None:
    step = step_px(width, 1)
    xy_px = np.array([[[x, 0]]], np.float32)
    found, _ = dequantise(quantise(xy_px, np.ones((1, 1), np.float32), step), step, 4096)
    low, high = -4096 * step, (65535 - 4096) * step
    assert abs(found[0, 0, 0] - np.clip(x, low, high)) <= step / 2
    assert high >= width - 1
