import numpy as np
import pytest
from models_study import actions
from models_study.actions import (
    AGAINST_CUE,
    MISLEADING,
    PLAIN,
    WITH_CUE,
    ActionClip,
    Context,
    action_clips,
    clean_actor,
    make_poses,
)
from models_study.noise import Noise

from posemill.fixtures.body import sample_body

SILENT = Noise(jitter=0, outliers=0, loses_joint=0, swaps=0)


def people(poses):
    """(M, T, 17, 2), in order of their tracks."""
    count = poses.slot.max() + 1
    return poses.xy_px.reshape(-1, count, 17, 2).swapaxes(0, 1)


def side_of_bystander(clip: ActionClip, context: Context) -> float:
    """Whether who stands beside is left (-1) or right (1) of the actor, in the picture."""
    actor = clean_actor(clip, 0)
    seen = people(make_poses(clip, 0, context))
    bystander = max(seen, key=lambda each: np.abs(each - actor).mean())
    return float(np.sign(bystander[:, 11, 0].mean() - actor[:, 11, 0].mean()))


def test_ids_name_the_subset_the_class_and_the_number():
    clips = action_clips("train", 3)
    assert len(clips) == 36
    assert clips[0].id == "train/sit_down/000"
    assert len({clip.id for clip in clips}) == 36


def test_a_clip_is_the_same_whatever_is_made_before_it():
    clip = ActionClip("test", 4, 7)
    alone = make_poses(clip, seed=3)
    for other in action_clips("train", 1):
        make_poses(other, seed=3)
    again = make_poses(clip, seed=3)
    np.testing.assert_array_equal(alone.xy_px, again.xy_px)
    np.testing.assert_array_equal(alone.score, again.score)


@pytest.mark.parametrize(
    ("clip", "seed"),
    [
        (ActionClip("test", 4, 8), 3),
        (ActionClip("train", 4, 7), 3),
        (ActionClip("test", 5, 7), 3),
        (ActionClip("test", 4, 7), 4),
    ],
)
def test_another_clip_or_seed_gives_other_joints(clip, seed):
    ours, theirs = make_poses(ActionClip("test", 4, 7), seed=3), make_poses(clip, seed)
    assert ours.xy_px.shape != theirs.xy_px.shape or not np.allclose(ours.xy_px, theirs.xy_px)


def test_clips_have_40_to_90_frames_and_one_or_two_people():
    made = [make_poses(clip, 0) for clip in action_clips("train", 12)]
    lengths = [poses.num_frames for poses in made]
    assert 40 <= min(lengths) < 45
    assert 85 < max(lengths) <= 90
    assert abs(np.mean([poses.slot.max() == 1 for poses in made]) - 0.35) < 0.12


def test_a_clean_actor_is_who_is_seen_without_noise():
    clip = ActionClip("test", 2, 1)
    seen = people(make_poses(clip, 0, noise=SILENT))
    assert min(np.abs(each - clean_actor(clip, 0)).max() for each in seen) < 1e-3


def test_people_stay_mostly_in_the_picture():
    for clip in action_clips("test", 2):
        xy = clean_actor(clip, 0)
        inside = (xy >= 0) & (xy < actions.SIZE_PX)
        assert inside.mean() > 0.97, clip.id


def test_the_actor_is_the_same_in_every_context():
    for clip in action_clips("test", 1):
        plain, other = (people(make_poses(clip, 0, context)) for context in (PLAIN, MISLEADING))
        assert len(other) == 2
        assert any(np.array_equal(one, two) for one in plain for two in other)


@pytest.mark.parametrize(
    ("context", "share"), [(MISLEADING, 0.9), (WITH_CUE, 1.0), (AGAINST_CUE, 0.0)]
)
def test_a_misleading_bystander_stands_on_the_side_of_the_class(context, share):
    clips = action_clips("train", 10)
    sides = [side_of_bystander(clip, context) for clip in clips]
    expected = [-1 if clip.label % 2 == 0 else 1 for clip in clips]
    assert abs(np.mean(np.equal(sides, expected)) - share) < 0.06


def test_a_cue_changes_nothing_but_where_the_bystander_stands():
    for clip in action_clips("test", 1):
        given, against = (make_poses(clip, 0, context) for context in (WITH_CUE, AGAINST_CUE))
        np.testing.assert_array_equal(given.score, against.score)
        same = [
            np.array_equal(one, two)
            for one, two in zip(people(given), people(against), strict=True)
        ]
        assert sorted(same) == [False, True]


@pytest.mark.parametrize("subset", ["train", "test"])
def test_bodies_are_those_of_the_subset(subset, monkeypatch):
    asked = []

    def recording(rng, which):
        asked.append(which)
        return sample_body(rng, which)

    monkeypatch.setattr(actions, "sample_body", recording)
    make_poses(ActionClip(subset, 0, 0), 0, MISLEADING)
    assert asked == [subset, subset]
