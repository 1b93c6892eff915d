"""Counts are integers, of whatever kind, and nothing else."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from posemill.transforms.sampling import (
    bin_candidates,
    pa3d_clips,
    pa3d_random_clip,
    parnet_frames,
    pick_candidates,
    strided_test_windows,
    strided_window,
    uniform_clip,
    uniform_test_clips,
    vpn_frames,
    vpn_test_windows,
    vpn_window,
)

Sampler = Callable[..., np.ndarray]

SAMPLERS: dict[Sampler, dict[str, Any]] = {
    uniform_clip: {"num_frames": 200, "length": 90, "rng": 0},
    uniform_test_clips: {"num_frames": 200, "length": 90, "num_clips": 10, "rng": 0},
    strided_window: {"num_frames": 200, "length": 90, "stride": 3},
    strided_test_windows: {"num_frames": 200, "length": 90, "stride": 3, "num_windows": 90},
    parnet_frames: {"num_frames": 200, "length": 90},
    vpn_frames: {"num_frames": 200, "num_chunks": 90},
    vpn_window: {"num_frames": 200, "length": 90},
    vpn_test_windows: {"num_frames": 200, "length": 90, "num_windows": 90},
    pa3d_clips: {"num_frames": 200, "length": 90},
    pa3d_random_clip: {"num_frames": 200, "length": 90, "rng": 0},
    bin_candidates: {"num_frames": 200, "num_bins": 90, "per_bin": 90},
    pick_candidates: {"num_bins": 90, "per_bin": 90},
}
COUNTS = [
    (sampler, name) for sampler, counts in SAMPLERS.items() for name in counts if name != "rng"
]


def sample(sampler: Sampler, **changes: Any) -> np.ndarray:
    arguments = SAMPLERS[sampler] | changes
    if "rng" in arguments:
        arguments["rng"] = np.random.default_rng(0)
    return sampler(**arguments)


@pytest.mark.parametrize(("sampler", "name"), COUNTS)
@pytest.mark.parametrize("count", [0, -3, 2.5, 10.0, np.nan, np.inf, "10", None])
def test_what_is_no_count_is_refused(sampler: Sampler, name: str, count: Any) -> None:
    message = f"^{name} must be a whole number of at least 1, got {count!r}"
    with pytest.raises(ValueError, match=message):
        sample(sampler, **{name: count})


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_small_integers_of_numpy_do_not_overflow(sampler: Sampler) -> None:
    names = [name for name in SAMPLERS[sampler] if name != "rng"]
    small = {name: np.uint8(SAMPLERS[sampler][name]) for name in names}
    frames = sample(sampler, **small)
    assert frames.dtype == np.int64
    assert np.array_equal(frames, sample(sampler))
