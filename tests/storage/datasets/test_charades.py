"""Charades: its three files, with their traps."""

from __future__ import annotations

from pathlib import Path

import pytest
from dataset_files import absent, index, labels, put_files, put_videos, splits
from hypothesis import given, settings
from hypothesis import strategies as st
from parser_fuzz import changed, read_or_refused

from posemill.errors import InputError

HEAD = "id,subject,scene,quality,relevance,verified,script,objects,descriptions,actions,length\n"
TRAIN = HEAD + (
    '46GP8,HR43,Kitchen,6,7,Yes,"A person cooks, then\nlooks out.",food;stove,"x; y",'
    "c002 11.90 21.20;c001 0.00 12.60;c001 0.00 12.60;c000 0.00 12.60,24.83\n"
    "N11GT,0KZ7,Stairs,5,7,Yes,s,,d,c000 10.00 45.00;c001 7.50 7.50;c002 40.00 50.00,31.50\n"
)
TEST = HEAD + "YSKX3,N4KQ,Den,,,No,,,,,30.00\n"
CLASSES = "c002 Opening a door\nc000 Holding some clothes\nc001 Putting clothes somewhere\n"
FILES = {
    "Charades_v1_train.csv": TRAIN,
    "Charades_v1_test.csv": TEST,
    "Charades_v1_classes.txt": CLASSES,
    "Charades_v1_objectclasses.txt": "o000 None\n",
    "license.txt": "",
}
HOLD, PUT, OPEN = "Holding some clothes", "Putting clothes somewhere", "Opening a door"


def test_a_clip_for_each_video_with_all_of_its_labels(tmp_path: Path) -> None:
    notes = put_files(tmp_path / "notes", FILES)
    indexed = index("charades", notes, videos=put_videos(tmp_path / "videos", "46GP8.mp4"))
    catalog = indexed.catalog
    assert catalog.classes == (HOLD, PUT, OPEN)
    assert labels(catalog) == {
        "YSKX3": [],
        "46GP8": [OPEN, PUT, PUT, HOLD],
        "N11GT": [HOLD, PUT, OPEN],
    }
    spans = {
        clip.id: [(each.start_seconds, each.end_seconds) for each in clip.labels]
        for clip in catalog.clips
    }
    assert spans["46GP8"] == [(11.9, 21.2), (0.0, 12.6), (0.0, 12.6), (0.0, 12.6)]
    # 45 s is cut at the video's end; a moment, and a time after the video's end, are none.
    assert spans["N11GT"] == [(10.0, 31.5), (None, None), (None, None)]
    assert splits(catalog) == {
        "46GP8": {"default": "train"},
        "N11GT": {"default": "train"},
        "YSKX3": {"default": "test"},
    }
    assert {(clip.start_seconds, clip.end_seconds) for clip in catalog.clips} == {(0.0, None)}
    assert sorted(absent(catalog)) == ["N11GT", "YSKX3"]
    assert indexed.left_out == {
        "times of actions, outside their videos or backward, whose labels stay": 2
    }


def test_a_clip_for_each_time_of_an_action_in_videos_that_are_decoded_once(tmp_path: Path) -> None:
    notes = put_files(tmp_path / "notes", FILES)
    indexed = index("charades", notes, videos=put_videos(tmp_path / "videos"), unit="segment")
    assert labels(indexed.catalog) == {
        "46GP8@11.9-21.2": [OPEN],
        "46GP8@0.0-12.6": [PUT, HOLD],
        "N11GT@10.0-31.5": [HOLD],
    }
    assert [
        (clip.video_id, clip.start_seconds, clip.end_seconds) for clip in indexed.catalog.clips
    ] == [("46GP8", 11.9, 21.2), ("46GP8", 0.0, 12.6), ("N11GT", 10.0, 31.5)]
    assert [
        (video.id, video.start_seconds, video.end_seconds) for video in indexed.catalog.videos
    ] == [("46GP8", 0.0, None), ("N11GT", 0.0, None)]
    assert indexed.left_out == {
        "actions without a time in the video": 2,
        "videos without a timed action": 1,
    }


def test_files_of_before_there_were_lengths_and_of_other_line_ends(tmp_path: Path) -> None:
    old = "\ufeffid,actions\r\n46GP8,c000 1 99\r\n"
    put_files(tmp_path, {"Charades_v1_test.csv": old, "Charades_v1_classes.txt": CLASSES})
    catalog = index("charades", tmp_path, videos=tmp_path, unit="segment").catalog
    assert labels(catalog) == {"46GP8@1.0-99.0": [HOLD]}


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("b,c157 1 2,9", r"expected an action such as .*, got 'c157 1 2'"),
        ("b,c000 1,9", "got 'c000 1'"),
        ("b,c000 1 2 3,9", "got 'c000 1 2 3'"),
        ("b,c000 1 two,9", "expected a number as its end, got 'two'"),
        ("b,c000 nan 2,9", "expected a number as start of an action, got 'nan'"),
        ("b,,inf", "expected a number as length, got 'inf'"),
        ("../b,,9", r"must be a plain relative path.*got '\.\./b'"),
        ("a,,9", "the video 'a' is in .*, line 2, too"),
        ("b,", "has 2 values; expected 3"),
    ],
)
def test_a_line_that_cannot_be_is_named(tmp_path: Path, row: str, fault: str) -> None:
    table = f"id,actions,length\na,c000 0 1,9\n{row}\n"
    put_files(tmp_path, {"Charades_v1_train.csv": table, "Charades_v1_classes.txt": CLASSES})
    with pytest.raises(InputError, match=f"Charades_v1_train.csv, line 3: .*{fault}"):
        index("charades", tmp_path, videos=tmp_path)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("c003", "expected a line such as 'c008 Opening a door', got 'c003'"),
        ("x003 Go", "got 'x003 Go'"),
        ("c000 Go", "the code 'c000' is in .*, line 2, too"),
        ("c003 Opening a door", "the class 'Opening a door' is in .*, line 1, too"),
    ],
)
def test_a_line_of_the_classes_that_cannot_be_is_named(
    tmp_path: Path, line: str, fault: str
) -> None:
    put_files(tmp_path, {**FILES, "Charades_v1_classes.txt": CLASSES + line})
    with pytest.raises(InputError, match=f"Charades_v1_classes.txt, line 4: .*{fault}"):
        index("charades", tmp_path, videos=tmp_path)


def test_files_of_other_names_and_without_classes_are_refused(tmp_path: Path) -> None:
    put_files(tmp_path, {"Charades_v1_train.csv": TRAIN, "x.csv": "", **FILES})
    with pytest.raises(InputError, match=r"0 files \*_classes.txt are given, expected one"):
        index("charades", tmp_path / "Charades_v1_train.csv", videos=tmp_path)
    given = (tmp_path / "x.csv", tmp_path / "Charades_v1_classes.txt")
    with pytest.raises(InputError, match=r"x\.csv: is not called Charades_v1_train\.csv"):
        index("charades", *given, videos=tmp_path)


@given(table=changed(TRAIN), classes=changed(CLASSES), unit=st.sampled_from(["video", "segment"]))
@settings(max_examples=60, deadline=None)
def test_any_change_is_read_or_refused_by_name(
    tmp_path_factory: pytest.TempPathFactory, table: bytes, classes: bytes, unit: str
) -> None:
    notes = put_files(
        tmp_path_factory.getbasetemp() / "charades",
        {"Charades_v1_train.csv": table, "Charades_v1_classes.txt": CLASSES},
    )
    read_or_refused("charades", notes, notes, unit=unit)
    put_files(notes, {"Charades_v1_train.csv": TRAIN, "Charades_v1_classes.txt": classes})
    read_or_refused("charades", notes, notes, unit=unit)
