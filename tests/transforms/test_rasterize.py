import numpy as np
import pytest
from dense_maps import dense_joints, golden, random_people
from hypothesis import given, settings
from hypothesis import strategies as st

from posemill.transforms.geometry import flip_joints
from posemill.transforms.rasterize import accumulate_joints, draw_joints, erase_joints
from posemill.transforms.skeletons import COCO_17

SEED = st.integers(0, 10_000)
SIGMA = st.sampled_from([0.1, 0.3, 0.6, 1.0, 2.5, 40.0])


def drawn(
    xy: np.ndarray,
    score: np.ndarray,
    ptr: np.ndarray,
    sigma: float = 0.6,
    size_hw: tuple[int, int] = (16, 20),
    combine: str = "max",
) -> np.ndarray:
    out = np.zeros((score.shape[1], len(ptr) - 1, *size_hw), np.float32)
    draw_joints(xy, score, ptr, sigma, out, combine)
    return out


def one_joint(x: float, y: float, score: float = 1.0, **options: object) -> np.ndarray:
    """The map (H, W) of a single joint."""
    xy = np.array([[[x, y]]], np.float32)
    return drawn(xy, np.array([[score]], np.float32), np.array([0, 1]), **options)[0, 0]


@settings(max_examples=40, deadline=None)
@given(SEED, SIGMA, st.sampled_from(["max", "sum"]), st.integers(1, 5))
def test_maps_equal_the_plain_formula(seed: int, sigma: float, combine: str, joints: int) -> None:
    people = random_people(seed, 3, 3, joints, (14, 19))
    expected = dense_joints(*people, sigma, (14, 19), combine)
    assert drawn(*people, sigma, (14, 19), combine) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("name", ["one", "three", "wide"])
def test_maps_equal_the_published_implementation(name: str) -> None:
    data = golden(name)
    maps = drawn(data["xy"], data["rows_score"], data["ptr"], float(data["sigma"]), data["size"])
    assert np.abs(maps.swapaxes(0, 1) - data["joint"]).max() < 1e-6


def test_a_gaussian_worked_by_hand() -> None:
    maps = one_joint(5.0, 7.0, 0.5, sigma=1.0)
    assert maps[7, 5] == 0.5
    assert maps[7, 6] == pytest.approx(0.5 * np.exp(-0.5))
    assert maps[9, 4] == pytest.approx(0.5 * np.exp(-(4 + 1) / 2))
    # Pixels 2 to 8 and 4 to 10, and nothing else.
    assert np.argwhere(maps).min(axis=0).tolist() == [4, 2]
    assert np.argwhere(maps).max(axis=0).tolist() == [10, 8]
    assert np.count_nonzero(maps) == 49


@given(st.integers(0, 19), st.integers(0, 15), st.floats(0.001953125, 1, width=32))
def test_the_peak_on_a_pixel_is_the_score(x: int, y: int, score: float) -> None:
    maps = one_joint(x, y, score)
    assert maps[y, x] == maps.max() == np.float32(score)


@given(st.floats(0, 19, width=32), st.floats(0, 15, width=32))
def test_the_peak_between_pixels_is_half_the_score_or_more(x: float, y: float) -> None:
    # Worst in the middle of four pixels: exp(-(1/4 + 1/4) / (2 * .36)) = .4994.
    assert 0.499 <= one_joint(x, y).max() <= 1.0


@pytest.mark.parametrize(
    ("x", "y", "score"),
    [
        (5.0, 5.0, 0.0),
        (5.0, 5.0, 9e-4),
        (5.0, 5.0, np.nan),
        (np.nan, 5.0, 1.0),
        (5.0, np.inf, 1.0),
        (-1e30, 5.0, 1.0),
        (-2.0, 5.0, 1.0),
        (5.0, 18.0, 1.0),
    ],
)
def test_what_is_missing_or_off_the_map_draws_nothing(x: float, y: float, score: float) -> None:
    assert not one_joint(x, y, score).any()


def test_people_meet_by_maximum_or_by_sum() -> None:
    xy = np.full((2, 1, 2), 4.0, np.float32)
    score = np.array([[0.9], [0.6]], np.float32)
    ptr = np.array([0, 2])
    assert drawn(xy, score, ptr).max() == np.float32(0.9)
    assert drawn(xy, score, ptr, combine="sum").max() == pytest.approx(1.5)


@settings(max_examples=20, deadline=None)
@given(SEED, st.sampled_from(["max", "sum"]))
def test_a_person_without_confidence_changes_nothing(seed: int, combine: str) -> None:
    xy, score, ptr = random_people(seed, 1, 3, 4, (16, 20))
    xy_more = np.concatenate([xy, np.full((1, 4, 2), 6.0, np.float32)])
    score_more = np.concatenate([score, np.zeros((1, 4), np.float32)])
    more = drawn(xy_more, score_more, np.array([0, ptr[-1] + 1]), combine=combine)
    assert np.array_equal(drawn(xy, score, ptr, combine=combine), more)


@settings(max_examples=20, deadline=None)
@given(SEED)
def test_flipping_coordinates_equals_reversing_the_maps(seed: int) -> None:
    rng = np.random.default_rng(seed)
    # Quarters of a pixel, so that W - 1 - x is exact; .7 keeps 3 sigma off them.
    xy = (rng.integers(0, 80, (2, 17, 2)) / 4).astype(np.float32)
    score, ptr = rng.random((2, 17)).astype(np.float32), np.array([0, 1, 2])
    inner = (np.abs(xy - 9.5) < 6).all(axis=-1)
    score = np.where(inner, score, 0).astype(np.float32)
    maps = drawn(xy, score, ptr, sigma=0.7, size_hw=(20, 20))
    flipped = drawn(*flip_joints(xy, score, 20, COCO_17.mirror), ptr, sigma=0.7, size_hw=(20, 20))
    # floor() reaches one pixel further on the left than on the right of a joint,
    # where the Gaussian is below exp(-4.5): compare within 3 sigma on both sides.
    expected = maps[list(COCO_17.mirror)][..., ::-1]
    assert flipped == pytest.approx(expected, abs=np.exp(-4.5))
    strong = (flipped > np.exp(-4.5)) | (expected > np.exp(-4.5))
    assert flipped[strong] == pytest.approx(expected[strong], abs=1e-6)


@settings(max_examples=20, deadline=None)
@given(SEED, SIGMA)
def test_erasing_leaves_zeros(seed: int, sigma: float) -> None:
    people = random_people(seed, 3, 3, 4, (16, 20))
    out = np.zeros((4, 3, 16, 20), np.float32)
    draw_joints(*people, sigma, out)
    erase_joints(*people, sigma, out)
    assert not out.any()


def test_a_slice_of_a_batch_is_drawn_in_place() -> None:
    people = random_people(3, 2, 2, 4, (16, 20))
    batch = np.zeros((3, 4, 2, 16, 20), np.float32)
    draw_joints(*people, 0.6, batch[1])
    assert np.array_equal(batch[1], drawn(*people))
    assert not batch[[0, 2]].any()


@settings(max_examples=20, deadline=None)
@given(SEED, st.sampled_from(["max", "sum"]))
def test_accumulating_equals_weighting_the_volume(seed: int, combine: str) -> None:
    people = random_people(seed, 4, 3, 3, (16, 20))
    weights = np.random.default_rng(seed).normal(size=(4, 2)).astype(np.float32)
    out = np.zeros((3, 2, 16, 20), np.float32)
    accumulate_joints(*people, weights, 0.8, out, combine)
    volume = dense_joints(*people, 0.8, (16, 20), combine)
    assert out == pytest.approx(np.einsum("ktyx,tc->kcyx", volume, weights), abs=1e-5)


def test_arguments_are_left_alone_and_may_be_read_only() -> None:
    people = random_people(0, 3, 2, 4, (16, 20))
    kept = [array.copy() for array in people]
    for array in people:
        array.flags.writeable = False
    drawn(*people)
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(people, kept, strict=True))


def test_nobody_draws_nothing() -> None:
    empty = np.zeros((0, 4, 2), np.float32), np.zeros((0, 4), np.float32), np.zeros(4, np.int64)
    assert not drawn(*empty).any()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sigma": 0.0}, "sigma must be 0.1 px or more, got 0.0"),
        ({"combine": "mean"}, "combine must be 'max' or 'sum', got 'mean'"),
        ({"xy_px": np.zeros((1, 3, 2))}, r"xy_px must be \(1, 2, 2\), got \(1, 3, 2\)"),
        ({"frame_ptr": np.array([0])}, r"frame_ptr must have 2 entries within \[0, 1\]"),
        ({"frame_ptr": np.array([0, 2])}, r"frame_ptr must have 2 entries within \[0, 1\]"),
        ({"frame_ptr": np.array([1, 0])}, "frame_ptr must not decrease"),
        ({"out": np.zeros((3, 1, 8, 8), np.float32)}, r"out must be \(2, ., H, W\)"),
        ({"out": np.zeros((2, 1, 8, 8))}, "C-contiguous float32, got float64"),
        ({"out": np.zeros((2, 1, 8, 16), np.float32)[..., ::2]}, "C-contiguous float32"),
    ],
)
def test_arguments_that_disagree_are_refused(changes: dict[str, object], message: str) -> None:
    arguments: dict[str, object] = {
        "xy_px": np.zeros((1, 2, 2), np.float32),
        "score": np.ones((1, 2), np.float32),
        "frame_ptr": np.array([0, 1]),
        "sigma": 0.6,
        "out": np.zeros((2, 1, 8, 8), np.float32),
    }
    with pytest.raises(ValueError, match=message):
        draw_joints(**(arguments | changes))


def test_weights_of_another_length_are_refused() -> None:
    people = random_people(0, 3, 2, 4, (8, 8))
    with pytest.raises(ValueError, match=r"weights must be \(T, C\) = \(3, 2\), got \(4, 2\)"):
        accumulate_joints(
            *people, np.zeros((4, 2), np.float32), 0.6, np.zeros((4, 2, 8, 8), np.float32)
        )
