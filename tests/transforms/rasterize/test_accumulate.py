import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from dense_maps import dense_joints, random_people
from hypothesis import given, settings
from hypothesis import strategies as st

from posemill.transforms.rasterize import accumulate_joints

SEED = st.integers(0, 10_000)
SIGMA = st.sampled_from([0.1, 0.6, 2.5, 40.0])


@settings(max_examples=50)
@given(
    SEED, SIGMA, st.sampled_from(["max", "sum"]), st.integers(0, 8), st.integers(0, 4),
    st.integers(1, 6), st.integers(1, 18), st.integers(1, 18),
)  # fmt: skip
def test_accumulating_equals_weighting_the_volume(
    seed: int, sigma: float, combine: str, frames: int, persons: int,
    channels: int, height: int, width: int,
) -> None:  # fmt: skip
    people = random_people(seed, frames, persons, 3, (height, width))
    weights = np.random.default_rng(seed).normal(size=(frames, channels)).astype(np.float32)
    weights[np.random.default_rng(seed + 1).random(weights.shape) < 0.4] = 0.0
    out = np.zeros((3, channels, height, width), np.float32)
    accumulate_joints(*people, weights, out, sigma=sigma, combine=combine)
    volume = dense_joints(*people, sigma, (height, width), combine)
    assert out == pytest.approx(np.einsum("ktyx,tc->kcyx", volume, weights), abs=1e-5)


def test_what_is_there_is_added_to() -> None:
    people = random_people(5, 4, 2, 3, (9, 11))
    weights = np.ones((4, 2), np.float32)
    once, more = np.zeros((3, 2, 9, 11), np.float32), np.full((3, 2, 9, 11), 2.0, np.float32)
    accumulate_joints(*people, weights, once, sigma=0.6)
    accumulate_joints(*people, weights, more, sigma=0.6)
    assert more == pytest.approx(once + 2.0, abs=1e-6)


def test_the_rest_of_a_batch_is_left_alone() -> None:
    people = random_people(5, 4, 2, 3, (9, 11))
    batch = np.zeros((3, 3, 2, 9, 11), np.float32)
    accumulate_joints(*people, np.ones((4, 2), np.float32), batch[1], sigma=0.6)
    assert batch[1].any()
    assert not batch[[0, 2]].any()


CLEAR_REFS = Path("/proc/self/clear_refs")


def of_length(num_frames: int) -> Callable[[], None]:
    """PoTion of so many frames of up to two people, with all arrays made beforehand."""
    people = random_people(7, num_frames, 2, 5, (48, 48))
    weights, out = np.ones((num_frames, 3), np.float32), np.zeros((5, 3, 48, 48), np.float32)
    return lambda: accumulate_joints(*people, weights, out, sigma=0.6)


def peak_of_python(call: Callable[[], None]) -> int:
    """Bytes, of numpy's arrays too."""
    tracemalloc.start()
    call()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def peak_of_process(call: Callable[[], None]) -> int:
    """Bytes beyond those in use before, also of what compiled loops allocate."""
    CLEAR_REFS.write_text("5")  # Linux counts the peak from here on
    before = most_resident()
    call()
    return most_resident() - before


def most_resident() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def test_memory_does_not_grow_with_the_number_of_frames() -> None:
    few, many = of_length(50), of_length(5000)
    few()  # has compiled now
    assert peak_of_python(many) <= peak_of_python(few) + 1024


@pytest.mark.skipif(not CLEAR_REFS.exists(), reason="only Linux tells a process its peak memory")
def test_compiled_loops_make_no_volume() -> None:
    many = of_length(5000)
    of_length(50)()
    # One joint's maps of 5000 frames are 46 MB.
    assert peak_of_process(many) < 4 * 2**20
