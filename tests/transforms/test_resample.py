import numpy as np
import pytest
from blobs import blobs
from hypothesis import given, settings
from hypothesis import strategies as st

from posemill.transforms.affine import turn
from posemill.transforms.geometry import Box, flip_box, frame_box, map_to, random_resized_box
from posemill.transforms.resample import resize_window, warp_maps

SEED = st.integers(0, 2**32 - 1)
DTYPES = [np.uint8, np.float16, np.float32]
every_dtype = pytest.mark.parametrize("dtype", DTYPES)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def noise(shape: tuple[int, ...], dtype: type = np.float32, seed: int = 0) -> np.ndarray:
    return (rng(seed).random(shape) * 255).astype(dtype)


@every_dtype
def test_all_of_the_maps_at_their_size_are_the_maps(dtype: type) -> None:
    maps = noise((2, 3, 5, 7), dtype)
    same = resize_window(maps, frame_box(7, 5), (5, 7))
    assert same.dtype == dtype
    assert np.array_equal(same, maps)
    assert not np.shares_memory(same, maps)


@every_dtype
def test_a_window_of_whole_pixels_is_a_slice_with_zeros_around(dtype: type) -> None:
    maps = noise((2, 5, 7), dtype)
    # Columns 5 .. 8 and rows -1 .. 1.
    window = resize_window(maps, Box(4.5, -1.5, 4.0, 3.0), (3, 4))
    assert np.array_equal(window[:, 1:, :2], maps[:, :2, 5:])
    assert not window[:, 0].any()
    assert not window[:, :, 2:].any()


def test_halves_are_means_of_neighbours() -> None:
    maps = np.array([[[0.0, 8.0, 4.0]]], np.float32)
    # Half a pixel to the right: between 0 and 8, between 8 and 4, between 4 and what is not there.
    assert resize_window(maps, Box(0.0, -0.5, 3.0, 1.0), (1, 3)).tolist() == [[[4.0, 6.0, 2.0]]]
    # Twice as wide: x of the result is at x / 2 - 1/4 of the map.
    assert resize_window(maps, frame_box(3, 1), (1, 6)).tolist() == [[[0, 2, 6, 7, 5, 3]]]


def test_borders_may_be_repeated() -> None:
    maps = np.array([[[2.0, 8.0, 4.0]]], np.float32)
    wider = resize_window(maps, frame_box(3, 1), (2, 6), beyond="border")
    assert wider.tolist() == [[[2, 3.5, 6.5, 7, 5, 4]] * 2]
    outside = resize_window(maps, Box(-2.5, -7.5, 7.0, 1.0), (1, 7), beyond="border")
    assert outside.tolist() == [[[2, 2, 2, 8, 4, 4, 4]]]


def test_integers_are_rounded_to_the_nearest() -> None:
    maps = np.array([[0, 1, 255]], np.uint8)
    # Between 0 and 1 (a quarter, then three quarters), and a quarter from 255.
    assert resize_window(maps, frame_box(3, 1), (1, 6)).tolist() == [[0, 0, 1, 65, 192, 191]]
    full = np.full((4, 6, 6), 255, np.uint8)
    inside = resize_window(full, Box(0.3, 0.7, 3.9, 3.1), (9, 7))
    assert (inside == 255).all()


@settings(max_examples=50)
@given(SEED, st.integers(1, 9), st.integers(1, 9))
def test_every_pixel_is_between_its_neighbours_or_zero(seed: int, height: int, width: int) -> None:
    maps = noise((3, 6, 8), np.float32, seed)
    left, top, across, down = rng(seed).uniform([-5, -5, 1, 1], [5, 5, 12, 12])
    window = resize_window(maps, Box(left, top, across, down), (height, width))
    assert window.min() >= 0.0
    assert window.max() <= maps.max() + 1e-3


@settings(max_examples=50)
@given(SEED)
def test_equals_the_plain_definition(seed: int) -> None:
    maps = noise((6, 8), np.float32, seed)
    left, top, across, down = rng(seed).uniform([-5, -5, 1, 1], [5, 5, 12, 12])
    window = resize_window(maps, Box(left, top, across, down), (4, 5))
    padded = np.pad(maps.astype(np.float64), 20)
    for y in range(4):
        for x in range(5):
            v, u = top + (y + 0.5) * down / 4 + 20, left + (x + 0.5) * across / 5 + 20
            j, i = int(v), int(u)
            corner = padded[j : j + 2, i : i + 2]
            expected = [1 - v + j, v - j] @ corner @ [1 - u + i, u - i]
            assert window[y, x] == pytest.approx(expected, abs=1e-2)


@settings(max_examples=30)
@given(SEED)
def test_what_single_pixels_become_adds_up(seed: int) -> None:
    maps = noise((1, 5, 6), np.float32, seed)
    alone = (np.eye(30, dtype=np.float32) * maps.reshape(30)).reshape(30, 5, 6)
    left, top, across, down, *centre, angle = rng(seed).uniform(
        [-4, -4, 1, 1, -3, -3, -180], [4, 4, 12, 12, 9, 9, 180]
    )
    box, matrix = Box(left, top, across, down), turn((centre[0], centre[1]), angle)
    for whole, parts in (
        (resize_window(maps, box, (7, 9)), resize_window(alone, box, (7, 9))),
        (warp_maps(maps, matrix), warp_maps(alone, matrix)),
    ):
        np.testing.assert_allclose(parts.sum(axis=0), whole[0], atol=1e-3)


@settings(max_examples=30)
@given(SEED)
def test_the_flipped_window_of_flipped_maps_is_the_flipped_window(seed: int) -> None:
    maps, box = (
        noise((3, 12, 16), np.float32, seed),
        random_resized_box(frame_box(16, 12), rng(seed)),
    )
    flipped = resize_window(maps[..., ::-1], flip_box(box, 16), (9, 9))
    assert flipped == pytest.approx(resize_window(maps, box, (9, 9))[..., ::-1], abs=1e-2)


@pytest.mark.parametrize(("sigma", "mean", "most"), [(0.6, 0.06, 0.5), (1.0, 0.035, 0.24)])
def test_the_error_against_drawing_anew_is_as_stated(
    sigma: float, mean: float, most: float
) -> None:
    draws = rng()
    errors = []
    for _ in range(60):
        xy = draws.uniform(8, 56, (1, 17, 2)).astype(np.float32)
        score = np.ones((1, 17), np.float32)
        box = random_resized_box(frame_box(64, 64), draws)
        cached = np.rint(255 * blobs(xy, score, (64, 64), sigma)).astype(np.uint8)
        anew_xy = map_to(xy, box, (56, 56))
        anew = blobs(anew_xy, score, (56, 56), sigma)
        away = np.abs(resize_window(cached, box, (56, 56)) / 255.0 - anew)
        x, y = anew_xy[0, :, 0, None, None, None], anew_xy[0, :, 1, None, None, None]
        apart = np.maximum(abs(np.arange(56) - x), abs(np.arange(56)[:, None] - y))
        errors.append(away[apart <= 3 * sigma])
        assert away.max() < most + 0.01
    assert np.concatenate(errors).mean() == pytest.approx(mean, abs=0.002)


def test_a_quarter_turn_moves_pixels_exactly() -> None:
    maps = noise((2, 5, 5))
    turned = warp_maps(maps, turn((2.0, 2.0), 90.0))
    # What was right of the centre is below it now: clockwise.
    assert turned == pytest.approx(np.rot90(maps, -1, axes=(1, 2)), abs=1e-3)


def test_maps_may_have_any_leading_axes_or_none() -> None:
    maps = noise((2, 3, 4, 5, 7))
    windows = resize_window(maps, Box(1.2, 0.4, 3.0, 3.0), (4, 4))
    assert windows.shape == (2, 3, 4, 4, 4)
    assert np.array_equal(
        windows[1, 2, 3], resize_window(maps[1, 2, 3], Box(1.2, 0.4, 3, 3), (4, 4))
    )
    assert resize_window(maps[:0], frame_box(7, 5), (2, 2)).shape == (0, 3, 4, 2, 2)


@every_dtype
def test_maps_may_be_read_only_and_are_left_alone(dtype: type) -> None:
    maps = noise((2, 5, 7), dtype)
    kept = maps.copy()
    maps.flags.writeable = False
    resize_window(maps, frame_box(7, 5), (5, 7))[:] = 0
    warp_maps(maps[:, ::2], turn((1.0, 1.0), 3.0))[:] = 0
    assert np.array_equal(maps, kept)


def test_a_box_far_away_shows_nothing() -> None:
    assert not resize_window(noise((1, 4, 4)), Box(1e30, -1e30, 1e30, 1e30), (3, 3)).any()


@pytest.mark.parametrize(
    ("maps", "size_hw", "message"),
    [
        (np.zeros(4, np.float32), (2, 2), r"maps must be \(..., H, W\) with pixels, got \(4,\)"),
        (np.zeros((2, 0), np.float32), (2, 2), r"maps must be .* with pixels, got \(2, 0\)"),
        (np.zeros((2, 2)), (2, 2), "maps must be uint8, float16 or float32, got float64"),
        (
            np.zeros((2, 2), np.float32),
            (0, 2),
            r"size_hw must be .*at least 1 x 1 whole px, got \(0, 2\)",
        ),
    ],
)
def test_what_cannot_be_resampled_is_refused(
    maps: np.ndarray, size_hw: tuple[int, int], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        resize_window(maps, Box(0.0, 0.0, 2.0, 2.0), size_hw)


def test_an_unknown_beyond_is_refused() -> None:
    with pytest.raises(ValueError, match="beyond must be 'zero' or 'border', got 'wrap'"):
        resize_window(noise((1, 4, 4)), frame_box(4, 4), (2, 2), beyond="wrap")
