"""UCF101: its lists, with their traps."""

from __future__ import annotations

from pathlib import Path

import pytest
from dataset_files import absent, index, labels, put_files, put_videos, splits
from hypothesis import given, settings
from parser_fuzz import changed, read_or_refused

from posemill.errors import InputError

CLASSES = "1 ApplyEyeMakeup\r\n2 HandstandPushups\r\n10 YoYo\r\n"
TRAIN = "ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01.avi 1\r\nYoYo/v_YoYo_g25_c05.avi 10\r\n"
TEST = "HandStandPushups/v_HandStandPushups_g01_c01.avi\nYoYo/v_YoYo_g01_c01.avi\n"
FILES = {
    "classInd.txt": CLASSES,
    "trainlist01.txt": TRAIN,
    "testlist01.txt": TEST,
    "trainlist02.txt": "HandstandPushups/v_HandStandPushups_g01_c01.avi 2\n",
    "testlist02.txt": "YoYo/v_YoYo_g25_c05.avi\n",
    "readme.txt": "",
}
EYE, HAND = "ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01", "HandstandPushups/v_HandStandPushups_g01_c01"
YO_1, YO_25 = "YoYo/v_YoYo_g01_c01", "YoYo/v_YoYo_g25_c05"


def test_all_splits_of_clips_whose_folders_are_spelled_in_two_ways(tmp_path: Path) -> None:
    notes = put_files(tmp_path / "notes", FILES)
    videos = put_videos(
        tmp_path / "videos",
        "HandStandPushups/v_HandStandPushups_g01_c01.avi",
        "v_YoYo_g25_c05.mp4",
        "UCF-101/ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01.avi",
    )
    catalog = index("ucf101", notes, videos=videos).catalog
    assert catalog.classes == ("ApplyEyeMakeup", "HandstandPushups", "YoYo")
    assert labels(catalog) == {
        EYE: ["ApplyEyeMakeup"],
        HAND: ["HandstandPushups"],
        YO_1: ["YoYo"],
        YO_25: ["YoYo"],
    }
    assert splits(catalog) == {
        EYE: {"split1": "train"},
        HAND: {"split1": "test", "split2": "train"},
        YO_1: {"split1": "test"},
        YO_25: {"split1": "train", "split2": "test"},
    }
    assert absent(catalog) == [YO_1]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("v_YoYo_g01_c01.avi 1", "expected a line such as 'ApplyEyeMakeup/v_ApplyEyeMakeup_g"),
        ("YoYo/v_YoYo_g01_c01.avi 1", "the class is 'YoYo' and its number 1; .* no such class"),
        ("YoYo/v_YoYo_g01_c01.avi 010", "its number 010"),
        ("Yo/v_Yo_g01_c01.avi", r"the class is 'Yo' and its number \(none\)"),
        ("YoYo/.. 10", "must be a plain relative path"),
        ("YoYo/a/b.avi 10", "got 'YoYo/a/b.avi 10'"),
        ("YoYo/v_YoYo_g25_c05.avi", "the clip of split1 'YoYo/v_YoYo_g25_c05' is in .* 2, too"),
    ],
)
def test_a_line_that_cannot_be_is_named(tmp_path: Path, line: str, fault: str) -> None:
    put_files(tmp_path, {"classInd.txt": CLASSES, "trainlist01.txt": f"{TRAIN}\n{line}"})
    with pytest.raises(InputError, match=f"trainlist01.txt, line 4: .*{fault}"):
        index("ucf101", tmp_path, videos=tmp_path)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("3", "expected a line such as '1 ApplyEyeMakeup', got '3'"),
        ("0 Go", "expected a whole number from 1 to 1000000 as number, got '0'"),
        ("10 Go", "the number '10' is in .*, line 3, too"),
        ("4 yoyo", "the class 'yoyo' is in .*, line 3, too"),
    ],
)
def test_a_line_of_the_classes_that_cannot_be_is_named(
    tmp_path: Path, line: str, fault: str
) -> None:
    put_files(tmp_path, {"classInd.txt": CLASSES + line})
    with pytest.raises(InputError, match=f"classInd.txt, line 4: .*{fault}"):
        index("ucf101", tmp_path, videos=tmp_path)


def test_files_of_other_names_and_without_classes_are_refused(tmp_path: Path) -> None:
    put_files(tmp_path, {**FILES, "x.txt": ""})
    with pytest.raises(InputError, match=r"0 files classInd\.txt are given, expected one"):
        index("ucf101", tmp_path / "trainlist01.txt", videos=tmp_path)
    with pytest.raises(InputError, match=r"x\.txt: is not called classInd\.txt"):
        index("ucf101", tmp_path / "x.txt", tmp_path / "classInd.txt", videos=tmp_path)


@given(lines=changed(TRAIN), classes=changed(CLASSES))
@settings(max_examples=60, deadline=None)
def test_any_change_is_read_or_refused_by_name(
    tmp_path_factory: pytest.TempPathFactory, lines: bytes, classes: bytes
) -> None:
    notes = put_files(
        tmp_path_factory.getbasetemp() / "ucf101",
        {"classInd.txt": CLASSES, "trainlist01.txt": lines},
    )
    read_or_refused("ucf101", notes, notes)
    put_files(notes, {"classInd.txt": classes, "trainlist01.txt": TRAIN})
    read_or_refused("ucf101", notes, notes)
