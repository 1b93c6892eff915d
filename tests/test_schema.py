from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from posemill.schema import Clip, Part, PoseSequence, Skeleton, TimedBox, TimedLabel, Video


def pose(**changes: object) -> PoseSequence:
    """Two frames of three; one person in the first, two in the last."""
    fields: dict[str, object] = {
        "skeleton": "coco-17",
        "xy_px": np.zeros((3, 17, 2), np.float32),
        "score": np.full((3, 17), 0.5, np.float32),
        "frame": np.array([0, 2, 2]),
        "slot": np.array([0, 0, 1]),
        "pts_seconds": np.array([0.0, 0.1, 0.2]),
        "width": 64,
        "height": 48,
        "frames_declared": 3,
    }
    return PoseSequence(**{**fields, **changes})  # type: ignore[arg-type]


def test_frame_ptr_points_at_the_rows_of_each_frame() -> None:
    sequence = pose()
    # Row 0 is of frame 0, no row of frame 1, rows 1 and 2 of frame 2.
    assert sequence.frame_ptr.tolist() == [0, 1, 1, 3]
    assert (sequence.num_frames, sequence.num_rows, sequence.num_keypoints) == (3, 3, 17)


def test_a_video_without_people_is_a_sequence() -> None:
    empty = pose(
        xy_px=np.zeros((0, 17, 2), np.float32),
        score=np.zeros((0, 17), np.float32),
        frame=np.zeros(0, np.int64),
        slot=np.zeros(0, np.int64),
    )
    assert empty.frame_ptr.tolist() == [0, 0, 0, 0]


def test_one_slot_may_be_in_many_frames_in_any_order() -> None:
    assert pose(slot=np.array([1, 1, 0])).num_rows == 3


def not_finite(score: float) -> dict[str, object]:
    xy = np.zeros((3, 17, 2), np.float32)
    xy[1, 4] = np.nan
    scores = np.full((3, 17), 0.5, np.float32)
    scores[1, 4] = score
    return {"xy_px": xy, "score": scores}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"xy_px": np.zeros((3, 16, 2), np.float32)}, r"xy_px must be \(3, 17, 2\)"),
        ({"frame": np.array([0, 2])}, r"frame must be \(3,\)"),
        ({"slot": np.array([0])}, r"slot must be \(3,\)"),
        ({"frame": np.array([2, 0, 2])}, "ordered by frame"),
        ({"frame": np.array([-1, 0, 2])}, "ordered by frame"),
        ({"frame": np.array([0, 2, 3])}, "frame 3 has no time: 3 were decoded"),
        ({"slot": np.array([0, 1, 1])}, "two rows of frame 2 share a slot"),
        ({"score": np.full((3, 17), 1.5, np.float32)}, r"scores must lie in \[0, 1\]"),
        ({"score": np.full((3, 17), np.nan, np.float32)}, r"scores must lie in \[0, 1\]"),
        (not_finite(0.5), "not finite"),
        ({"xyz_m": np.zeros((3, 17, 2), np.float32)}, r"xyz_m must be \(3, 17, 3\)"),
        ({"xyz_m": np.full((3, 17, 3), np.inf, np.float32)}, "3-D position that is not finite"),
        ({"width": 0}, "0 x 48 px"),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pose(**changes)


def test_a_missing_joint_may_hold_anything() -> None:
    assert np.isnan(pose(**not_finite(0.0)).xy_px).any()


@pytest.mark.parametrize(
    ("limbs", "mirror", "message"),
    [
        (((0, 1),), (0, 1, 1), "permutation"),
        (((0, 1),), (1, 2, 0), "twice must change nothing"),
        (((0, 3),), (0, 2, 1), r"limb \(0, 3\)"),
        (((1, 1),), (0, 2, 1), r"limb \(1, 1\)"),
    ],
)
def test_wrong_skeletons_are_refused(
    limbs: tuple[tuple[int, int], ...], mirror: tuple[int, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Skeleton("three", ("nose", "left_hand", "right_hand"), limbs, mirror)


def test_joints_have_names_of_their_own_and_are_in_one_part_at_most() -> None:
    with pytest.raises(ValueError, match="two joints share a name"):
        Skeleton("two", ("nose", "nose"), (), (0, 1))
    for parts in ((Part("head", (0,)), Part("arms", (0, 1))), (Part("head", (2,)),)):
        with pytest.raises(ValueError, match="parts must hold each of 2 joints once at most"):
            Skeleton("two", ("nose", "neck"), ((0, 1),), (0, 1), parts)


@pytest.mark.parametrize(
    "edges",
    [(0.5, 0.0, 0.5, 1.0), (0.0, 0.9, 1.0, 0.1), (-0.1, 0.0, 1.0, 1.0), (0.0, 0.0, 1.1, 1.0)],
)
def test_a_box_has_area_and_lies_in_the_frame(edges: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="a box needs 0 <= left < right <= 1"):
        TimedBox(0.0, *edges)


@pytest.mark.parametrize("seconds", [float("nan"), float("inf")])
def test_a_box_has_a_time(seconds: float) -> None:
    with pytest.raises(ValueError, match="a box needs a time in seconds, got"):
        TimedBox(seconds, 0.0, 0.0, 1.0, 1.0)


def test_videos_and_clips_need_ids_and_spans() -> None:
    with pytest.raises(ValueError, match="id"):
        Video("", "a.mp4", 1, "x")
    with pytest.raises(ValueError, match=r"\[2.0, 2.0\) s is empty"):
        Video("a", "a.mp4", 1, "x", start_seconds=2.0, end_seconds=2.0)
    with pytest.raises(ValueError, match=r"\[3.0, 1.0\) s is empty"):
        Clip("a", "a", start_seconds=3.0, end_seconds=1.0)


def make_video(id_: str) -> Video | Clip:
    return Video(id_, "a.mp4", 1, "identity")


def make_clip(id_: str) -> Video | Clip:
    return Clip(id_, "video")


MAKE = pytest.mark.parametrize("make", [make_video, make_clip])


@MAKE
@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("", "needs an id, got an empty one"),
        *((path, "must be a plain relative path") for path in ("..", "a/../b", "./a", "a/.")),
        *((path, "must be a plain relative path") for path in ("/a", "a/", "a//b", "/")),
        *((f"a{c}b", "has a control character") for c in "\n\r\t\0\x1b\x7f\x85\u2028\ud800"),
        ("a" * 256, "has 256 characters, at most 255 are taken"),
        ("a/" * 150, "has 300 characters, at most 255 are taken"),
    ],
)
def test_ids_that_could_not_stand_in_a_path_or_a_line_are_refused(
    make: Callable[[str], Video | Clip], bad: str, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        make(bad)


@MAKE
@pytest.mark.parametrize(
    "good", ["a", "train/wave left/0001", "a..b", "..a", "ü/動画", "b#0", "a\\b", " a", "a" * 255]
)
def test_ids_that_name_files_are_taken(make: Callable[[str], Video | Clip], good: str) -> None:
    assert make(good).id == good


def test_a_clip_cannot_be_changed_through_its_splits() -> None:
    splits = {"default": "train"}
    clip = Clip("a", "a", labels=(TimedLabel("run"),), splits=splits)
    splits["default"] = "test"
    assert clip.splits == {"default": "train"}
    with pytest.raises(TypeError):
        clip.splits["default"] = "val"  # type: ignore[index]
