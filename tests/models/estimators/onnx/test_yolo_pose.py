"""YOLO-pose's outputs to people, worked out by hand."""

import numpy as np
import pytest

from posemill.models.estimators.onnx.decoder import CandidateDecoder
from posemill.models.estimators.onnx.letterbox import fit
from posemill.models.estimators.onnx.yolo_pose import (
    YOLO_POSE,
    YoloCells,
    YoloPeople,
    recognise,
)
from posemill.schema import Float32


def values(x: float, y: float, visibility: float) -> Float32:
    """(51,): x, y, visibility of keypoint k at (x + k, y + 2 k)."""
    k = np.arange(17)
    return np.stack([x + k, y + 2 * k, np.full(17, visibility)], axis=1).ravel()


def cell(x: float, y: float, width: float, height: float, score: float) -> Float32:
    """(56,): a person around (x, y), keypoints from there on, visible by half."""
    return np.concatenate([[x, y, width, height, score], values(x, y, 0.5)]).astype(np.float32)


def test_known_by_the_shape_of_its_output() -> None:
    assert recognise([(1, 56, 8400)], {}) == YoloCells()
    assert recognise([(1, 300, 57)], {}) == YoloPeople()
    ours = {"task": "pose", "kpt_shape": "[17, 3]"}
    assert recognise([(1, 56, 8400)], ours) == YoloCells()
    assert recognise([(1, 300, 57)], {"kpt_shape": "(17, 3)"}) == YoloPeople()


@pytest.mark.parametrize(
    ("shapes", "metadata"),
    [
        ([(1, 84, 8400)], {}),
        ([(1, 56, 8400)], {"task": "detect"}),
        ([(1, 56, 8400)], {"kpt_shape": "[26, 2]"}),
        ([(1, 300, 6)], {}),
        ([(1, 116, 8400), (1, 32, 160, 160)], {}),
        ([(1, 56, 8400), (1, 56, 8400)], {}),
        ([(1, 50, 5), (1, 50, 17, 3)], {}),
        ([(56, 57)], {}),
    ],
)
def test_other_outputs_are_no_yolo_pose(
    shapes: list[tuple[int, ...]], metadata: dict[str, str]
) -> None:
    assert recognise(shapes, metadata) is None


def test_people_from_cells_of_a_letterboxed_frame() -> None:
    """Of two cells on one person the better stays, of one too doubtful nothing.

    Boxes of 20 x 40 whose centres are 2 apart share 18 of 22 columns: .82 > .7. The
    frame of 300 x 600 lies in 640 x 640 at 16 / 15, as 320 x 640, 160 columns from the left.
    """
    cells = np.stack(
        [
            cell(200, 300, 20, 40, 0.6),
            cell(202, 300, 20, 40, 0.9),
            cell(400, 100, 20, 40, 0.25),
            cell(300, 500, 20, 40, 0.2),
        ],
        axis=1,
    )[None]
    candidates = YoloCells().candidates([cells], min_score=0.25)[0]
    np.testing.assert_allclose(
        candidates.boxes_px, [[190, 280, 210, 320], [192, 280, 212, 320], [390, 80, 410, 120]]
    )
    letterbox = fit((300, 600), (640, 640))
    assert letterbox.offset == (160, 0)
    persons = CandidateDecoder(YOLO_POSE.settings.max_overlap)(candidates, letterbox).persons
    k = np.arange(17)
    place = np.array([[202, 300], [400, 100]])[:, None] + np.stack([k, 2 * k], axis=1)
    wanted = (place - [160, 0] + 0.5) * 15 / 16 - 0.5
    np.testing.assert_allclose(persons.xy_px, wanted, atol=1e-4)
    np.testing.assert_array_equal(persons.score, np.full((2, 17), 0.5))


def test_people_that_come_once_are_not_suppressed_and_rows_of_zeros_are_nobody() -> None:
    """Two people in almost one box: such a network tells them apart by itself."""
    first = np.concatenate([[10, 10, 30, 50, 0.6, 0], values(12, 14, 0.7)])
    second = np.concatenate([[11, 10, 31, 50, 0.9, 0], values(16, 14, 0.8)])
    output = np.stack([first, second, *np.zeros((3, 57))])[None].astype(np.float32)
    head = YoloPeople()
    assert not head.overlapping
    for min_score in (0.25, 0.0):
        candidates = head.candidates([output], min_score)[0]
        persons = CandidateDecoder(1.0)(candidates, fit((96, 96), (96, 96))).persons
        np.testing.assert_allclose(persons.xy_px[:, 0], [[16, 14], [12, 14]])
        np.testing.assert_allclose(persons.score[:, 0], [0.8, 0.7])


def test_the_keypoints_do_not_depend_on_the_layout() -> None:
    row = np.concatenate([[10, 10, 30, 50, 0.5, 0], values(12, 14, 0.7)]).astype(np.float32)
    column = np.concatenate([[20, 30, 20, 40, 0.5], values(12, 14, 0.7)]).astype(np.float32)
    people = YoloPeople().candidates([row[None, None]], 0.25)[0]
    cells = YoloCells().candidates([column[None, :, None]], 0.25)[0]
    for name in ("boxes_px", "score", "xy_px", "visibility"):
        np.testing.assert_array_equal(getattr(people, name), getattr(cells, name))
