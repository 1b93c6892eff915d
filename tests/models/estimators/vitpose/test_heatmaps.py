"""Peaks between the cells of heatmaps, and heatmaps on the grid of a frame."""

import pickle

import numpy as np
import numpy.typing as npt
import pytest

from posemill.models.estimators.vitpose.crop import crops_around
from posemill.models.estimators.vitpose.decoder import HeatmapDecoder, PersonHeatmaps, dense_grid
from posemill.models.estimators.vitpose.heatmaps import SIGMA, decode_heatmaps, paste_heatmaps

ROWS, COLUMNS = 64, 48
UNIT = np.array([COLUMNS - 1, ROWS - 1])


def drawn(centre: npt.ArrayLike, peak: float = 1.0) -> npt.NDArray[np.float32]:
    """Gaussians as the weights are trained to draw them, around cells (N, K, 2)."""
    x, y = np.moveaxis(np.asarray(centre, float)[..., None, None], 2, 0)
    rows, columns = np.mgrid[:ROWS, :COLUMNS]
    square = (columns - x) ** 2 + (rows - y) ** 2
    return (peak * np.exp(-square / (2 * SIGMA**2))).astype(np.float32)


@pytest.mark.parametrize(
    ("low", "high"),
    [
        pytest.param(7, 40, id="within"),
        pytest.param(0, 7, id="at the left and top"),
        pytest.param(-0.49, 0.49, id="in the corner"),
        pytest.param(41, 47.49, id="at the right"),
    ],
)
def test_a_gaussians_centre_is_found_between_the_cells(low: float, high: float):
    # The logarithm of a Gaussian is a parabola, and smoothing widens it and moves nothing; what
    # is left is the smoothing's cut at 5 cells: exp(-(5 / 2)^2 / 2) = 4% of its centre's weight.
    centre = np.random.default_rng(0).uniform(low, high, (20, 17, 2))
    xy, score = decode_heatmaps(drawn(centre, peak=0.5))
    np.testing.assert_allclose(xy * UNIT, centre, atol=1e-3)
    nearest = np.round(centre)
    off = np.square(centre - nearest).sum(-1)
    np.testing.assert_allclose(score, 0.5 * np.exp(-off / (2 * SIGMA**2)), rtol=1e-5)


def test_the_peak_of_a_tilted_gaussian_is_found_as_well():
    # Its logarithm has a mixed second derivative; smoothing adds SIGMA^2 to its covariance and
    # moves nothing.
    centre, covariance = np.array([20.3, 30.6]), np.array([[6.0, 4.0], [4.0, 6.0]])
    rows, columns = np.mgrid[:ROWS, :COLUMNS]
    apart = np.stack([columns, rows], axis=-1) - centre
    square = np.einsum("...i,ij,...j", apart, np.linalg.inv(covariance), apart)
    xy, _ = decode_heatmaps(np.exp(-square / 2).astype(np.float32)[None, None])
    np.testing.assert_allclose(xy[0, 0] * UNIT, centre, atol=1e-2)


def test_the_greatest_cell_alone_would_be_up_to_half_a_cell_off():
    xy, _ = decode_heatmaps(drawn([[[20.4, 30.4]]]))
    assert np.abs(xy * UNIT - [20, 30]).min() > 0.39


def test_scores_stay_in_their_range_and_what_is_negative_is_not_detected():
    maps = np.concatenate([drawn([[[20, 20]]], peak=1.3), drawn([[[20, 20]]], peak=-1) - 0.1], 1)
    xy, score = decode_heatmaps(maps)
    np.testing.assert_array_equal(score, [[1, 0]])
    assert np.isfinite(xy).all()


@pytest.mark.parametrize("value", [0.0, 0.4])
def test_a_heatmap_without_a_peak_gives_a_place_in_the_crop(value: float):
    xy, score = decode_heatmaps(np.full((1, 17, ROWS, COLUMNS), value, np.float32))
    assert ((xy >= 0) & (xy <= 1)).all()
    assert (score == np.float32(value)).all()


def test_a_step_never_leaves_the_neighbourhood_of_the_greatest_cell():
    noise = np.random.default_rng(1).normal(size=(50, 17, ROWS, COLUMNS)).astype(np.float32)
    xy, _ = decode_heatmaps(noise)
    cell = np.stack(np.divmod(noise.reshape(50, 17, -1).argmax(-1), COLUMNS)[::-1], axis=-1)
    assert np.abs(xy * UNIT - cell).max() <= 1 + 1e-5


def test_people_come_back_in_the_pixels_of_the_source():
    boxes = np.array([[100, 50, 180, 300], [400, 200, 900, 460]], np.float32)
    crops = crops_around(boxes, 192 / 256, 1.25)
    fraction = np.random.default_rng(2).uniform(0.1, 0.9, (2, 17, 2))
    raw = PersonHeatmaps(drawn(fraction * UNIT), crops)
    decoder = pickle.loads(pickle.dumps(HeatmapDecoder(keep_joints=False)))  # noqa: S301
    persons = decoder(raw, (1280, 720)).persons
    expected = crops.left_top[:, None] + fraction * crops.size[:, None]
    np.testing.assert_allclose(persons.xy_px, expected, atol=0.02)
    assert (persons.score > 0.9).all()
    assert (persons.slot == -1).all()


def test_nobody_gives_no_person_and_empty_maps():
    raw = PersonHeatmaps(
        np.zeros((0, 17, ROWS, COLUMNS), np.float32),
        crops_around(np.zeros((0, 4), np.float32), 0.75, 1.25),
    )
    result = HeatmapDecoder(keep_joints=True)(raw, (320, 180))
    assert result.persons.xy_px.shape == (0, 17, 2)
    assert result.dense["joints"].shape == (17, 45, 80)
    assert not result.dense["joints"].any()


@pytest.mark.parametrize(
    ("size_wh", "grid"), [((1920, 1080), (45, 80)), ((90, 160), (80, 45)), ((1, 1), (80, 80))]
)
def test_kept_maps_have_a_cell_every_8_of_640_pixels(
    size_wh: tuple[int, int], grid: tuple[int, int]
):
    assert dense_grid(size_wh) == grid


@pytest.mark.parametrize(
    "box",
    [
        pytest.param([600, 100, 900, 700], id="heatmap coarser than the grid"),
        pytest.param([200, 300, 230, 350], id="heatmap finer than the grid"),
        pytest.param([-0.5, -0.5, 1279.5, 719.5], id="the whole frame"),
    ],
)
def test_a_peak_lands_in_the_cell_of_its_source_pixel(box: list[float]):
    size_wh, grid = (1280, 720), (45, 80)
    crops = crops_around(np.array([box], np.float32), 192 / 256, 1.0)
    cells = np.random.default_rng(3).integers([8, 18], [40, 46], (1, 17, 2))
    maps = drawn(cells)
    pasted = paste_heatmaps(maps, crops, size_wh, grid)
    source = crops.to_source((cells / UNIT).astype(np.float32))[0]
    column, row = ((source + 0.5) / 16).astype(int).T
    # 1280 / 80 = 16 px a cell; a peak is in the one that holds its pixel, at its full height.
    np.testing.assert_allclose(pasted[np.arange(17), row, column], 1.0)
    assert (pasted <= 1).all()


def test_of_people_that_overlap_the_greater_value_counts():
    crops = crops_around(
        np.array([[100, 100, 400, 500], [100, 100, 400, 500]], np.float32), 0.75, 1
    )
    maps = np.concatenate([drawn([[[20, 30]]], 0.4), drawn([[[20, 30]]], 0.9)])
    together = paste_heatmaps(maps, crops, (640, 640), (80, 80))
    alone = crops_around(np.array([[100, 100, 400, 500]], np.float32), 0.75, 1)
    np.testing.assert_array_equal(together, paste_heatmaps(maps[1:], alone, (640, 640), (80, 80)))


def test_a_crop_that_leaves_the_frame_is_cut_there_and_zero_is_elsewhere():
    crops = crops_around(np.array([[-100, 200, 50, 400]], np.float32), 0.75, 1.0)
    pasted = paste_heatmaps(np.ones((1, 1, ROWS, COLUMNS), np.float32), crops, (640, 640), (80, 80))
    # The rectangle ends at 50 px, and a cell has 8 px: the seventh, from 47.5 px on, holds that.
    np.testing.assert_allclose(pasted[0, 30:45, :7], 1.0)
    assert not pasted[0, :, 7:].any()
    assert not pasted[0, :20].any()
