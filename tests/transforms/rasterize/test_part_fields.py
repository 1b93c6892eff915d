import numpy as np
import pytest
from dense_maps import dense_part_fields, random_people
from drawn import part_fields, person
from hypothesis import given, settings
from hypothesis import strategies as st

from posemill.transforms.rasterize import draw_part_fields

SEED = st.integers(0, 10_000)
HALF_WIDTH = st.sampled_from([0.3, 0.7, 1.0, 2.3, 30.0])
SIZE = (16, 20)
PAIRS = [(0, 1), (2, 1), (3, 2)]
MIRROR, MIRRORED_PAIRS = [0, 2, 1, 3], [1, 0, 3, 2]
SIDED_PAIRS = [(0, 1), (0, 2), (1, 3), (2, 3)]


@settings(max_examples=50)
@given(
    SEED, HALF_WIDTH, st.booleans(),
    st.integers(1, 5), st.integers(1, 5), st.integers(0, 4), st.integers(1, 24), st.integers(1, 24),
)  # fmt: skip
def test_fields_equal_the_plain_formula(
    seed: int, half_width: float, weighted: bool,
    count: int, frames: int, persons: int, height: int, width: int,
) -> None:  # fmt: skip
    size = (height, width)
    people = random_people(seed, frames, persons, 4, size)
    rng = np.random.default_rng(seed)
    pairs = [tuple(rng.choice(4, 2, replace=False).tolist()) for _ in range(count)]
    options = {"half_width": half_width, "weighted": weighted}
    expected = dense_part_fields(*people, pairs, size, **options)
    assert part_fields(people, pairs, size, **options) == pytest.approx(expected, abs=1e-6)


@settings(max_examples=50)
@given(SEED, HALF_WIDTH)
def test_short_limbs_equal_the_plain_formula(seed: int, half_width: float) -> None:
    rng = np.random.default_rng(seed)
    start = rng.uniform(-1, 13, (6, 1, 2))
    xy = np.concatenate([start, start + rng.uniform(-0.7, 0.7, (6, 1, 2))], axis=1)
    people = xy.astype(np.float32), np.ones((6, 2), np.float32), np.array([0, 1, 3, 6])
    expected = dense_part_fields(*people, [(0, 1)], (12, 12), half_width=half_width)
    fields = part_fields(people, [(0, 1)], (12, 12), half_width=half_width)
    assert fields == pytest.approx(expected, abs=1e-6)


def test_a_field_worked_by_hand() -> None:
    x, y = part_fields(person((4.0, 5.0, 1.0), (10.0, 5.0, 1.0)), [(0, 1)], SIZE)[:, 0]
    # Along x, so (1, 0) from 4 to 10 and one pixel above and below, edges included.
    support = np.zeros(SIZE)
    support[4:7, 4:11] = 1
    assert np.array_equal(x, support)
    assert not y.any()
    x, y = part_fields(person((10.0, 8.0, 1.0), (7.0, 4.0, 1.0)), [(0, 1)], SIZE)[:, 0]
    assert (x[4, 7], y[4, 7]) == (np.float32(-0.6), np.float32(-0.8))


def test_the_mean_where_people_overlap_and_nowhere_else() -> None:
    xy = np.array([[[2, 5], [12, 5]], [[7, 0], [7, 10]]], np.float32)
    score = np.array([[0.8, 1.0], [0.5, 0.6]], np.float32)
    people = xy, score, np.array([0, 2])
    x, y = part_fields(people, [(0, 1)], SIZE)[:, 0]
    assert (x[5, 7], y[5, 7]) == (0.5, 0.5)
    assert (x[5, 3], y[5, 3]) == (1.0, 0.0)
    assert (x[9, 7], y[9, 7]) == (0.0, 1.0)
    # Weighted: (.8 (1, 0) + .5 (0, 1)) / 2.
    x, y = part_fields(people, [(0, 1)], SIZE, weighted=True)[:, 0]
    assert [x[5, 7], y[5, 7]] == pytest.approx([0.4, 0.25])
    assert [x[5, 3], y[9, 7]] == pytest.approx([0.8, 0.5])


def test_opposite_vectors_cancel_and_their_pixels_are_still_shared() -> None:
    xy = np.array([[[2, 5], [12, 5]], [[12, 5], [2, 5]], [[2, 5], [12, 5]]], np.float32)
    people = xy, np.ones((3, 2), np.float32), np.array([0, 3])
    x, _ = part_fields(people, [(0, 1)], SIZE)[:, 0]
    assert x[5, 7] == np.float32(1 / 3)


def test_a_limb_of_no_length_draws_nothing() -> None:
    assert not part_fields(person((5.0, 5.0, 1.0), (5.0, 5.0, 1.0)), [(0, 1)], SIZE).any()


def test_a_limb_between_pixels_marks_the_nearest() -> None:
    # From (5.2, 5.3) to (5.4, 5.3) there is no pixel's projection; its middle is nearest to (5, 5).
    x, _ = part_fields(person((5.2, 5.3, 1.0), (5.4, 5.3, 1.0)), [(0, 1)], SIZE)[:, 0]
    assert np.argwhere(x).tolist() == [[5, 5]]
    # Right between two pixels it marks both, so that its mirror image does, too.
    x, _ = part_fields(person((5.25, 5.0, 1.0), (5.75, 5.0, 1.0)), [(0, 1)], SIZE)[:, 0]
    assert np.argwhere(x).tolist() == [[5, 5], [5, 6]]


@settings(max_examples=30)
@given(SEED, HALF_WIDTH, st.booleans())
def test_vectors_are_at_most_unit_long_and_turn_with_the_limb(
    seed: int, half_width: float, weighted: bool
) -> None:
    people = random_people(seed, 4, 3, 4, SIZE)
    options = {"half_width": half_width, "weighted": weighted}
    fields = part_fields(people, PAIRS, SIZE, **options)
    assert np.hypot(fields[::2], fields[1::2]).max() <= 1 + 1e-6
    turned = part_fields(people, [(b, a) for a, b in PAIRS], SIZE, **options)
    assert np.array_equal(turned, -fields)


@settings(max_examples=20)
@given(SEED)
def test_a_person_without_confidence_changes_nothing(seed: int) -> None:
    xy, score, ptr = random_people(seed, 1, 3, 4, SIZE)
    more = (
        np.concatenate([xy, np.arange(8, dtype=np.float32).reshape(1, 4, 2)]),
        np.concatenate([score, np.zeros((1, 4), np.float32)]),
        np.array([0, ptr[-1] + 1]),
    )
    assert np.array_equal(
        part_fields(more, PAIRS, SIZE), part_fields((xy, score, ptr), PAIRS, SIZE)
    )


@settings(max_examples=40)
@given(SEED, st.sampled_from([0.25, 0.5, 1.0, 2.5]), st.integers(3, 24), st.booleans())
def test_flipping_coordinates_reverses_the_field_and_negates_x(
    seed: int, half_width: float, width: int, weighted: bool
) -> None:
    xy, score, ptr = random_people(seed, 2, 3, 4, (20, width))
    xy = np.round(xy * 4) / 4  # so that W - 1 - x is exact
    flipped = np.stack([width - 1 - xy[..., 0], xy[..., 1]], axis=-1)
    options = {"half_width": half_width, "weighted": weighted}
    fields = part_fields((xy, score, ptr), SIDED_PAIRS, (20, width), **options)
    swapped = flipped[:, MIRROR], score[:, MIRROR], ptr
    again = part_fields(swapped, SIDED_PAIRS, (20, width), **options)
    assert np.array_equal(again[::2], -fields[::2][MIRRORED_PAIRS][..., ::-1])
    assert np.array_equal(again[1::2], fields[1::2][MIRRORED_PAIRS][..., ::-1])


@pytest.mark.parametrize("far", [1e12, 3e38])
def test_ends_far_away_overflow_nothing(far: float) -> None:
    x, y = part_fields(person((-far, 5.0, 1.0), (far, 5.0, 1.0)), [(0, 1)], SIZE)[:, 0]
    assert (x[4:7] == 1.0).all()
    assert not x[[0, 3, 7, 15]].any()
    assert not y.any()


def test_halves_are_the_rounded_floats_and_slices_are_drawn_in_place() -> None:
    people = random_people(4, 3, 3, 4, SIZE)
    exact = part_fields(people, PAIRS, SIZE, weighted=True)
    batch = np.full((3, 6, 3, *SIZE), 7, np.float16)
    batch[1] = 0
    draw_part_fields(*people, PAIRS, batch[1], weighted=True)
    assert np.array_equal(batch[1], exact.astype(np.float16))
    assert (batch[[0, 2]] == 7).all()


def test_arguments_are_left_alone_and_may_be_read_only() -> None:
    people = random_people(0, 3, 2, 4, SIZE)
    kept = [array.copy() for array in people]
    for array in people:
        array.flags.writeable = False
    part_fields(people, PAIRS, SIZE)
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(people, kept, strict=True))
