"""Penn Action: its .mat files, with their traps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dataset_files import absent, index, labels, put_files, put_videos, splits
from hypothesis import given, settings
from hypothesis import strategies as st
from mat_joints import penn_fields, write_mat
from parser_fuzz import read_or_refused

from posemill.errors import InputError
from posemill.schema import TimedBox

# In pixels from 1: the whole frame of 481 x 272, a part, one beyond the frame, none.
BOXES = np.array([[1, 1, 481, 272], [51, 11, 101, 61], [-9, 1, 101, 400], [0, 0, 0, 0]], float)


def put_mat(root: Path, name: str, **changes: Any) -> Path:
    return write_mat(root / "labels" / name, penn_fields(**changes))


def test_a_clip_for_each_file_with_the_boxes_of_its_frames(tmp_path: Path) -> None:
    put_mat(tmp_path, "0001.mat", bbox=BOXES)
    put_mat(tmp_path, "0002.mat", action="squats", train=-1.0, bbox=BOXES[:2])
    videos = put_videos(tmp_path / "videos", "frames/0002.mkv")
    indexed = index("penn-action", tmp_path, videos=videos, fps="10")
    catalog = indexed.catalog
    assert labels(catalog) == {"0001": ["tennis_serve"], "0002": ["squats"]}
    assert splits(catalog) == {"0001": {"default": "train"}, "0002": {"default": "test"}}
    assert catalog.classes == ("squats", "tennis_serve")
    assert absent(catalog) == ["0001"]
    first, second = (clip.boxes for clip in catalog.clips)
    assert first == (
        TimedBox(0.0, 0.5 / 481, 0.5 / 272, 480.5 / 481, 271.5 / 272),
        TimedBox(0.1, 50.5 / 481, 10.5 / 272, 100.5 / 481, 60.5 / 272),
        TimedBox(0.2, 0, 0.5 / 272, 100.5 / 481, 1),
    )
    assert second == first[:2]
    assert indexed.left_out == {
        "parts of boxes beyond the frame": 1,
        "boxes without an area in the frame": 1,
    }
    assert index("penn-action", tmp_path / "labels", videos=videos, fps="10") == indexed


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"action": None}, "has no action"),
        ({"action": " "}, "expected an action, and train 1, 0 or -1, got '' and"),
        ({"action": 7.0}, "action is of another class"),
        ({"train": 2.0}, "expected an action, and train 1, 0 or -1, got 'tennis_serve' and"),
        ({"train": np.ones((1, 2))}, "expected one number as train"),
        ({"bbox": np.ones((4, 3))}, r"expected bbox of 4 finite numbers a frame, .*\(4, 3\)"),
        ({"bbox": np.full((4, 4), np.nan)}, "expected bbox of 4 finite numbers"),
        ({"bbox": np.ones((5, 4))}, "a box a frame at most, got 5 boxes of 4 frames"),
        ({"nframes": np.nan}, "a box a frame at most, got 4 boxes of nan frames"),
        ({"dimensions": np.array([[0.0, 481, 4]])}, "expected height, width and number"),
        ({"dimensions": np.array([[272.0, 481]])}, "expected height, width and number"),
    ],
)
def test_a_file_that_cannot_be_is_named(
    tmp_path: Path, changes: dict[str, Any], fault: str
) -> None:
    put_mat(tmp_path, "0001.mat")
    put_mat(tmp_path, "0002.mat", **changes)
    with pytest.raises(InputError, match=rf"labels/0002.mat.*: .*{fault}"):
        index("penn-action", tmp_path, videos=tmp_path)


@settings(max_examples=50)
@given(
    changes=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=4),
    cut=st.none() | st.integers(0, 4000),
)
def test_any_bytes_are_a_catalog_or_refused(
    changes: list[tuple[int, int]], cut: int | None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.getbasetemp() / "any_penn"
    fields = penn_fields(bbox=BOXES, x=None, y=None, visibility=None)
    data = bytearray(write_mat(root / "0001.mat", fields, packed=False).read_bytes())
    for at, value in changes:
        data[at % len(data)] = value
    put_files(root, {"0001.mat": bytes(data[:cut])})
    read_or_refused("penn-action", root, root)
