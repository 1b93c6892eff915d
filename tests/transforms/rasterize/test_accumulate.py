import numpy as np
import pytest
from dense_maps import dense_joints, random_people
from hypothesis import given, settings
from hypothesis import strategies as st

from posemill.transforms.rasterize import accumulate_joints

SEED = st.integers(0, 10_000)
SIGMA = st.sampled_from([0.1, 0.6, 2.5, 40.0])


@settings(max_examples=50, deadline=None)
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
