"""AVA: the files of a version, with their traps."""

from __future__ import annotations

from pathlib import Path

import pytest
from dataset_files import absent, index, labels, put_files, put_videos, splits
from hypothesis import given, settings
from hypothesis import strategies as st
from parser_fuzz import read_or_refused

from posemill.errors import InputError
from posemill.schema import TimedBox

MAP = """label {
  name: "bend/bow (at the waist)"
  label_id: 1
  label_type: PERSON_MOVEMENT
}
label {
  name: "talk to (e.g., self, a person, a group)"
  label_id: 79
  label_type: PERSON_INTERACTION
}
label{
    name: "watch (a person)"label_id: 80label_type: PERSON_INTERACTION
}
"""
PART_OF_MAP = 'item {\n  name: "bend/bow (at the waist)"\n  id: 1\n}\n'
TRAIN = (
    "-5KQ66BBWC4,0902,0.077,0.151,0.283,0.811,80,1\n"
    "-5KQ66BBWC4,0902,0.332,0.194,0.481,0.891,80,0\n"
    "-5KQ66BBWC4,0902,0.077,0.151,0.283,0.811,1,1\n"
    "-5KQ66BBWC4,0902,0.077,0.151,0.283,0.811,80,1\n"  # there twice
    "-5KQ66BBWC4,0903,-0.002,0.500,1.010,1.000,79,1\n"  # beyond the frame
    "-5KQ66BBWC4,0904,0.100,0.100,0.200,0.200,79,1\n"  # excluded
    "-5KQ66BBWC4,1798,0.100,0.100,0.200,0.200,13,1\n"  # of a class without a name
    "-5KQ66BBWC4,1798,0.100,0.100,0.200,0.200,1,5\n"  # two people of one number
    "-5KQ66BBWC4,1798,0.300,0.100,0.400,0.200,1,5\n"
)
FILES = {
    "ava_train_v2.2.csv": TRAIN,
    "ava_val_v2.2.csv": "1j20qq1JyX4,0950,0,0,1,1,79\n",  # as version 1, without a person
    "ava_train_excluded_timestamps_v2.2.csv": "-5KQ66BBWC4,0904\r\n",
    "ava_action_list_v2.2.pbtxt": MAP,
    "ava_action_list_v2.2_for_activitynet_2019.pbtxt": PART_OF_MAP,
    "ava_included_timestamps_v2.2.txt": "0902\n",
}
BEND, TALK, WATCH = (
    "bend/bow (at the waist)",
    "talk to (e.g., self, a person, a group)",
    "watch (a person)",
)


def test_a_clip_for_each_person_and_keyframe(tmp_path: Path) -> None:
    notes = put_files(tmp_path / "notes", FILES)
    videos = put_videos(tmp_path / "videos", "trainval/-5KQ66BBWC4.mkv")
    indexed = index("ava", notes, videos=videos)
    catalog = indexed.catalog
    assert labels(catalog) == {
        "-5KQ66BBWC4/0902/1": [BEND, WATCH],
        "-5KQ66BBWC4/0902/0": [WATCH],
        "-5KQ66BBWC4/0903/1": [TALK],
        "-5KQ66BBWC4/1798/0.1_0.1_0.2_0.2": [BEND],
        "-5KQ66BBWC4/1798/0.3_0.1_0.4_0.2": [BEND],
        "1j20qq1JyX4/0950/0.0_0.0_1.0_1.0": [TALK],
    }
    assert set(map(str, splits(catalog).values())) == {
        "{'default': 'train'}",
        "{'default': 'val'}",
    }
    assert splits(catalog)["1j20qq1JyX4/0950/0.0_0.0_1.0_1.0"] == {"default": "val"}
    assert catalog.classes == (BEND, TALK, WATCH)
    assert absent(catalog) == ["1j20qq1JyX4"]
    assert indexed.left_out == {
        "labels that are there twice": 1,
        "parts of boxes beyond the frame": 1,
        "labels at excluded seconds": 1,
        "labels of classes that the map lacks": 1,
    }


def test_boxes_and_spans_are_in_the_seconds_of_the_video(tmp_path: Path) -> None:
    notes = put_files(tmp_path / "notes", FILES)
    catalog = index("ava", notes, videos=tmp_path, seconds="2", context="10").catalog
    clips = {clip.id: clip for clip in catalog.clips}
    clip = clips["-5KQ66BBWC4/0903/1"]
    assert (clip.start_seconds, clip.end_seconds) == (902.0, 904.0)
    assert clip.boxes == (TimedBox(903.0, 0.0, 0.5, 1.0, 1.0),)
    assert {(v.start_seconds, v.end_seconds) for v in catalog.videos} == {(891.0, 1809.0)}


def test_films_that_were_cut_begin_later(tmp_path: Path) -> None:
    notes = put_files(tmp_path / "notes", FILES)
    catalog = index("ava", notes, videos=tmp_path, offset="901").catalog
    clip = catalog.clips[0]
    assert (clip.start_seconds, clip.end_seconds) == (0.0, 2.5)
    assert clip.boxes[0].seconds == 1.0
    assert {(v.start_seconds, v.end_seconds) for v in catalog.videos} == {(0.0, 898.5)}
    with pytest.raises(InputError, match=r"offset must be 902.0 s.*got 903.0"):
        index("ava", notes, videos=tmp_path, offset="903")


def test_the_map_of_fewer_classes_leaves_the_others_out(tmp_path: Path) -> None:
    notes = put_files(tmp_path / "notes", FILES)
    table, part = "ava_train_v2.2.csv", "ava_action_list_v2.2_for_activitynet_2019.pbtxt"
    indexed = index("ava", notes / table, notes / part, videos=tmp_path)
    assert labels(indexed.catalog) == {
        "-5KQ66BBWC4/0902/1": [BEND],
        "-5KQ66BBWC4/1798/0.1_0.1_0.2_0.2": [BEND],
        "-5KQ66BBWC4/1798/0.3_0.1_0.4_0.2": [BEND],
    }
    assert indexed.catalog.classes == (BEND,)
    assert indexed.left_out == {"labels of classes that the map lacks": 6}


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("a,0902,0.1,0.1,0.2", "has 5 values; expected 8: video,second"),
        ("a,0902,0.1,0.1,0.2,0.2,1,1,1", "has 9 values; expected 8"),
        ("a,0902.5,0.1,0.1,0.2,0.2,1,1", "whole number .* as second, got '0902.5'"),
        ("a,0902,0.1,nan,0.2,0.2,1,1", "expected a number as y1, got 'nan'"),
        ("a,0902,0.2,0.1,0.2,0.2,1,1", "a box needs 0 <= left < right"),
        ("a,0902,1.1,0.1,1.2,0.2,1,1", "a box needs 0 <= left < right"),
        ("a,0902,0.1,0.1,0.2,0.2,0,1", "whole number .* as action, got '0'"),
        ("a,0902,0.1,0.1,0.2,0.2,81,1", "whole number from 1 to 80 as action, got '81'"),
        ("a,0902,0.077,0.151,283,811,1,1", "edges 0.077, 0.151, 283, 811; expected .* fractions"),
        ("a,0902,0.1,0.1,0.2,0.2,1,x", "whole number .* as person, got 'x'"),
        ("a,0901,0.1,0.1,0.2,0.2,1,1", r"the keyframe at 901 s is not from 902.0 to 1798.0 s"),
        ("../a,0902,0.1,0.1,0.2,0.2,1,1", "must be a plain relative path"),
    ],
)
def test_a_line_that_cannot_be_is_named(tmp_path: Path, line: str, fault: str) -> None:
    put_files(tmp_path, {"ava_val_v2.2.csv": f"b,0902,0,0,1,1,1,1\n{line}\n", "map.pbtxt": MAP})
    with pytest.raises(InputError, match=f"ava_val_v2.2.csv, line 2: .*{fault}"):
        index("ava", tmp_path, videos=tmp_path)


@pytest.mark.parametrize(
    ("files", "fault"),
    [
        ({"ava_val_v2.2.csv": TRAIN}, "no map of class names is given"),
        ({**FILES, "ava_val_v2.1.csv": ""}, "has files of the versions 2.1, 2.2; expected one"),
        ({**FILES, "ava_mine_v2.2.csv": ""}, r"ava_mine_v2.2.csv: is not called ava_\{train,val"),
        ({**FILES, "x.pbtxt": "none"}, "x.pbtxt: no class is in it"),
        ({**FILES, "x.pbtxt": 'name: "go"\nid: 1'}, "x.pbtxt: class 1 is 'go' and 'bend"),
        ({**FILES, "x.pbtxt": f'name: "{BEND}"\nid: 2'}, "two classes are called 'bend"),
        ({**FILES, "ava_val_v2.2.csv": TRAIN}, "val_v2.2.csv, line 1: the person .* of train, too"),
        ({**FILES, "ava_val_excluded_timestamps_v2.2.csv": "a\n"}, "v2.2.csv, line 1: has 1 val"),
    ],
)
def test_files_that_do_not_belong_together(
    tmp_path: Path, files: dict[str, str], fault: str
) -> None:
    with pytest.raises(InputError, match=fault):
        index("ava", put_files(tmp_path, files), videos=tmp_path)


@settings(max_examples=50)
@given(table=st.text('a,0.129-\n"', max_size=60), classes=st.text(max_size=20))
def test_any_text_is_a_catalog_or_refused(
    tmp_path_factory: pytest.TempPathFactory, table: str, classes: str
) -> None:
    notes = tmp_path_factory.getbasetemp() / "any_ava"
    put_files(notes, {"ava_train_v2.2.csv": TRAIN + table, "x.pbtxt": MAP + classes})
    read_or_refused("ava", notes, notes)
