import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posemill.schema import PoseSequence, TimedBox
from posemill.transforms.people import (
    boxed_track,
    keep_rows,
    padded_people,
    split_people,
    track_order,
)

K = 3


def people_of(
    frame: list[int], slot: list[int], score: list[float], at: list[float] | None = None
) -> PoseSequence:
    """Four frames of 100 x 50 px, a second apart; a person's joints lie around (at, 20)."""
    num_rows = len(frame)
    where = np.array(at if at is not None else [10.0 * s for s in slot])
    offsets = np.array([[-4.0, -5.0], [4.0, 0.0], [0.0, 5.0]])
    xy = np.stack([where, np.full(num_rows, 20.0)], axis=1)[:, None] + offsets
    return PoseSequence(
        skeleton="three",
        xy_px=xy.reshape(num_rows, K, 2).astype(np.float32),
        score=np.repeat(np.array(score, np.float32)[:, None], K, axis=1).reshape(num_rows, K),
        frame=np.array(frame, np.int64),
        slot=np.array(slot, np.int64),
        pts_seconds=np.arange(4.0),
        width=100,
        height=50,
        frames_declared=4,
        xyz_m=np.arange(num_rows * K * 3, dtype=np.float32).reshape(num_rows, K, 3),
    )


# Track 5 is faint but there all along, 2 clear and short, 7 in between.
CROWD = people_of(
    frame=[0, 0, 1, 1, 2, 2, 3],
    slot=[5, 2, 5, 7, 5, 7, 5],
    score=[0.25, 0.75, 0.25, 0.5, 0.25, 0.5, 0.25],
)


def test_tracks_come_by_their_sum_of_scores_over_the_clip() -> None:
    # 3 joints each: 5 has 4 * .25 = 1, 2 has .75, 7 has 2 * .5 = 1; equal sums by slot.
    assert track_order(CROWD).tolist() == [5, 7, 2]


def test_nobody_has_no_tracks() -> None:
    assert track_order(people_of([], [], [])).tolist() == []


def test_everybody_together_is_the_sequence_itself() -> None:
    assert split_people(CROWD, "all", 2) == (CROWD,)


def test_each_of_the_first_tracks_apart() -> None:
    first, second, third, fourth = split_people(CROWD, "each", 4)
    assert [part.slot.tolist() for part in (first, second, third)] == [[5] * 4, [7, 7], [2]]
    assert second.frame.tolist() == [1, 2]
    assert second.xyz_m is not None
    assert CROWD.xyz_m is not None
    assert np.array_equal(second.xyz_m, CROWD.xyz_m[[3, 5]])
    assert fourth.num_rows == 0
    assert all(part.num_frames == 4 for part in (first, second, third, fourth))


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), unique=True), st.integers(1, 6))
def test_apart_and_boxed_people_are_all_people_once(
    rows: list[tuple[int, int]], max_people: int
) -> None:
    rows.sort()
    pose = people_of([f for f, _ in rows], [s for _, s in rows], [0.5] * len(rows))
    parts = split_people(pose, "each", max_people)
    assert len(parts) == max_people
    kept = {(f, s) for part in parts for f, s in zip(part.frame, part.slot, strict=True)}
    chosen = set(track_order(pose)[:max_people].tolist())
    assert kept == {row for row in rows if row[1] in chosen}
    target, others = split_people(pose, "box", 1, [TimedBox(1.0, 0.06, 0.3, 0.14, 0.5)])
    assert target.num_rows + others.num_rows == len(rows)
    assert len(set(target.slot.tolist())) <= 1


def test_the_boxed_track_is_the_one_that_overlaps_at_the_boxs_time() -> None:
    # At 1 s: 5 at x = 50 and 7 at x = 70; at 0 s: 5 at 50 and 2 at 20.
    around_70 = TimedBox(1.2, 0.60, 0.2, 0.80, 0.6)
    around_20 = TimedBox(0.0, 0.10, 0.2, 0.30, 0.6)
    assert boxed_track(CROWD, [around_70]) == 7
    assert boxed_track(CROWD, [around_20]) == 2
    # In the corner, with nobody in it.
    assert boxed_track(CROWD, [TimedBox(1.0, 0.0, 0.0, 0.05, 0.1)]) == -1
    assert boxed_track(CROWD, []) == -1


def test_several_boxes_add_up() -> None:
    # Two people swap places between 0 and 1 s; the box stays with the one at 60 then 30.
    pose = people_of([0, 0, 1, 1], [0, 1, 0, 1], [1.0] * 4, at=[30.0, 60.0, 60.0, 30.0])
    at_30, at_60 = (TimedBox(0.0, x, 0.2, x + 0.2, 0.6) for x in (0.2, 0.5))
    later_30 = TimedBox(1.0, 0.2, 0.2, 0.4, 0.6)
    assert boxed_track(pose, [at_60]) == 1
    assert boxed_track(pose, [at_30]) == 0
    assert boxed_track(pose, [at_60, later_30]) == 1


def test_a_box_overlaps_by_intersection_over_union() -> None:
    # Both touch the box; the joints of 0 fill it, those of 1 only reach into it. Box in px:
    # x 25.5 to 34.5 and y 14.5 to 25.5; joints of 0: x 26 to 34, y 15 to 25.
    pose = people_of([0, 0], [0, 1], [1.0, 1.0], at=[30.0, 36.0])
    assert boxed_track(pose, [TimedBox(0.0, 0.26, 0.3, 0.35, 0.52)]) == 0


def test_missing_joints_do_not_widen_a_person() -> None:
    pose = people_of([0, 0], [0, 1], [1.0, 1.0], at=[30.0, 60.0])
    xy, score = pose.xy_px.copy(), pose.score.copy()
    xy[1, 0], score[1, 0] = (20.0, 15.0), 0.0  # would make the second overlap the first's box
    moved = keep_rows(pose, np.array([False, True]))
    assert moved.slot.tolist() == [1]
    box = [TimedBox(0.0, 0.2, 0.2, 0.4, 0.6)]
    assert boxed_track(moved, box) == -1


def test_padded_people_in_the_order_of_their_tracks() -> None:
    people = padded_people(CROWD, np.array([2, 0, 2]), 2)
    assert people.xy_px.shape == (3, 2, K, 2)
    # Frame 2 has 5 (row 4) and 7 (row 5); frame 0 has 5 (row 0), and 7 is absent.
    assert np.array_equal(people.xy_px[0], CROWD.xy_px[[4, 5]])
    assert np.array_equal(people.xy_px[2], people.xy_px[0])
    assert np.array_equal(people.score[1, 0], CROWD.score[0])
    assert not people.score[1, 1].any()
    assert not people.xy_px[1, 1].any()
    assert people.xyz_m is not None
    assert people.xyz_m.shape == (3, 2, K, 3)


def test_fewer_people_than_places_leave_zeros() -> None:
    people = padded_people(people_of([], [], []), np.array([0, 3]), 4)
    assert people.score.shape == (2, 4, K)
    assert not people.score.any()


@pytest.mark.parametrize(("people", "most"), [("some", 2), ("each", 0), ("all", -1)])
def test_what_cannot_be_is_refused(people: str, most: int) -> None:
    with pytest.raises(ValueError, match=r"people must be|max_people must be 1 or more"):
        split_people(CROWD, people, most)  # type: ignore[arg-type]


def test_padding_for_nobody_is_refused() -> None:
    with pytest.raises(ValueError, match="max_people must be 1 or more, got 0"):
        padded_people(CROWD, np.array([0]), 0)
