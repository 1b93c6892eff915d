"""Made-up clips of moving people, as an estimator would report them, in any number.

The motion is that of the fixtures (posemill.fixtures), seen from a random side
at 640 x 360 px, plus a hand-held camera's random walk (0.3 px a frame). What an
estimator adds: a jitter of 1/300 of the body's height in every frame, a
constant error of 1/100 of it a joint, scores that wander, and joints that are
lost for up to 15 frames (8% in all). 19% of the clips show nobody.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from posemill.fixtures.actions import ACTIONS, walk
from posemill.fixtures.body import sample_body
from posemill.fixtures.kinematics import Float64, coco_joints, pose_body
from posemill.schema import PoseSequence, VideoStatus
from posemill.storage.poses import VideoRecord

WIDTH, HEIGHT = 640, 360
SHARE_WITHOUT_PEOPLE = 0.19
PEOPLE, PEOPLE_SHARES = (1, 2, 3, 4, 6, 10), (0.15, 0.2, 0.2, 0.15, 0.2, 0.1)
METRES_HIGH = 1.7


def clips(number: int, seed: int = 0) -> Iterator[PoseSequence]:
    """Clips of 150 to 300 frames; the same for the same seed."""
    rng = np.random.default_rng(seed)
    for _ in range(number):
        num_frames = int(rng.integers(150, 301))
        nobody = rng.random() < SHARE_WITHOUT_PEOPLE
        yield clip(rng, num_frames, 0 if nobody else int(rng.choice(PEOPLE, p=PEOPLE_SHARES)))


def clip(
    rng: np.random.Generator, num_frames: int, num_people: int, *, stays: float = 0.7
) -> PoseSequence:
    """One clip; a person is there from its start, and to its end, with the chance `stays`."""
    people = [_person(rng, num_frames, slot, stays) for slot in range(num_people)]
    xy_px, score, frame, slot = (
        np.concatenate([np.zeros((0, *shape)), *(person[part] for person in people)])
        for part, shape in enumerate(((17, 2), (17,), (), ()))
    )
    order = np.lexsort((slot, frame))
    return PoseSequence(
        skeleton="coco-17",
        xy_px=xy_px[order].astype(np.float32),
        score=score[order].astype(np.float32),
        frame=frame[order].astype(np.int64),
        slot=slot[order].astype(np.int64),
        pts_seconds=np.arange(num_frames) / 25,
        width=WIDTH,
        height=HEIGHT,
        frames_declared=num_frames,
    )


def record(video_id: str, poses: PoseSequence) -> VideoRecord:
    """A clip as it is written."""
    status = VideoStatus.OK if poses.num_rows else VideoStatus.EMPTY
    return VideoRecord(video_id, status, "", "", "", poses, poses.num_frames, poses.num_frames)


def _person(
    rng: np.random.Generator, num_frames: int, slot: int, stays: float
) -> tuple[Float64, Float64, Float64, Float64]:
    """Joints (T, 17, 2), scores (T, 17), frames (T,) and slots (T,) of one track."""
    start = 0 if rng.random() < stays else int(rng.integers(0, num_frames // 2))
    stop = num_frames if rng.random() < stays else int(rng.integers(start + 20, num_frames + 1))
    length = stop - start
    xy_px, height = _seen(rng, length)
    camera = np.cumsum(rng.normal(0, 0.3, (length, 1, 2)), axis=0)
    jitter = rng.normal(0, height / 300, xy_px.shape) + rng.normal(0, height / 100, (17, 2))
    where = rng.uniform([40, 150], [WIDTH - 40, HEIGHT - 20])
    frame = np.arange(start, stop, dtype=np.float64)
    return xy_px + where + camera + jitter, _scores(rng, length), frame, np.full(length, 1.0 * slot)


def _seen(rng: np.random.Generator, num_frames: int) -> tuple[Float64, float]:
    """A performance from a random side (T, 17, 2), and the body's height, in px."""
    action = list(ACTIONS.values())[rng.integers(len(ACTIONS))]
    body = sample_body(rng, "train")
    acts = rng.random() < 0.7
    track = action.track(rng, num_frames) if acts else walk(rng, num_frames)
    x, y, z = np.moveaxis(coco_joints(pose_body(track, body), body), -1, 0)
    side, px_per_metre = rng.uniform(0, 2 * np.pi), rng.uniform(60, 260) / METRES_HIGH
    across = x * np.cos(side) + z * np.sin(side)
    away = z * np.cos(side) - x * np.sin(side)
    nearness = px_per_metre / (1 + away / 6)  # a camera at 6 m
    return np.stack([across * nearness, -y * nearness], axis=-1), px_per_metre * METRES_HIGH


def _scores(rng: np.random.Generator, num_frames: int) -> Float64:
    shape = (num_frames, 17)
    wander = np.cumsum(rng.normal(0, 0.01, shape), axis=0) + rng.normal(0, 0.03, shape)
    score = np.clip(rng.uniform(0.4, 0.95, 17) + wander, 0, 1)
    for _ in range(num_frames * 17 // 100):
        first, joint = rng.integers(num_frames), rng.integers(17)
        score[first : first + rng.integers(1, 16), joint] = 0
    return score
