"""Kinetics: its CSV files, with their traps."""

from __future__ import annotations

from pathlib import Path

import pytest
from dataset_files import absent, index, labels, put_files, put_videos, splits

from posemill.errors import InputError

TRAIN = (
    "label,youtube_id,time_start,time_end,split,is_cc\n"
    "testifying,---QUuC4vJs,84,94,train,0\n"
    '"eating, messily",-_x_-0000_1,2,12,train,1\n'
)
VALIDATE = "label,youtube_id,time_start,time_end,split\napplauding,b,0,10,validate\n"
TEST = "youtube_id,time_start,time_end,split\nc,7,17,test\n"


def test_clips_of_all_three_files_and_what_is_missing(tmp_path: Path) -> None:
    notes = put_files(
        tmp_path / "notes", {"train.csv": TRAIN, "validate.csv": VALIDATE, "test.csv": TEST}
    )
    videos = put_videos(
        tmp_path / "videos",
        "train/testifying/---QUuC4vJs_000084_000094.mp4",
        "b_000000_000010.mkv",
        "c_000007_000018.mp4",
    )
    catalog = index("kinetics", notes, videos=videos).catalog
    assert labels(catalog) == {
        "c_000007_000017": [],
        "---QUuC4vJs_000084_000094": ["testifying"],
        "-_x_-0000_1_000002_000012": ["eating, messily"],
        "b_000000_000010": ["applauding"],
    }
    assert splits(catalog) == {
        "---QUuC4vJs_000084_000094": {"default": "train"},
        "-_x_-0000_1_000002_000012": {"default": "train"},
        "b_000000_000010": {"default": "val"},
        "c_000007_000017": {"default": "test"},
    }
    assert catalog.classes == ("applauding", "eating, messily", "testifying")
    assert absent(catalog) == ["c_000007_000017", "-_x_-0000_1_000002_000012"]
    assert {video.id: video.uri for video in catalog.videos} == {
        "---QUuC4vJs_000084_000094": "train/testifying/---QUuC4vJs_000084_000094.mp4",
        "b_000000_000010": "b_000000_000010.mkv",
        "c_000007_000017": "test/c_000007_000017.mp4",
        "-_x_-0000_1_000002_000012": "train/eating, messily/-_x_-0000_1_000002_000012.mp4",
    }


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("a,x,84,94", "has 4 values; expected 5"),
        ("a,x,84,nan,train", "expected a number as time_end, got 'nan'"),
        ("a,x,94,84,train", r"span is \[94, 84\) s"),
        ("a,../x,84,94,train", r"must be a plain relative path.* got '\.\./x_000084_000094'"),
        ("../../x,y,84,94,train", r"must be a plain relative path.*got 'train/\.\./\.\./x/y_"),
        ("a,x,84,94,all", "the split is 'all', expected one of train, val"),
        ("a,---QUuC4vJs,84,94,train", "is in .*train.csv, line 2, too"),
    ],
)
def test_a_line_that_cannot_be_is_named(tmp_path: Path, line: str, fault: str) -> None:
    head = "label,youtube_id,time_start,time_end,split\r\na,---QUuC4vJs,84,94,train\r\n"
    file = put_files(tmp_path, {"train.csv": head + line}) / "train.csv"
    with pytest.raises(InputError, match=rf"train.csv, line 3: .*{fault}"):
        index("kinetics", file, videos=tmp_path)


def test_a_video_whose_place_would_be_taken_for_another_is_named(tmp_path: Path) -> None:
    head = "label,youtube_id,time_start,time_end,split\n"
    file = put_files(tmp_path, {"train.csv": f"{head}a.tar#b,y,84,94,train\n"}) / "train.csv"
    with pytest.raises(InputError, match=r"a\.tar#b/y_000084_000094\.mp4'.* in a tar file\. Ren"):
        index("kinetics", file, videos=tmp_path)
