"""The estimator with its real networks, on frames made up here."""

import sys
from collections import deque

import numpy as np
import pytest

from posemill.errors import InputError, MissingDependency, WeightsUnavailable
from posemill.models.estimators.base import EstimatorOptions
from posemill.models.estimators.blazepose import create
from posemill.models.estimators.blazepose.published import DETECTOR, LANDMARKS
from posemill.models.estimators.registry import create_estimator, estimator_names


@pytest.fixture(scope="module")
def estimator(blazepose_weights):
    return create(EstimatorOptions(weights=blazepose_weights))


def noise(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def test_it_is_found_by_name(blazepose_weights):
    assert "blazepose" in estimator_names()
    found = create_estimator("blazepose", EstimatorOptions(weights=blazepose_weights))
    assert (found.spec.name, found.spec.skeleton) == ("blazepose", "coco-17")


@pytest.mark.parametrize(
    "frame",
    [
        noise(1, 1, 3),
        np.zeros((1, 300, 3), np.uint8),
        np.full((240, 320, 3), 128, np.uint8),  # grey
        np.repeat(noise(90, 160, 1), 3, axis=2),
        noise(320, 180, 3),
        noise(64, 64, 3)[:, ::-1, ::-1],  # neither contiguous nor forward
    ],
)
def test_any_frame_without_people_is_empty_and_unchanged(estimator, frame):
    before = frame.copy()
    for persons in estimator.estimate([frame] * 3):
        assert persons.xy_px.shape == (0, 17, 2)
        assert persons.score.shape == (0, 17)
    np.testing.assert_array_equal(frame, before)


def test_read_only_frames_are_fine(estimator):
    frame = noise(120, 90, 3)
    frame.setflags(write=False)
    assert len(list(estimator.estimate([frame]))) == 1


def test_no_frames_give_no_people(estimator):
    assert list(estimator.estimate([])) == []


def test_frames_are_taken_one_at_a_time(estimator):
    taken = deque()

    def frames():
        for index in range(5):
            taken.append(index)
            yield np.zeros((60, 60, 3), np.uint8)

    people = estimator.estimate(frames())
    next(people)
    assert list(taken) == [0]


@pytest.mark.parametrize(
    "frame",
    [
        np.zeros((60, 60), np.uint8),
        np.zeros((60, 60, 4), np.uint8),
        np.zeros((60, 60, 3), np.float32),
        np.zeros((0, 60, 3), np.uint8),
    ],
)
def test_what_is_no_rgb_frame_is_refused(estimator, frame):
    with pytest.raises(InputError, match=r"wants RGB frames, uint8 \(height, width, 3\), got"):
        list(estimator.estimate([frame]))


def test_the_fingerprint_names_what_decides(estimator, blazepose_weights, monkeypatch):
    again = create(EstimatorOptions(weights=blazepose_weights))
    assert again.fingerprint() == estimator.fingerprint()
    other = EstimatorOptions(weights=blazepose_weights, parameters={"detect_every": 5})
    assert create(other).fingerprint() != estimator.fingerprint()
    before = estimator.fingerprint()
    monkeypatch.setattr(
        "posemill.models.estimators.blazepose.estimator.litert_version", lambda: "9.9.9"
    )
    assert estimator.fingerprint() != before


def test_starting_is_silent(blazepose_weights, capfd):
    create(EstimatorOptions(weights=blazepose_weights))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (EstimatorOptions(device="cuda"), "runs on the CPU .* got the device 'cuda'"),
        (EstimatorOptions(device="auto"), "got the device 'auto'"),
        (EstimatorOptions(threads=0), "0 threads"),
        (EstimatorOptions(parameters={"detect_often": 1}), "no parameter detect_often"),
    ],
)
def test_options_that_cannot_be_are_refused(options, complaint):
    with pytest.raises(InputError, match=complaint):
        create(options)


def test_a_damaged_file_is_refused_when_a_worker_loads(blazepose_weights, tmp_path):
    for file in (DETECTOR, LANDMARKS):
        (tmp_path / file.name).write_bytes((blazepose_weights / file.name).read_bytes())
    damaged = bytearray((tmp_path / LANDMARKS.name).read_bytes())
    damaged[1000] ^= 1
    (tmp_path / LANDMARKS.name).write_bytes(damaged)
    with pytest.raises(WeightsUnavailable, match=r"pose_landmark_full\.tflite .* has the sha256"):
        create(EstimatorOptions(weights=tmp_path))


def test_without_the_runtime_the_extra_is_named(blazepose_weights, monkeypatch):
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(MissingDependency, match=r"pip install 'posemill\[blazepose\]'"):
        create(EstimatorOptions(weights=blazepose_weights))
