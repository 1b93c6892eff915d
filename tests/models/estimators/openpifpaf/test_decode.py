"""What openpifpaf's encoders make of people, our decoder turns back into those people."""

from __future__ import annotations

import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np
import pytest
from pifpaf_fields import encoded, layout, walker

from posemill.errors import InputError
from posemill.models.estimators.base import FrameResult
from posemill.models.estimators.openpifpaf.decode import PifPafDecoder, decode_fields
from posemill.models.estimators.openpifpaf.fields import Fields
from posemill.models.estimators.openpifpaf.letter import Letter, fit
from posemill.models.estimators.openpifpaf.settings import PifPafSettings
from posemill.schema import Float32

# (source size, people in source pixels): several at once, of several sizes, in every shape.
SCENES = [
    ((641, 481), [(320, 40, 400)]),
    ((1280, 720), [(200, 60, 600), (700, 200, 380), (1100, 300, 180)]),
    ((1920, 1080), [(180 + 300 * n, 100 + 60 * n, 700 - 110 * n) for n in range(6)]),
    ((360, 640), [(90, 30, 300), (260, 330, 280)]),
    ((320, 240), [(60, 20, 200), (160, 60, 120), (260, 40, 160)]),
]


@pytest.fixture(scope="module")
def decoder(pifpaf: Any) -> PifPafDecoder:
    return PifPafDecoder(layout(pifpaf), PifPafSettings(), usual=0, keep=())


def to_network(xy_px: Float32, letter: Letter) -> Float32:
    """x of the frame is (x + 1/2) s - 1/2 of the resized one, and lies beside the padding."""
    scale = np.array(letter.resized) / np.array(letter.source)
    return np.asarray((xy_px + 0.5) * scale - 0.5 + np.array(letter.corner), np.float32)


def scene(pifpaf: Any, number: int) -> tuple[list[Float32], Fields, Letter]:
    source, people = SCENES[number]
    truth = [walker(*person) for person in people]
    letter = fit(source, 641, 16)
    return (
        truth,
        encoded(pifpaf, [to_network(xy, letter) for xy in truth], letter.padded),
        letter,
    )


@pytest.mark.parametrize("number", range(len(SCENES)))
def test_encoded_people_come_back_in_source_pixels(
    pifpaf: Any, decoder: PifPafDecoder, number: int
) -> None:
    """The error is that of float32: fields hold cells up to 41, whose last place is 2^-18; four
    roundings of that (encoder, cell index, blend, stride) are 16 * 4 * 2^-18 network pixels."""
    truth, fields, letter = scene(pifpaf, number)
    persons = decoder((fields,), (letter,)).persons
    assert len(persons.score) == len(truth)
    distance = np.stack(
        [np.linalg.norm(persons.xy_px - person, axis=2).max(axis=1) for person in truth]
    )
    assert sorted(distance.argmin(axis=1).tolist()) == list(range(len(truth)))
    scale = max(letter.source) / max(letter.resized)
    found = distance.argmin(axis=1)
    errors = [
        np.linalg.norm(persons.xy_px[match] - person, axis=1)
        for match, person in zip(found, truth, strict=True)
    ]
    assert np.median(errors) <= 16 * 4 * 2**-18 * scale
    assert np.max(errors) <= 0.05 * scale  # two cells that end in a joint are averaged, by weight
    assert np.all((persons.score > 0.3) & (persons.score <= 1))


def test_a_joint_lies_where_cell_times_stride_says(pifpaf: Any) -> None:
    """openpifpaf has no half pixels: a joint on pixel 16 j of the input is on cell j."""
    person = walker(160, 32, 320)
    person[9] = 16 * 20, 16 * 11
    fields = encoded(pifpaf, [person], (641, 481))
    np.testing.assert_array_equal(fields.cif[9, 2:4, 11, 20], [20, 11])
    xy_px, _ = decode_fields(fields, layout(pifpaf), PifPafSettings())
    np.testing.assert_allclose(xy_px[0, 9], [320, 176], atol=16 * 4 * 2**-18)


def test_nobody_is_decoded_from_empty_fields(pifpaf: Any, decoder: PifPafDecoder) -> None:
    fields = Fields(np.zeros((17, 5, 3, 5), np.float32), np.zeros((19, 8, 3, 5), np.float32), None)
    persons = decoder((fields,), (fit((64, 32), 64, 16),)).persons
    assert persons.xy_px.shape == (0, 17, 2)
    assert persons.score.shape == (0, 17)


def test_a_joint_that_is_not_there_has_no_score_and_no_place(
    pifpaf: Any, decoder: PifPafDecoder
) -> None:
    truth, fields, letter = scene(pifpaf, 0)
    fields.cif[10] = 0  # the right wrist, and the only limb that leads to it
    fields.caf[[limb for limb, ends in enumerate(layout(pifpaf).limbs) if 10 in ends]] = 0
    persons = decoder((fields,), (letter,)).persons
    assert persons.score[0, 10] == 0
    np.testing.assert_array_equal(persons.xy_px[0, 10], [0, 0])
    assert np.count_nonzero(persons.score[0]) == len(truth[0]) - 1


def test_what_was_decoded_before_changes_nothing(pifpaf: Any, decoder: PifPafDecoder) -> None:
    """openpifpaf's decoder remembers; people must not depend on how the work was split."""
    _, fields, letter = scene(pifpaf, 1)
    _, others, elsewhere = scene(pifpaf, 2)
    first = decoder((fields,), (letter,)).persons
    for _ in range(20):
        decoder((others,), (elsewhere,))
    again = decoder((fields,), (letter,)).persons
    np.testing.assert_array_equal(first.xy_px, again.xy_px)
    np.testing.assert_array_equal(first.score, again.score)


def test_it_decodes_in_a_spawned_process(pifpaf: Any, decoder: PifPafDecoder) -> None:
    truth, fields, letter = scene(pifpaf, 4)
    assert len(pickle.dumps(decoder)) < 2000  # settings, no network
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        there: FrameResult = pool.submit(decoder, (fields,), (letter,)).result()
    here = decoder((fields,), (letter,))
    assert len(there.persons.score) == len(truth)
    np.testing.assert_array_equal(there.persons.xy_px, here.persons.xy_px)
    np.testing.assert_array_equal(there.persons.score, here.persons.score)


def test_thresholds_are_heeded_one_decoder_beside_another(pifpaf: Any) -> None:
    truth, fields, letter = scene(pifpaf, 1)
    fields.cif[:, 1] *= 0.7
    fields.caf[:, 1] *= 0.7
    usual = PifPafDecoder(layout(pifpaf), PifPafSettings(), 0, ())
    strict = PifPafDecoder(
        layout(pifpaf), PifPafSettings(seed_threshold=0.95, instance_threshold=0.95), 0, ()
    )
    for _ in range(2):
        assert len(usual((fields,), (letter,)).persons.score) == len(truth)
        assert len(strict((fields,), (letter,)).persons.score) == 0


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"colour": 1}, "no parameter 'colour'; it has: long_edge, dtype"),
        ({"long_edge": "wide"}, "must be numbers"),
        ({"long_edge": 16}, "long_edge must be 33 or more, got 16"),
        ({"seed_threshold": 1}, r"seed_threshold must lie in \[0, 1\), got 1.0"),
        ({"dtype": "int8"}, "dtype must be one of auto, float32, float16, bfloat16, got 'int8'"),
    ],
)
def test_settings_that_cannot_be_are_refused(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        PifPafSettings.from_parameters(parameters)


def test_settings_may_be_text() -> None:
    settings = PifPafSettings.from_parameters({"long_edge": "321", "seed_threshold": "0.5"})
    assert settings == PifPafSettings(long_edge=321, seed_threshold=0.5)
