import numpy as np
import pytest
from dense_maps import made_pose

from posemill.schema import PoseSequence
from posemill.transforms.clips import clip_poses, gather_frames


def ragged() -> PoseSequence:
    """Frames at 0, 1, 2, 3 s with 1, 0, 2, 1 people; x of a row is its number."""
    xy = np.repeat(np.arange(4, dtype=np.float32), 34).reshape(4, 17, 2)
    return PoseSequence(
        skeleton="coco-17",
        xy_px=xy,
        score=np.ones((4, 17), np.float32),
        frame=np.array([0, 2, 2, 3]),
        slot=np.array([0, 0, 1, 1]),
        pts_seconds=np.array([0.0, 1.0, 2.0, 3.0]),
        width=64,
        height=48,
        frames_declared=9,
    )


def test_a_span_is_half_open_and_frames_are_numbered_anew() -> None:
    clip = clip_poses(ragged(), 1.0, 3.0)
    assert clip.pts_seconds.tolist() == [1.0, 2.0]
    assert clip.frame.tolist() == [1, 1]
    assert clip.xy_px[:, 0, 0].tolist() == [1.0, 2.0]
    assert clip.slot.tolist() == [0, 1]
    assert clip.frame_ptr.tolist() == [0, 0, 2]


def test_an_open_end_reaches_the_last_frame() -> None:
    assert clip_poses(ragged(), 2.5).frame.tolist() == [0]


def test_the_whole_video_is_itself() -> None:
    pose = ragged()
    assert clip_poses(pose) is pose
    assert clip_poses(pose, 0.0, 100.0) is pose


def test_a_span_without_frames_is_empty() -> None:
    clip = clip_poses(ragged(), 10.0, 11.0)
    assert (clip.num_frames, clip.num_rows, clip.num_keypoints) == (0, 0, 17)


def test_times_out_of_order_are_taken_by_time() -> None:
    pose = made_pose(3, 1)
    shuffled = PoseSequence(
        "coco-17", pose.xy_px, pose.score, pose.frame, pose.slot,
        np.array([2.0, 0.0, 1.0]), 320, 240, 3,
    )  # fmt: skip
    clip = clip_poses(shuffled, 0.5, 3.0)
    assert clip.pts_seconds.tolist() == [2.0, 1.0]
    assert np.array_equal(clip.xy_px, pose.xy_px[[0, 2]])


def test_an_empty_span_is_refused() -> None:
    with pytest.raises(ValueError, match=r"the span \[2.0, 2.0\) s is empty"):
        clip_poses(ragged(), 2.0, 2.0)


def test_frames_are_gathered_in_any_order_and_repeatedly() -> None:
    rows, ptr = gather_frames(ragged().frame_ptr, np.array([2, 1, 2, 0]))
    assert rows.tolist() == [1, 2, 1, 2, 0]
    assert ptr.tolist() == [0, 2, 2, 4, 5]


def test_no_frames_gather_no_rows() -> None:
    rows, ptr = gather_frames(ragged().frame_ptr, np.array([], np.int64))
    assert (rows.tolist(), ptr.tolist()) == ([], [0])
