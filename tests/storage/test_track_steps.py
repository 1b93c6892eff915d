from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posemill.schema import PoseSequence
from posemill.storage import track_steps
from posemill.storage.fixed_point import UInt16, dequantise, quantise
from posemill.storage.track_steps import decode_steps, track_order, write_steps

MakePoses = Callable[..., PoseSequence]


def _one_joint(
    xy_px: list[tuple[float, float]], score: list[float], frame: list[int], slot: list[int]
) -> PoseSequence:
    return PoseSequence(
        skeleton="",
        xy_px=np.array(xy_px, np.float32)[:, None],
        score=np.array(score, np.float32)[:, None],
        frame=np.array(frame),
        slot=np.array(slot),
        pts_seconds=np.arange(max(frame) + 1) / 25,
        width=320,
        height=240,
        frames_declared=1,
    )


def steps_of(pose: PoseSequence) -> UInt16:
    steps = np.full((*pose.score.shape, 3), 7, np.uint16)
    write_steps(pose, track_order(pose), steps)
    return steps


def test_the_numbers_are_those_of_the_format() -> None:
    # Two tracks; 1 px is 16, zero is 4096, score 0.2 is 51, and no change is 128.
    pose = _one_joint(
        [(1, 0), (2, 0), (2, 1), (9, 9), (1, 1)],
        [0.2, 0.2, 0.4, 0.0, 0.2],
        frame=[0, 0, 1, 1, 2],
        slot=[0, 3, 0, 3, 3],
    )
    order = track_order(pose)
    assert order.tolist() == [0, 2, 1, 3, 4]
    assert steps_of(pose)[:, 0].tolist() == [
        [4112 + 128, 4096 + 128, 51 + 128],
        [16 + 128, 16 + 128, 51 + 128],
        [128, 128 - 16, 128 - 51],  # the next track goes on from the one before
        [128, 128, 128 - 51],  # not detected: the coordinates stay
        [128 - 16, 128 + 16, 51 + 128],
    ]


@given(
    num_rows=st.integers(0, 40),
    num_keypoints=st.integers(1, 5),
    step=st.sampled_from([1 / 16, 1 / 4]),
    seed=st.integers(0, 2**32),
)
def test_any_numbers_are_decoded_as_by_a_running_sum(
    num_rows: int, num_keypoints: int, step: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    steps = rng.integers(0, 65536, (num_rows, num_keypoints, 3)).astype(np.uint16)
    steps[rng.random((num_rows, num_keypoints)) < 0.5, 2] = 128
    places = rng.permutation(num_rows)
    xy_px, score = decode_steps(steps, places, step, 4096)
    triplets = np.cumsum(steps - np.uint16(128), axis=0, dtype=np.uint16)
    expected_xy, expected_score = dequantise(triplets, step, 4096)
    assert xy_px[places].tobytes() == expected_xy.tobytes()
    assert score[places].tobytes() == expected_score.tobytes()


@pytest.mark.parametrize("rows_at_once", [1, 3, 8192])
def test_all_of_the_triplets_come_back(
    make_poses: MakePoses, monkeypatch: pytest.MonkeyPatch, rows_at_once: int
) -> None:
    monkeypatch.setattr(track_steps, "_ROWS_AT_ONCE", rows_at_once)
    pose = make_poses(7, 3, seed=4)
    order = track_order(pose)
    triplets = np.cumsum(steps_of(pose) - np.uint16(128), axis=0, dtype=np.uint16)
    triplets[triplets[..., 2] == 0] = 0
    assert np.array_equal(triplets, quantise(pose.xy_px[order], pose.score[order], 1 / 16))


def test_a_missing_joint_stays_where_it_was_across_blocks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A joint lost for longer than a block costs no step in any of its rows."""
    monkeypatch.setattr(track_steps, "_ROWS_AT_ONCE", 2)
    pose = _one_joint([(5, 6)] * 8, [0.4] + [0.0] * 6 + [0.4], list(range(8)), [0] * 8)
    steps = steps_of(pose)
    assert (steps[1:, 0, :2] == 128).all()
    later = replace(pose, xy_px=pose.xy_px + np.float32(1))
    assert np.array_equal(steps_of(later)[1:], steps[1:])
