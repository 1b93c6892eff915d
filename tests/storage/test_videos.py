from __future__ import annotations

import numpy as np
import pytest

from posemill.schema import Video
from posemill.storage.videos import VideoTable, require_unique

VIDEOS = (
    Video("a", "a.mp4", 10, "x"),
    Video("b", "/other/b.mp4", 20, "y", 3.5, start_seconds=1.0, end_seconds=2.0),
    Video("c", "c.mp4", 30, "z", 4.5),
)


def test_is_a_sequence_of_the_videos() -> None:
    table = VideoTable.of(VIDEOS)
    assert VideoTable.of(table) is table
    assert tuple(table) == VIDEOS
    assert (table[0], table[-1]) == (VIDEOS[0], VIDEOS[-1])
    assert tuple(table[::-1]) == VIDEOS[::-1]
    assert tuple(table[1:]) == VIDEOS[1:]
    with pytest.raises(IndexError):
        table[3]


def test_is_equal_by_content() -> None:
    assert VideoTable.of(VIDEOS) == VideoTable.of(VIDEOS[:1] + VIDEOS[1:])
    assert VideoTable.of(VIDEOS) != VideoTable.of(VIDEOS[:2])
    assert VideoTable.of(VIDEOS) != VIDEOS


def test_columns_are_those_of_the_videos() -> None:
    table = VideoTable.of(VIDEOS)
    assert table.ids() == ["a", "b", "c"]
    assert table.uris() == ["a.mp4", "/other/b.mp4", "c.mp4"]
    assert table.identities() == ["x", "y", "z"]
    np.testing.assert_array_equal(table.num_bytes(), [10, 20, 30])
    np.testing.assert_array_equal(table.duration_seconds(), [np.nan, 3.5, 4.5])
    np.testing.assert_array_equal(table.start_seconds(), [0.0, 1.0, 0.0])
    np.testing.assert_array_equal(table.end_seconds(), [np.nan, 2.0, np.nan])


def test_no_video_has_columns_too() -> None:
    table = VideoTable.of(())
    assert (len(table), table.ids(), tuple(table)) == (0, [], ())
    assert table.duration_seconds().shape == table.num_bytes().shape == (0,)


def test_some_are_taken_by_place_or_mask() -> None:
    table = VideoTable.of(VIDEOS)
    assert tuple(table.take(np.array([2, 0]))) == (VIDEOS[2], VIDEOS[0])
    assert tuple(table.take(np.array([True, False, True]))) == (VIDEOS[0], VIDEOS[2])


def test_they_may_be_found_elsewhere() -> None:
    moved = VideoTable.of(VIDEOS).with_uris(["1", "2", "3"])
    assert moved.uris() == ["1", "2", "3"]
    assert moved.ids() == ["a", "b", "c"]


def test_names_given_twice_are_told_once() -> None:
    require_unique("class", ["a", "b"])
    with pytest.raises(
        ValueError, match=r"each class may be there once; given twice: \['b', 'a'\]"
    ):
        require_unique("class", ["b", "a", "a", "b", "c", "b"])
