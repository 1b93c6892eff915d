"""A pixel of the frame and the pixel of the network's input that shows it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from posemill.models.estimators.openpifpaf.letter import fit, fitted
from posemill.schema import Float32, UInt8


def centroid(picture: UInt8) -> Float32:
    """(x, y) of the middle of what is brighter than the dark rest."""
    weight = picture.mean(axis=2)
    rows, columns = np.indices(weight.shape)
    return np.array([(weight * columns).sum(), (weight * rows).sum()], np.float32) / weight.sum()


def test_a_frame_of_the_networks_own_size_is_left_as_it_is() -> None:
    frame = np.random.default_rng(0).integers(0, 256, (481, 641, 3), np.uint8)
    letter = fit((641, 481), 641, 16)
    assert letter.resized == letter.padded == (641, 481)
    assert letter.corner == (0, 0)
    np.testing.assert_array_equal(fitted(frame, letter), frame)


def test_sizes_by_hand() -> None:
    """1920 x 1080 at 641: 1080 * 641 / 1920 = 360.6, so 361; 22.5 cells of 16 make 23 and one
    pixel more is 369, whose 8 pixels too many are halved."""
    letter = fit((1920, 1080), 641, 16)
    assert (letter.resized, letter.padded, letter.corner) == ((641, 361), (641, 369), (0, 4))
    assert letter.first_cell_px == (0.5, -3.5)
    np.testing.assert_allclose(
        letter.to_source(np.array([[0, 4], [640, 364]], np.float32)),
        [
            [0.5 * 1920 / 641 - 0.5, 0.5 * 1080 / 361 - 0.5],
            [640.5 * 1920 / 641 - 0.5, 360.5 * 1080 / 361 - 0.5],
        ],
        rtol=1e-6,
    )


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (7, 640), (4000, 30)])
@pytest.mark.parametrize("scale", [0.5, 1, 2])
def test_every_input_has_a_cell_on_its_first_and_its_last_pixel(
    size: tuple[int, int], scale: float
) -> None:
    letter = fit(size, 641 * scale, 16)
    assert all(edge % 16 == 1 and edge > 16 for edge in letter.padded)
    frame = np.zeros((size[1], size[0], 3), np.uint8)
    assert fitted(frame, letter).shape == (letter.padded[1], letter.padded[0], 3)
    slack = np.array(letter.padded) - letter.resized
    assert np.all((slack >= 0) & (slack <= 32))


@pytest.mark.parametrize("source", [(64, 48), (1282, 962), (333, 517)])
def test_what_is_drawn_on_a_frame_is_found_where_it_was_drawn(source: tuple[int, int]) -> None:
    """A square of 9 pixels around (x, y): resizing keeps its middle. Shrunk by two, a column of
    the nine is shown half a pixel away: 0.5 / 9 = 0.056."""
    x, y = source[0] // 3, source[1] // 2
    frame = np.zeros((source[1], source[0], 3), np.uint8)
    frame[y - 4 : y + 5, x - 4 : x + 5] = 200
    letter = fit(source, 641, 16)
    picture = fitted(frame, letter)
    (left, top), (width, height) = letter.corner, letter.resized
    inside = np.zeros_like(picture)
    inside[top : top + height, left : left + width] = picture[
        top : top + height, left : left + width
    ]
    np.testing.assert_allclose(letter.to_source(centroid(inside)), [x, y], atol=0.06)


def test_padding_is_the_mean_colour_on_both_sides() -> None:
    letter = fit((160, 100), 160, 16)  # 100 wants 13: six above and seven below
    picture = fitted(np.zeros((100, 160, 3), np.uint8), letter)
    assert (letter.padded, letter.corner) == ((161, 113), (0, 6))
    assert np.all(picture[:6] == (124, 116, 104))
    assert np.all(picture[106:] == (124, 116, 104))
    assert np.all(picture[6:106, :160] == 0)


def test_a_cell_sees_the_pixel_that_it_is_said_to_lie_on(pifpaf: Any) -> None:
    """The pixels that move cell j of the trunk's output lie evenly around pixel 16 j."""
    import torch

    from posemill.models.estimators.openpifpaf.network import without_pretrained_trunks

    torch.manual_seed(0)
    with without_pretrained_trunks(pifpaf):
        trunk = pifpaf.BASE_FACTORIES["shufflenetv2x1"]().eval()
    image = torch.rand(1, 3, 17, 1025, requires_grad=True)
    trunk(image)[0, :, 0, 30].sum().backward()
    assert image.grad is not None
    moved = np.flatnonzero(image.grad.abs().sum(dim=(0, 1, 2)).numpy())
    assert 0 < moved[0] < moved[-1] < 1024
    assert (moved[0] + moved[-1]) / 2 == 16 * 30
