import numpy as np
import pytest
from dense_maps import dense_joints, golden, published_ring, random_people
from drawn import joints, person
from hypothesis import given, settings
from hypothesis import strategies as st

from posemill.transforms.rasterize import draw_joints, erase_joints
from posemill.transforms.skeletons import COCO_17

SEED = st.integers(0, 10_000)
SIGMA = st.sampled_from([0.1, 0.3, 0.6, 1.0, 2.5, 40.0])
TRUNCATE = st.sampled_from([0.5, 1.0, 3.0, 5.0])
COMBINE = st.sampled_from(["max", "sum"])
SIZE = (16, 20)


@settings(max_examples=50)
@given(
    SEED, SIGMA, TRUNCATE, COMBINE,
    st.integers(1, 5), st.integers(1, 6), st.integers(0, 4), st.integers(1, 24), st.integers(1, 24),
)  # fmt: skip
def test_maps_equal_the_plain_formula(
    seed: int, sigma: float, truncate: float, combine: str,
    keypoints: int, frames: int, persons: int, height: int, width: int,
) -> None:  # fmt: skip
    size = (height, width)
    people = random_people(seed, frames, persons, keypoints, size)
    maps = joints(people, size, sigma=sigma, truncate=truncate, combine=combine)
    expected = dense_joints(*people, sigma, size, combine, truncate=truncate)
    assert maps == pytest.approx(expected, abs=1e-6)
    assert np.array_equal(maps > 0, expected > 1e-38)


@settings(max_examples=50)
@given(
    st.floats(width=32, allow_nan=True, allow_infinity=True),
    st.floats(-30, 30, width=32),
    st.floats(0, 1, width=32),
    SIGMA,
)
def test_any_coordinate_draws_the_plain_formula(
    x: float, y: float, score: float, sigma: float
) -> None:
    people = person((x, y, score))
    expected = dense_joints(*people, sigma, SIZE, "max")
    assert joints(people, SIZE, sigma=sigma) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("name", ["one", "three", "wide"])
def test_maps_equal_the_published_ones_but_for_its_ring(name: str) -> None:
    data = golden(name)
    people, sigma = (data["xy"], data["rows_score"], data["ptr"]), float(data["sigma"])
    published = data["joint"].swapaxes(0, 1)
    maps = joints(people, data["size"], sigma=sigma)
    ring = published_ring(*people, sigma, data["size"])
    assert np.abs(np.maximum(maps, ring) - published).max() < 1e-5
    # The ring is beyond 3 sigma, so nowhere above exp(-9/2) = .0111.
    assert np.abs(maps - published).max() < np.exp(-4.5)


def test_a_gaussian_worked_by_hand() -> None:
    maps = joints(person((5.0, 7.0, 0.5)), SIZE, sigma=1.0)[0, 0]
    assert maps[7, 5] == 0.5
    assert maps[7, 6] == pytest.approx(0.5 * np.exp(-0.5))
    assert maps[9, 4] == pytest.approx(0.5 * np.exp(-(4 + 1) / 2))
    # Pixels 2 to 8 and 4 to 10, and nothing else.
    assert np.argwhere(maps).min(axis=0).tolist() == [4, 2]
    assert np.argwhere(maps).max(axis=0).tolist() == [10, 8]
    assert np.count_nonzero(maps) == 49


def test_truncation_is_symmetric_and_its_edge_belongs_to_it() -> None:
    maps = joints(person((5.25, 7.0, 1.0)), SIZE, sigma=0.5, truncate=2.5)[0, 0]
    # |i - 5.25| <= 1.25: 4, 5, 6 (.75 away) and no 7; |j - 7| <= 1.25: 6, 7, 8.
    assert np.argwhere(maps).tolist() == [[j, i] for j in (6, 7, 8) for i in (4, 5, 6)]


@given(st.integers(0, 19), st.integers(0, 15), st.floats(0.001953125, 1, width=32))
def test_the_peak_on_a_pixel_is_the_score(x: int, y: int, score: float) -> None:
    maps = joints(person((x, y, score)), SIZE)[0, 0]
    assert maps[y, x] == maps.max() == np.float32(score)


@given(st.floats(0, 19, width=32), st.floats(0, 15, width=32), st.floats(0.001953125, 1, width=32))
def test_the_peak_between_pixels_is_half_the_score_or_more(
    x: float, y: float, score: float
) -> None:
    # Worst in the middle of four pixels: exp(-(1/4 + 1/4) / (2 * .36)) = .4994.
    assert 0.499 * score <= joints(person((x, y, score)), SIZE).max() <= score


@pytest.mark.parametrize(
    ("x", "y", "score"),
    [
        (5.0, 5.0, 0.0),
        (5.0, 5.0, 9e-4),
        (5.0, 5.0, np.nan),
        (5.0, 5.0, np.inf),
        (np.nan, 5.0, 1.0),
        (5.0, np.inf, 1.0),
        (-1e30, 5.0, 1.0),
        (-2.0, 5.0, 1.0),
        (5.0, 18.0, 1.0),
    ],
)
def test_what_is_missing_or_off_the_map_draws_nothing(x: float, y: float, score: float) -> None:
    assert not joints(person((x, y, score)), SIZE).any()


def test_people_meet_by_maximum_or_by_sum() -> None:
    xy = np.full((2, 1, 2), 4.0, np.float32)
    score = np.array([[0.9], [0.6]], np.float32)
    people = xy, score, np.array([0, 2])
    assert joints(people, SIZE).max() == np.float32(0.9)
    assert joints(people, SIZE, combine="sum").max() == pytest.approx(1.5)


@settings(max_examples=20)
@given(SEED)
def test_sums_add_up_and_the_maximum_is_somebodys(seed: int) -> None:
    xy, score, _ = random_people(seed, 6, 2, 3, SIZE)
    xy, score = np.pad(xy, ((0, 1), (0, 0), (0, 0))), np.pad(score, ((0, 1), (0, 0)))
    together = np.array([0, len(xy)])
    alone = joints((xy, score, np.arange(len(xy) + 1)), SIZE)
    summed = joints((xy, score, together), SIZE, combine="sum")
    assert summed[:, 0] == pytest.approx(alone.sum(axis=1), abs=1e-6)
    greatest = joints((xy, score, together), SIZE)
    assert np.array_equal(greatest[:, 0], alone.max(axis=1))


@settings(max_examples=20)
@given(SEED, COMBINE)
def test_a_person_without_confidence_changes_nothing(seed: int, combine: str) -> None:
    xy, score, ptr = random_people(seed, 1, 3, 4, SIZE)
    xy_more = np.concatenate([xy, np.full((1, 4, 2), 6.0, np.float32)])
    score_more = np.concatenate([score, np.zeros((1, 4), np.float32)])
    more = joints((xy_more, score_more, np.array([0, ptr[-1] + 1])), SIZE, combine=combine)
    assert np.array_equal(joints((xy, score, ptr), SIZE, combine=combine), more)


@settings(max_examples=30)
@given(SEED, SIGMA, st.integers(8, 20))
def test_flipping_coordinates_equals_reversing_the_maps(
    seed: int, sigma: float, width: int
) -> None:
    xy, score, ptr = random_people(seed, 2, 3, 17, (20, width))
    xy = np.round(xy * 4) / 4  # so that W - 1 - x is exact
    flipped = np.stack([width - 1 - xy[..., 0], xy[..., 1]], axis=-1)
    mirror = list(COCO_17.mirror)
    maps = joints((xy, score, ptr), (20, width), sigma=sigma)
    again = joints((flipped[:, mirror], score[:, mirror], ptr), (20, width), sigma=sigma)
    assert np.array_equal(again, maps[mirror][..., ::-1])


@settings(max_examples=20)
@given(SEED, SIGMA, st.sampled_from(["f4", "f2", "u1"]))
def test_erasing_leaves_zeros_and_touches_nothing_else(seed: int, sigma: float, dtype: str) -> None:
    people = random_people(seed, 3, 3, 4, SIZE)
    drawn = joints(people, SIZE, dtype, sigma=sigma)
    erased = drawn.copy()
    erase_joints(*people, erased, sigma=sigma)
    assert not erased.any()
    ones = np.ones_like(drawn)
    erase_joints(*people, ones, sigma=sigma)
    reached = dense_joints(*people, sigma, SIZE, "max") > 0
    assert np.array_equal(ones == 0, reached)


@settings(max_examples=30)
@given(SEED, SIGMA)
def test_bytes_hold_the_rounded_share_of_255(seed: int, sigma: float) -> None:
    people = random_people(seed, 3, 3, 4, SIZE)
    exact = 255.0 * joints(people, SIZE, sigma=sigma).astype(float)
    assert np.abs(joints(people, SIZE, "u1", sigma=sigma) - exact).max(initial=0) <= 0.5 + 1e-4


def test_the_bytes_of_a_full_score_are_full() -> None:
    assert joints(person((5.0, 5.0, 1.0)), SIZE, "u1").max() == 255


@settings(max_examples=20)
@given(SEED, COMBINE)
def test_halves_are_the_rounded_floats(seed: int, combine: str) -> None:
    people = random_people(seed, 3, 3, 4, SIZE)
    exact = joints(people, SIZE, combine=combine)
    assert np.array_equal(joints(people, SIZE, "f2", combine=combine), exact.astype(np.float16))


@pytest.mark.parametrize("dtype", ["f4", "f2", "u1"])
def test_a_slice_of_a_batch_is_drawn_in_place(dtype: str) -> None:
    people = random_people(3, 2, 2, 4, SIZE)
    batch = np.full((3, 4, 2, *SIZE), 7, dtype)
    batch[1] = 0
    draw_joints(*people, batch[1], sigma=0.6)
    assert np.array_equal(batch[1], joints(people, SIZE, dtype))
    assert (batch[[0, 2]] == 7).all()


def test_many_people_and_frames_do_not_depend_on_blocks() -> None:
    # More people in a frame, and more frames, than are computed at once.
    rng = np.random.default_rng(0)
    counts = np.array([0, 300, 1, 0, 127, 2] + [1] * 140)
    ptr = np.concatenate([[0], np.cumsum(counts)])
    xy = rng.uniform(0, 12, (ptr[-1], 2, 2)).astype(np.float32)
    people = xy, rng.uniform(0.1, 1, (ptr[-1], 2)).astype(np.float32), ptr
    expected = dense_joints(*people, 0.6, (9, 12), "max")
    assert joints(people, (9, 12)) == pytest.approx(expected, abs=1e-6)


def test_rows_before_the_first_frame_and_after_the_last_are_not_drawn() -> None:
    xy, score, _ = random_people(1, 6, 1, 3, SIZE)
    xy, score = np.nan_to_num(xy), np.ones_like(score)
    inner = joints((xy[1:3], score[1:3], np.array([0, 2])), SIZE)
    assert np.array_equal(joints((xy, score, np.array([1, 3])), SIZE), inner)


def test_arguments_are_left_alone_and_may_be_read_only_strided_or_double() -> None:
    people = random_people(0, 3, 2, 4, SIZE)
    expected = joints(people, SIZE)
    wide = np.repeat(people[0].astype(np.float64), 2, axis=1)
    others = wide[:, ::2], people[1].astype(np.float64), people[2].astype(np.int32)
    kept = [array.copy() for array in others]
    for array in (*people, *others):
        array.flags.writeable = False
    assert np.array_equal(joints(people, SIZE), expected)
    assert np.array_equal(joints(others, SIZE), expected)
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(others, kept, strict=True))


def test_nobody_draws_nothing() -> None:
    empty = np.zeros((0, 4, 2), np.float32), np.zeros((0, 4), np.float32), np.zeros(4, np.int64)
    assert not joints(empty, SIZE).any()
