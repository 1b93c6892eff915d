import numpy as np
import pytest
from dense_maps import dense_joints, dense_limbs, golden, published_short_limbs, random_people
from drawn import limbs, person
from hypothesis import given, settings
from hypothesis import strategies as st

from posemill.transforms.rasterize import draw_limbs, erase_limbs
from posemill.transforms.skeletons import COCO_17

SEED = st.integers(0, 10_000)
SIGMA = st.sampled_from([0.1, 0.3, 0.6, 1.0, 2.5, 40.0])
TRUNCATE = st.sampled_from([0.5, 1.0, 3.0, 5.0])
COMBINE = st.sampled_from(["max", "sum"])
SIZE = (16, 20)
PAIRS = [(0, 1), (2, 1), (3, 2)]
MIRROR, MIRRORED_PAIRS = [0, 2, 1, 3], [1, 0, 3, 2]
SIDED_PAIRS = [(0, 1), (0, 2), (1, 3), (2, 3)]


@settings(max_examples=50)
@given(
    SEED, SIGMA, TRUNCATE, COMBINE,
    st.integers(1, 5), st.integers(1, 5), st.integers(0, 4), st.integers(1, 24), st.integers(1, 24),
)  # fmt: skip
def test_maps_equal_the_plain_formula(
    seed: int, sigma: float, truncate: float, combine: str,
    count: int, frames: int, persons: int, height: int, width: int,
) -> None:  # fmt: skip
    size = (height, width)
    people = random_people(seed, frames, persons, 4, size)
    rng = np.random.default_rng(seed)
    pairs = [tuple(rng.choice(4, 2, replace=False).tolist()) for _ in range(count)]
    maps = limbs(people, pairs, size, sigma=sigma, truncate=truncate, combine=combine)
    expected = dense_limbs(*people, pairs, sigma, size, combine, truncate=truncate)
    # Below 2^-20 a limb is not drawn.
    assert maps == pytest.approx(expected, abs=5e-6)


@settings(max_examples=50)
@given(
    st.tuples(*[st.floats(-40, 60, width=32)] * 4),
    st.floats(0, 1, width=32),
    st.floats(0, 1, width=32),
    SIGMA,
)
def test_any_limb_draws_the_plain_formula(
    ends: tuple[float, ...], first: float, second: float, sigma: float
) -> None:
    people = person((ends[0], ends[1], first), (ends[2], ends[3], second))
    expected = dense_limbs(*people, [(0, 1)], sigma, SIZE, "max")
    assert limbs(people, [(0, 1)], SIZE, sigma=sigma) == pytest.approx(expected, abs=5e-6)


@pytest.mark.parametrize("name", ["one", "three", "wide"])
def test_maps_equal_the_published_ones_but_for_two_differences(name: str) -> None:
    data = golden(name)
    people, sigma = (data["xy"], data["rows_score"], data["ptr"]), float(data["sigma"])
    published, pairs = data["limb"].swapaxes(0, 1), COCO_17.limbs
    maps = limbs(people, pairs, data["size"], sigma=sigma)
    plain = dense_limbs(*people, pairs, sigma, data["size"], "max")
    # 1. The published box begins at the pixel that holds its edge, one further left and top.
    wider = dense_limbs(*people, pairs, sigma, data["size"], "max", published_cut=True)
    ring = np.where(wider > plain, wider, 0.0)
    # 2. A limb shorter than a pixel is its first joint's Gaussian, by that joint's score.
    short, theirs = published_short_limbs(*people, pairs, sigma, data["size"])
    explained = np.maximum(np.maximum(maps, ring), theirs)
    elsewhere = ~short
    assert np.abs(explained - published)[elsewhere].max() < 1e-5
    assert np.abs(maps - published)[elsewhere].max() < np.exp(-4.5)
    if name == "one":
        assert not short.any()
    else:
        assert short.any()
        # On these limbs, by the others' formula and theirs,
        rest = dense_limbs(
            *people, pairs, sigma, data["size"], "max", published_cut=True, least_length=1.0
        )
        assert np.abs(np.maximum(rest, theirs) - published)[short].max() < 1e-5
        # and ours is the lesser score around the segment.
        assert np.abs(maps - plain)[short].max() < 1e-5


def test_a_limb_worked_by_hand() -> None:
    maps = limbs(person((4.0, 5.0, 0.5), (10.0, 5.0, 0.8)), [(0, 1)], SIZE, sigma=1.0)[0, 0]
    assert maps[5, 4:11].tolist() == [0.5] * 7
    assert maps[7, 6] == pytest.approx(0.5 * np.exp(-4 / 2))
    # Beyond the end the distance is to the end itself, here sqrt(2^2 + 1^2).
    assert maps[6, 12] == pytest.approx(0.5 * np.exp(-5 / 2))
    # The box of the ends, and 3 px on each side.
    assert np.argwhere(maps).min(axis=0).tolist() == [2, 1]
    assert np.argwhere(maps).max(axis=0).tolist() == [8, 13]


@settings(max_examples=50)
@given(SEED, SIGMA, COMBINE)
def test_a_limb_is_the_same_from_both_ends_and_below_both_scores(
    seed: int, sigma: float, combine: str
) -> None:
    people = random_people(seed, 4, 2, 4, SIZE)
    maps = limbs(people, PAIRS, SIZE, sigma=sigma, combine=combine)
    turned = limbs(people, [(b, a) for a, b in PAIRS], SIZE, sigma=sigma, combine=combine)
    assert np.array_equal(maps, turned)
    alone = people[0], people[1], np.arange(len(people[1]) + 1)
    if len(people[1]):
        each = limbs(alone, PAIRS, SIZE, sigma=sigma)
        a, b = np.array(PAIRS).T
        assert (each.max(axis=(2, 3)) <= np.minimum(people[1][:, a], people[1][:, b]).T).all()


@settings(max_examples=30)
@given(st.floats(0, 19, width=32), st.floats(0, 15, width=32), SIGMA)
def test_coincident_ends_are_a_gaussian_of_the_lesser_score(
    x: float, y: float, sigma: float
) -> None:
    maps = limbs(person((x, y, 0.9), (x, y, 0.4)), [(0, 1)], SIZE, sigma=sigma)
    expected = dense_joints(*person((x, y, 0.4)), sigma, SIZE, "max")
    assert maps == pytest.approx(expected, abs=2e-6)


@pytest.mark.parametrize(
    "joint",
    [
        (5.0, 5.0, 0.0),
        (5.0, 5.0, np.nan),
        (5.0, 5.0, np.inf),
        (np.nan, 5.0, 1.0),
        (np.inf, 5.0, 1.0),
        (5.0, -np.inf, 1.0),
    ],
)
def test_a_limb_without_one_of_its_joints_is_not_drawn(joint: tuple[float, float, float]) -> None:
    other = (8.0, 9.0, 1.0)
    assert not limbs(person(joint, other), [(0, 1)], SIZE).any()
    assert not limbs(person(other, joint), [(0, 1)], SIZE).any()


@pytest.mark.parametrize("far", [1e6, 1e12, 1e30, 3e38])
def test_ends_far_away_overflow_nothing(far: float) -> None:
    across = limbs(person((-far, 5.0, 1.0), (far, 5.0, 1.0)), [(0, 1)], SIZE)[0, 0]
    assert (across[5] == 1.0).all()
    assert across.max() == 1.0
    assert not limbs(person((far, far, 1.0), (far, -far, 1.0)), [(0, 1)], SIZE).any()
    steep = limbs(person((10.0, -far, 1.0), (10.0, far, 1.0)), [(0, 1)], SIZE)[0, 0]
    assert (steep[:, 10] == 1.0).all()
    assert np.isfinite(limbs(person((-far, -far, 1.0), (3.0, far, 1.0)), [(0, 1)], SIZE)).all()


@settings(max_examples=20)
@given(SEED)
def test_sums_add_up_and_the_maximum_is_somebodys(seed: int) -> None:
    xy, score, _ = random_people(seed, 4, 3, 4, SIZE)
    xy, score = np.pad(xy, ((0, 1), (0, 0), (0, 0))), np.pad(score, ((0, 1), (0, 0)))
    together = np.array([0, len(xy)])
    alone = limbs((xy, score, np.arange(len(xy) + 1)), PAIRS, SIZE)
    summed = limbs((xy, score, together), PAIRS, SIZE, combine="sum")
    assert summed[:, 0] == pytest.approx(alone.sum(axis=1), abs=1e-5)
    assert np.array_equal(limbs((xy, score, together), PAIRS, SIZE)[:, 0], alone.max(axis=1))


@settings(max_examples=20)
@given(SEED, COMBINE)
def test_a_person_without_confidence_changes_nothing(seed: int, combine: str) -> None:
    xy, score, ptr = random_people(seed, 1, 3, 4, SIZE)
    more = (
        np.concatenate([xy, np.full((1, 4, 2), 6.0, np.float32)]),
        np.concatenate([score, np.zeros((1, 4), np.float32)]),
        np.array([0, ptr[-1] + 1]),
    )
    expected = limbs((xy, score, ptr), PAIRS, SIZE, combine=combine)
    assert np.array_equal(limbs(more, PAIRS, SIZE, combine=combine), expected)


@settings(max_examples=30)
@given(SEED, SIGMA, st.integers(3, 24))
def test_flipping_coordinates_equals_reversing_the_maps(
    seed: int, sigma: float, width: int
) -> None:
    xy, score, ptr = random_people(seed, 2, 3, 4, (20, width))
    xy = np.round(xy * 4) / 4  # so that W - 1 - x is exact
    flipped = np.stack([width - 1 - xy[..., 0], xy[..., 1]], axis=-1)
    maps = limbs((xy, score, ptr), SIDED_PAIRS, (20, width), sigma=sigma)
    swapped = flipped[:, MIRROR], score[:, MIRROR], ptr
    again = limbs(swapped, SIDED_PAIRS, (20, width), sigma=sigma)
    assert again == pytest.approx(maps[MIRRORED_PAIRS][..., ::-1], abs=5e-6)


@settings(max_examples=20)
@given(SEED, SIGMA, st.sampled_from(["f4", "f2", "u1"]), st.integers(1, 20))
def test_erasing_leaves_zeros(seed: int, sigma: float, dtype: str, width: int) -> None:
    people = random_people(seed, 3, 3, 4, (16, width))
    out = limbs(people, PAIRS, (16, width), dtype, sigma=sigma)
    erase_limbs(*people, PAIRS, out, sigma=sigma)
    assert not out.any()


@settings(max_examples=30)
@given(SEED, SIGMA, st.integers(1, 20))
def test_bytes_and_halves_are_the_rounded_floats(seed: int, sigma: float, width: int) -> None:
    people, size = random_people(seed, 3, 3, 4, (16, width)), (16, width)
    exact = limbs(people, PAIRS, size, sigma=sigma)
    quantised = limbs(people, PAIRS, size, "u1", sigma=sigma)
    assert np.abs(quantised - 255.0 * exact.astype(float)).max() <= 0.5 + 1e-4
    assert np.array_equal(limbs(people, PAIRS, size, "f2", sigma=sigma), exact.astype(np.float16))


@pytest.mark.parametrize("dtype", ["f4", "f2", "u1"])
@pytest.mark.parametrize("width", [5, 20])
def test_a_slice_of_a_batch_is_drawn_in_place(dtype: str, width: int) -> None:
    people = random_people(3, 2, 2, 4, (16, width))
    batch = np.full((3, 3, 2, 16, width), 7, dtype)
    batch[1] = 0
    draw_limbs(*people, PAIRS, batch[1], sigma=0.6)
    assert np.array_equal(batch[1], limbs(people, PAIRS, (16, width), dtype))
    assert (batch[[0, 2]] == 7).all()


def test_arguments_are_left_alone_and_may_be_read_only() -> None:
    people = random_people(0, 3, 2, 4, SIZE)
    pairs = np.array(PAIRS, np.int32)
    kept = [array.copy() for array in (*people, pairs)]
    for array in (*people, pairs):
        array.flags.writeable = False
    expected = limbs(people, PAIRS, SIZE)
    assert np.array_equal(limbs(people, pairs, SIZE), expected)
    after = (*people, pairs)
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(after, kept, strict=True))
