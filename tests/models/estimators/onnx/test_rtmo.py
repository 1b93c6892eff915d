"""RTMO's outputs to people, worked out by hand."""

import numpy as np

from posemill.models.estimators.onnx.decoder import CandidateDecoder
from posemill.models.estimators.onnx.letterbox import fit
from posemill.models.estimators.onnx.rtmo import RTMO, RtmoHead, recognise
from posemill.schema import Float32

HEAD = RtmoHead(boxes_output=0, keypoints_output=1)


def keypoints(x: float, y: float, visibility: float) -> Float32:
    """(17, 3): keypoint k at (x + k, y + 2 k)."""
    k = np.arange(17)
    return np.stack([x + k, y + 2 * k, np.full(17, visibility)], axis=1).astype(np.float32)


def test_known_by_the_shapes_of_its_outputs_in_either_order() -> None:
    assert recognise([(1, 0, 5), (1, 0, 17, 3)], {}) == RtmoHead(0, 1)
    assert recognise([(1, 50, 17, 3), (1, 50, 5)], {}) == RtmoHead(1, 0)


def test_other_outputs_are_no_rtmo() -> None:
    others = [
        [(1, 50, 5)],
        [(1, 50, 5), (1, 50, 26, 3)],
        [(1, 50, 5), (1, 50, 17, 2)],
        [(1, 50, 5), (1, 40, 17, 3)],
        [(1, 50, 4), (1, 50, 17, 3)],
        [(1, 50, 5), (1, 50)],
        [(1, 50, 5), (1, 50, 17, 3), (1, 50)],
        [(1, 56, 8400)],
    ]
    assert [recognise(shapes, {}) for shapes in others] == [None] * len(others)


def test_people_of_a_letterboxed_frame() -> None:
    """Three candidates and a doubtful one; the first two overlap by 90 / 110 > .65.

    The frame of 1280 x 720 lies in 640 x 640 at half the size, 140 rows from the top: input
    pixel (x, y) is (2 x + .5, 2 (y - 140) + .5) of it.
    """
    dets = np.array(
        [[[0, 0, 10, 10, 0.8], [1, 0, 11, 10, 0.9], [50, 0, 60, 10, 0.7], [90, 0, 99, 9, 0.29]]],
        np.float32,
    )
    joints = np.stack(
        [
            keypoints(100, 200, 0.1),
            keypoints(101, 201, 0.5),
            keypoints(300, 150, 1.25),  # a visibility beyond [0, 1] by the export's arithmetic
            keypoints(10, 150, 0.9),
        ]
    )[None]
    candidates = HEAD.candidates([dets, joints], min_score=0.3)[0]
    np.testing.assert_array_equal(candidates.score, dets[0, :3, 4])
    decoder = CandidateDecoder(RTMO.settings.max_overlap)
    persons = decoder(candidates, fit((1280, 720), (640, 640))).persons
    k = np.arange(17)
    first = np.stack([2 * (101 + k) + 0.5, 2 * (201 + 2 * k - 140) + 0.5], axis=1)
    second = np.stack([2 * (300 + k) + 0.5, 2 * (150 + 2 * k - 140) + 0.5], axis=1)
    np.testing.assert_array_equal(persons.xy_px, [first, second])
    np.testing.assert_array_equal(persons.score, [[0.5] * 17, [1.0] * 17])
    np.testing.assert_array_equal(persons.slot, [-1, -1])


def test_rows_that_fill_up_a_batch_are_nobody_new() -> None:
    """The second frame's only person is followed by the cell that the export fills rows up
    with: here it is a suppressed candidate around the same person, better than the threshold."""
    person, filled = [10, 10, 30, 50, 0.9], [11, 10, 31, 50, 0.6]
    empty = [0, 0, 0, 0, 0]
    dets = np.array([[person, [60, 10, 80, 50, 0.8], empty], [person, filled, filled]], np.float32)
    joints = np.tile(keypoints(20, 12, 0.9), (2, 3, 1, 1))
    decoder, whole = CandidateDecoder(RTMO.settings.max_overlap), fit((96, 96), (96, 96))
    found = [decoder(raw, whole).persons for raw in HEAD.candidates([dets, joints], 0.3)]
    assert [len(persons.score) for persons in found] == [2, 1]


def test_nobody_gives_nobody() -> None:
    nothing = [np.zeros((2, 0, 5), np.float32), np.zeros((2, 0, 17, 3), np.float32)]
    decoder, whole = CandidateDecoder(0.65), fit((96, 96), (96, 96))
    for raw in HEAD.candidates(nothing, 0.0):
        persons = decoder(raw, whole).persons
        assert persons.xy_px.shape == (0, 17, 2)
        assert persons.score.shape == (0, 17)
