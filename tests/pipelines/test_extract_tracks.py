"""Tracks as a store holds them: ranked, the first of them kept, and told in its configuration."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from chain import extract_config, ignore

from posemill.errors import ConfigurationMismatch
from posemill.models.estimators.base import FrameResult, Persons
from posemill.pipelines.estimate.clip_poses import ClipPoses
from posemill.pipelines.extract import extract, plan_extract
from posemill.pipelines.pose_settings import stored_tracks
from posemill.schema import Video
from posemill.storage.poses import PoseStore
from posemill.storage.video import Completeness
from posemill.transforms.track_ranking import ranked, track_weights
from posemill.transforms.tracking import TrackSettings

ONE = TrackSettings(max_persons=1)


def test_the_tracks_of_a_store_are_ranked(poses: Path) -> None:
    store = PoseStore.open(poses)
    several = 0
    for video_id in store.entries():
        pose = store.read(video_id)
        slots = np.unique(pose.slot)
        assert slots.tolist() == list(range(len(slots)))
        assert (np.diff(track_weights(pose)) <= 0).all()
        several += len(slots) > 1
    assert several


@pytest.fixture(scope="module")
def single(catalog: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store of which only the first person of each video was kept."""
    out = tmp_path_factory.mktemp("single") / "poses.zarr"
    extract(replace(extract_config(catalog, out), tracks=ONE), ignore)
    return out


def test_only_the_first_persons_are_kept(single: Path, poses: Path) -> None:
    kept, whole = PoseStore.open(single), PoseStore.open(poses)
    for video_id in whole.entries():
        expected, pose = ranked(whole.read(video_id), 1), kept.read(video_id)
        assert pose.num_frames == expected.num_frames
        for name in ("xy_px", "score", "frame", "slot"):
            np.testing.assert_array_equal(getattr(pose, name), getattr(expected, name))


def test_how_people_are_tracked_is_part_of_the_configuration(single: Path, catalog: Path) -> None:
    assert stored_tracks(PoseStore.open(single).configuration) == ONE
    for tracks in (TrackSettings(), TrackSettings(by="box", max_persons=1)):
        with pytest.raises(ConfigurationMismatch, match="tracks"):
            plan_extract(replace(extract_config(catalog, single), tracks=tracks))
    assert not plan_extract(replace(extract_config(catalog, single), tracks=ONE)).plan.pending


class _Ended:
    """What a clip of two frames tells at its end."""

    identity = ""

    class facts:  # noqa: N801
        width, height, frame_size = 100, 100, (100, 100)
        completeness, frames_read, message = Completeness.COMPLETE, 2, ""
        pts_source = "container"

        class header:  # noqa: N801
            frames_declared = 2


class _Clip:
    ended = _Ended


class _Frame:
    pts_seconds = 0.0


def test_those_that_an_estimator_tracks_itself_are_ranked_too() -> None:
    poses = ClipPoses(Video("v", "v.mp4", 1, ""), "coco-17", TrackSettings(max_persons=2), None)
    side = np.float32([10, 40, 20])  # of equal score and duration, so the sides decide
    shape = np.tile(np.float32([[0, 0], [1, 1]]), (9, 1))[:17]
    people = Persons(shape * side[:, None, None], np.ones((3, 17), np.float32), np.array([5, 8, 6]))
    for _ in range(2):
        poses.saw(_Frame())  # type: ignore[arg-type]
        poses.add(FrameResult(people))
    pose = poses.record(_Clip()).poses  # type: ignore[arg-type]
    assert pose is not None
    assert pose.slot.tolist() == [0, 1, 0, 1]
    assert np.ptp(pose.xy_px[:, :, 0], axis=1).tolist() == [40, 20, 40, 20]
