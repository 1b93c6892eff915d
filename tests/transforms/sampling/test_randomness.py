from collections.abc import Callable

import numpy as np
import pytest

from posemill.transforms.sampling import (
    parnet_frames,
    pick_candidates,
    strided_window,
    uniform_clip,
    uniform_test_clips,
    vpn_frames,
    vpn_window,
)

Draw = Callable[[np.random.Generator], np.ndarray]

every_draw = pytest.mark.parametrize(
    "draw",
    [
        lambda rng: uniform_clip(100, 8, rng),
        lambda rng: uniform_clip(12, 8, rng),
        lambda rng: uniform_clip(5, 8, rng),
        lambda rng: uniform_test_clips(100, 8, 10, rng),
        lambda rng: strided_window(100, 8, 2, rng),
        lambda rng: parnet_frames(100, 16, rng),
        lambda rng: vpn_frames(100, 16, rng),
        lambda rng: vpn_window(100, 16, rng),
        lambda rng: pick_candidates(16, 4, rng),
    ],
)


@every_draw
def test_equal_generators_draw_equal_frames_and_nothing_global_is_touched(draw: Draw) -> None:
    state = np.random.get_state(legacy=False)  # noqa: NPY002
    first, second = draw(np.random.default_rng(7)), draw(np.random.default_rng(7))
    assert np.array_equal(first, second)
    assert first.dtype == np.int64
    np.testing.assert_equal(np.random.get_state(legacy=False), state)  # noqa: NPY002


@every_draw
def test_other_generators_draw_other_frames(draw: Draw) -> None:
    drawn = {draw(np.random.default_rng(seed)).tobytes() for seed in range(20)}
    assert len(drawn) > 1
