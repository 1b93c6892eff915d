"""What is held out of the training clips."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posemill.errors import InputError
from posemill.pipelines.training.hold_out import split_off


def test_of_each_class_a_share_of_the_videos() -> None:
    videos = [f"v{number}" for number in range(20)]
    classes = [0] * 12 + [1] * 8
    trained, held = split_off(videos, classes, 0.25, seed=0)
    assert Counter(classes[n] for n in held) == {0: 3, 1: 2}
    assert Counter(classes[n] for n in trained) == {0: 9, 1: 6}
    again = split_off(videos, classes, 0.25, seed=0)
    np.testing.assert_array_equal(held, again[1])
    others = {tuple(split_off(videos, classes, 0.25, seed=seed)[1]) for seed in range(8)}
    assert len(others) > 4


def test_videos_are_drawn_not_clips() -> None:
    videos = ["long"] * 6 + ["a", "b", "c"]
    for seed in range(10):
        _, held = split_off(videos, [0] * 9, 0.5, seed)
        assert len({videos[n] for n in held}) == 2  # half of four
        assert ("long" in {videos[n] for n in held}) == (len(held) == 7)


def test_a_class_of_one_video_is_trained_on() -> None:
    trained, held = split_off(["a", "b", "c"], [0, 1, 1], 0.9, seed=0)
    assert 0 in trained
    assert len(held) == 1


def test_a_share_of_zero_holds_nothing_out() -> None:
    trained, held = split_off(["a", "b"], [0, 1], 0.0, seed=0)
    assert (trained.tolist(), held.tolist()) == ([0, 1], [])


def test_small_classes_share_what_is_held_out() -> None:
    # A tenth of 12 videos is 1.2, so one; of 5 and of 7 it is .5 and .7: the greater remainder's.
    videos = [f"v{number:02}" for number in range(12)]
    classes = [0] * 5 + [1] * 7
    _, held = split_off(videos, classes, 0.1, seed=0)
    assert [classes[n] for n in held] == [1]
    _, held = split_off(["a", "b", "c", "d"], [0, 0, 1, 1], 0.1, seed=0)
    assert len(held) == 1


def test_classes_of_one_video_are_refused() -> None:
    with pytest.raises(InputError, match=r"each of the 2 classes has one video.*hold_out=0"):
        split_off(["a", "b"], [0, 1], 0.5, seed=0)


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), min_size=1, max_size=40),
    st.floats(0.05, 0.9),
    st.integers(0, 5),
)
def test_no_video_is_on_both_sides(clips: list[tuple[int, int]], share: float, seed: int) -> None:
    videos = [f"v{video}" for video, _ in clips]
    classes = [label for _, label in clips]
    class_of: dict[str, int] = {}  # that of the first clip
    for video, label in zip(videos, classes, strict=True):
        class_of.setdefault(video, label)
    sizes = Counter(class_of.values())
    if all(size == 1 for size in sizes.values()):
        with pytest.raises(InputError, match="no video can be held out"):
            split_off(videos, classes, share, seed)
        return
    trained, held = split_off(videos, classes, share, seed)
    assert sorted([*trained, *held]) == list(range(len(clips)))
    assert trained.tolist() == sorted(trained)
    assert held.tolist() == sorted(held)
    held_videos = {videos[n] for n in held}
    assert not {videos[n] for n in trained} & held_videos
    found = Counter(class_of[video] for video in held_videos)
    for label, size in sizes.items():
        assert found[label] <= size - 1
        assert found[label] == size - 1 or abs(found[label] - share * size) < 1 + 1e-9
    assert 1 <= len(held_videos) <= max(round(share * len(class_of)), 1)
