"""The estimator on real footage: who is in it, as somebody who looks would say."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest

from posemill.models.estimators.base import EstimatorOptions
from posemill.models.estimators.blazepose import create
from posemill.storage.video import open_video


@dataclass(frozen=True)
class Seen:
    """How many were seen in each frame, and in how many frames each track was."""

    frames: list
    people: list
    counts: list
    tracks: Counter


@pytest.fixture(scope="module")
def look(blazepose_weights, shared):
    estimator = create(EstimatorOptions(weights=blazepose_weights))

    def over(name, start_seconds=0.0, end_seconds=None):
        path = shared / "videos" / "real" / name
        with open_video(path, start_seconds=start_seconds, end_seconds=end_seconds) as reader:
            frames = [frame.rgb for frame in reader]
        people = list(estimator.estimate(frames))
        tracks = Counter(slot for persons in people for slot in persons.slot.tolist())
        return Seen(frames, people, [len(persons.slot) for persons in people], tracks)

    return over


def test_one_person_in_all_frames_is_one_track(look):
    seen = look("ta_chi.mp4")
    assert seen.tracks == {0: len(seen.frames)}
    mean_score = np.mean([persons.score.mean() for persons in seen.people])
    assert mean_score > 0.85


def test_two_people_until_they_hug_are_two_tracks(look):
    seen = look("two_people_1080p.mp4")
    assert np.mean(np.array(seen.counts) == 2) > 0.9
    assert len(seen.tracks) == 2
    middle = {
        slot: np.median([p.xy_px[p.slot == slot][..., 0].mean() for p in seen.people])
        for slot in seen.tracks
    }
    assert abs(middle[0] - middle[1]) > 100  # on two sides, not one person twice


def test_water_and_a_foot_are_nobody_in_most_frames(look):
    """By one decoder in all of them, by the other in all but two: a grey level decides."""
    assert np.mean(np.array(look("nobody.mp4").counts) > 0) < 0.1


def test_a_portrait_picture_holds_one_walker_upright(look):
    seen = look("portrait_walk.mp4", end_seconds=0.5)
    assert seen.frames[0].shape[:2] == (1920, 1080)
    assert seen.tracks[0] == len(seen.frames)
    nose, ankles = 0, [15, 16]
    for persons in seen.people:
        body = persons.xy_px[persons.slot == 0][0]
        assert body[nose, 1] < body[ankles, 1].min()


@pytest.mark.parametrize(
    ("name", "least", "most_tracks"), [("skateboarding.mp4", 0.9, 2), ("basketball.mp4", 0.9, 4)]
)
def test_moving_cameras_keep_somebody_in_most_frames(look, name, least, most_tracks):
    seen = look(name, end_seconds=5.0)
    assert np.mean(np.array(seen.counts) > 0) >= least
    assert len(seen.tracks) <= most_tracks


def test_somebody_from_behind_is_seen(look):
    seen = look("worker_from_behind.mp4", start_seconds=6.0, end_seconds=8.0)
    assert max(seen.counts) == 1
    assert np.mean(seen.counts) > 0.9
    assert len(seen.tracks) == 1


def test_equal_frames_give_bit_equal_people_and_stay_as_they_are(look, blazepose_weights):
    seen = look("two_people_1080p.mp4", end_seconds=0.4)
    frames = [frame.copy() for frame in seen.frames]
    again = create(EstimatorOptions(weights=blazepose_weights)).estimate(frames)
    for persons, repeated in zip(seen.people, again, strict=True):
        np.testing.assert_array_equal(persons.xy_px, repeated.xy_px)
        np.testing.assert_array_equal(persons.score, repeated.score)
        np.testing.assert_array_equal(persons.slot, repeated.slot)
    np.testing.assert_array_equal(frames, seen.frames)


def test_joints_are_numbers_with_scores_from_0_to_1(look):
    for persons in look("basketball.mp4", end_seconds=1.0).people:
        assert np.isfinite(persons.xy_px).all()
        assert ((persons.score >= 0) & (persons.score <= 1)).all()
