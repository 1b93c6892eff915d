"""Dense maps: what is in them, and that each cell shows its own part of the frame."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tiny_pifpaf
from pifpaf_fields import encoded, layout, walker

from posemill.models.estimators.openpifpaf.decode import PifPafDecoder
from posemill.models.estimators.openpifpaf.fields import FieldLayout, Fields, dense_map
from posemill.models.estimators.openpifpaf.letter import fit
from posemill.models.estimators.openpifpaf.settings import PifPafSettings
from posemill.schema import Float32

SMALL = FieldLayout(limbs=((0, 1),), trunk_stride=16, stride=16, num_features=3)


def empty_fields(rows: int, columns: int) -> Fields:
    return Fields(
        np.zeros((17, 5, rows, columns), np.float32),
        np.zeros((1, 8, rows, columns), np.float32),
        np.zeros((3, rows, columns), np.float32),
    )


def maps_of(fields: Fields, size_wh: tuple[int, int], long_edge: int) -> dict[Any, Float32]:
    tiny_pifpaf.openpifpaf()
    decoder = PifPafDecoder(SMALL, PifPafSettings(), 0, ("features", "joints", "parts"))
    return dict(decoder((fields,), (fit(size_wh, long_edge, 16),)).dense)


def test_part_fields_point_from_joint_to_joint_as_long_as_they_are_sure() -> None:
    """From (1, 1) to (4, 5) is (3, 4), a unit vector of (0.6, 0.8), times 0.5."""
    fields = empty_fields(2, 2)
    fields.caf[0, 1, 0, 1] = 0.5
    fields.caf[0, 2:6, 0, 1] = 1, 1, 4, 5
    fields.caf[0, 1, 1, 0] = 0.9  # both ends on one place: no direction
    parts = dense_map("parts", fields)
    assert parts.shape == (2, 2, 2)
    np.testing.assert_allclose(parts[:, 0, 1], [0.3, 0.4], rtol=1e-6)
    np.testing.assert_array_equal(parts[:, 1, 0], [0, 0])


def test_a_peak_on_a_pixel_lands_in_the_cell_that_shows_it() -> None:
    """128 x 96 at long edge 128 is not resized; padded to 129 x 97 with nothing on the left and
    top. Cell (2, 3) of the field lies on pixel (48, 32), 48.5 and 32.5 from the edges; the kept
    grid has 8 x 6 cells of 16 pixels, centred at 40, 56 and 24, 40. So the peak is shared:
    (56 - 48.5) / 16 = 0.46875 of it goes left, and (40 - 32.5) / 16 as much goes up."""
    fields = empty_fields(7, 9)
    fields.cif[4, 1, 2, 3] = 1
    assert fields.features is not None
    fields.features[1, 2, 3] = 2
    maps = maps_of(fields, (128, 96), 128)
    assert maps["joints"].shape == (17, 6, 8)
    away = (56 - 48.5) / 16
    down, across = np.array([away, 1 - away]), np.array([away, 1 - away])
    np.testing.assert_allclose(maps["joints"][4, 1:3, 2:4], np.outer(down, across), atol=1e-6)
    assert np.count_nonzero(maps["joints"]) == 4
    np.testing.assert_allclose(maps["features"][1], 2 * maps["joints"][4], atol=1e-6)


def test_padding_on_the_left_moves_the_maps() -> None:
    """Height 100 is padded by 6 above, so row 3, on pixel 48 of the input, is on pixel 42 of the
    frame. Of the grid's 6 rows of 100 / 6 pixels, row 2 is centred at 41.67: 42.5 - 41.67 is
    0.05 of a stride further."""
    fields = empty_fields(8, 11)
    fields.cif[0, 1, 3] = 1  # in the whole row
    maps = maps_of(fields, (160, 100), 160)
    step = 100 / 6 / 16
    rows = [max(0.0, 1 - abs((row + 0.5) * step - 42.5 / 16)) for row in range(6)]
    np.testing.assert_allclose(maps["joints"][0], np.outer(rows, np.ones(10)), atol=1e-5)


def test_maps_of_scales_are_averaged_on_one_grid(pifpaf: Any) -> None:
    """The encoder paints four cells each way around a joint, within half a cell. At scale 2 a
    cell is 8 source pixels, so all three scales agree at most 16 + 4 from the joint."""
    sizes = (640, 480)
    person = walker(320, 40, 400)
    letters = tuple(fit(sizes, 641 * scale, 16) for scale in (0.5, 1.0, 2.0))
    fields = []
    for letter in letters:
        scale = np.array(letter.resized) / np.array(sizes)
        xy = np.asarray((person + 0.5) * scale - 0.5 + letter.corner, np.float32)
        fields.append(encoded(pifpaf, [xy], letter.padded))
    decoder = PifPafDecoder(layout(pifpaf), PifPafSettings(), 1, ("joints",))
    maps = decoder(tuple(fields), letters).dense["joints"]
    assert maps.shape == (17, 30, 40)
    for joint, (x, y) in enumerate(person):
        row, column = np.unravel_index(maps[joint].argmax(), maps[joint].shape)
        assert abs((column + 0.5) * 16 - (x + 0.5)) <= 20
        assert abs((row + 0.5) * 16 - (y + 0.5)) <= 20


def test_maps_show_only_the_frame() -> None:
    fields = empty_fields(8, 11)
    fields.cif[:] = 1
    maps = maps_of(fields, (160, 100), 160)
    np.testing.assert_allclose(maps["joints"], 1, atol=1e-6)


def test_features_that_were_not_kept_are_told() -> None:
    fields = Fields(*(np.zeros((1, 8, 1, 1), np.float32),) * 2, None)
    with pytest.raises(ValueError, match="features were not kept"):
        dense_map("features", fields)
