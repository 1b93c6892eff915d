"""FineGym: times in JSON, lists of elements and of classes, with their traps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from dataset_files import absent, index, labels, put_files, put_videos, splits
from hypothesis import given, settings
from hypothesis import strategies as st
from parser_fuzz import read_or_refused

from posemill.errors import InputError

BARS, VAULT, FLOOR = "E_002407_002435", "E_002681_002688", "E_003000_003100"
TIMES: dict[str, Any] = {
    "0LtLS_E_wROrk": {
        BARS: {
            "event": 4,
            "segments": {
                "A_0003_0005": {"stages": 1, "timestamps": [[3.5, 5.75]]},
                "A_0006_0008": {"stages": 1, "timestamps": [[6, 8]]},
            },
            "timestamps": [[2407.25, 2435.5]],
        },
        VAULT: {
            "event": 1,
            "segments": {
                "A_0000_0006": {
                    "stages": 3,
                    "timestamps": [[0.25, 3.5], [3.5, 4.5], [4.5, 6.5]],
                }
            },
            "timestamps": [[2681.5, 2688.5]],
        },
        FLOOR: {"event": 2, "segments": None, "timestamps": [[3000.0, 3100.5]]},
    },
    "-b": {BARS: {"event": 4, "segments": {}, "timestamps": [[1, 2]]}},
}
CLASSES = "".join(
    f"Clabel: {number:3}; set: 41; Glabel: {400 + number}; (UB) element, {number} turn  \n"
    for number in range(99)
)
FILES = {
    "finegym_annotation_info_v1.1.json": json.dumps(TIMES),
    "gym99_train_element_v1.1.txt": (
        f"0LtLS_E_wROrk_{BARS}_A_0003_0005 78\n0LtLS_E_wROrk_{VAULT}_A_0000_0006 2\n"
        f"0LtLS_E_wROrk_{FLOOR}_A_0009_0010 2\n-b_{BARS}_A_0009_0010 2\n"
    ),
    "gym99_val_element.txt": f"0LtLS_E_wROrk_{BARS}_A_0006_0008 0\r\n",
    "gym99_categories.txt": CLASSES,
    "gym288_val_element.txt": "of other classes",
    "gym288_categories.txt": "of other classes",
    "set_categories.txt": "of sets",
}


def test_times_of_elements_count_from_their_events(tmp_path: Path) -> None:
    notes = put_files(tmp_path / "notes", FILES)
    indexed = index("finegym", notes, videos=put_videos(tmp_path / "v", "0LtLS_E_wROrk.webm"))
    catalog = indexed.catalog
    assert {clip.id: (clip.start_seconds, clip.end_seconds) for clip in catalog.clips} == {
        f"0LtLS_E_wROrk_{BARS}_A_0003_0005": (2410.75, 2413.0),
        f"0LtLS_E_wROrk_{VAULT}_A_0000_0006": (2681.75, 2688.0),
        f"0LtLS_E_wROrk_{BARS}_A_0006_0008": (2413.25, 2415.25),
    }
    assert list(labels(catalog).values()) == [
        ["(UB) element, 78 turn"], ["(UB) element, 2 turn"], ["(UB) element, 0 turn"]
    ]  # fmt: skip
    assert [each["default"] for each in splits(catalog).values()] == ["train", "train", "val"]
    assert len(catalog.classes) == 99
    assert (catalog.classes[10], absent(catalog)) == ("(UB) element, 10 turn", [])
    assert [(v.id, v.start_seconds, v.end_seconds) for v in catalog.videos] == [
        ("0LtLS_E_wROrk", 2407.25, 3100.5)
    ]
    assert indexed.left_out == {"elements without times": 2}


def test_without_their_list_classes_are_called_by_their_numbers(tmp_path: Path) -> None:
    notes = put_files(tmp_path / "notes", FILES)
    line = f"0LtLS_E_wROrk_{BARS}_A_0003_0005 287\n"
    put_files(notes, {"gym288_train_element_v1.1.txt": line})
    given = [notes / "finegym_annotation_info_v1.1.json", notes / "gym288_train_element_v1.1.txt"]
    catalog = index("finegym", *given, videos=tmp_path, gym="288").catalog
    assert list(labels(catalog).values()) == [["287"]]
    assert catalog.classes == tuple(map(str, range(288)))


def test_classes_of_one_name_are_told_apart(tmp_path: Path) -> None:
    classes = CLASSES.replace(" 3 turn", " 2 turn")
    notes = put_files(tmp_path / "notes", FILES | {"gym99_categories.txt": classes})
    assert index("finegym", notes, videos=tmp_path).catalog.classes[1:5] == (
        "(UB) element, 1 turn",
        "(UB) element, 2 turn, Glabel: 402",
        "(UB) element, 2 turn, Glabel: 403",
        "(UB) element, 4 turn",
    )


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (f"a_{BARS}_A_0003_0005", "whole number from 0 to 98 as label, got 'a_"),
        (f"a_{BARS}_A_0003_0005 99", "whole number from 0 to 98 as label, got '99'"),
        ("a_E_1_2_A_3_4 1", "expected VIDEO_E_ssssss_eeeeee_A_ssss_eeee and a class, got 'a_E"),
        (f"../a_{BARS}_A_0003_0005 1", "must be a plain relative path"),
        (f"0LtLS_E_wROrk_{BARS}_A_0003_0005 1", "is in .*train_element_v1.1.txt, line 1, too"),
    ],
)
def test_a_line_that_cannot_be_is_named(tmp_path: Path, line: str, fault: str) -> None:
    notes = put_files(tmp_path / "notes", FILES | {"gym99_val_element.txt": f"\n{line}\n"})
    with pytest.raises(InputError, match=f"gym99_val_element.txt, line 2: .*{fault}"):
        index("finegym", notes, videos=tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("gym99_train_element_v1.0.txt", "", "expected one finegym_annotation_info"),
        ("finegym_annotation_info_v1.0.json", "{}", "expected one finegym_annotation_info"),
        ("gym99_test_element.txt", "", "test_element.txt: is no file of Gym99"),
        ("gym99_categories.txt", CLASSES.splitlines()[0], "has 1 classes; expe"),
        ("gym99_categories.txt", CLASSES.replace("Clabel:   3", "Clabel:   4"), "line 4: is 'Cl"),
        ("gym99_categories.txt", CLASSES.replace("403", "402").replace(" 3 t", " 2 t"), "twice"),
        ("finegym_annotation_info_v1.1.json", "{\n'a'", "line 2, character 1: .*expected JSON"),
        ("finegym_annotation_info_v1.1.json", '{"a": NaN}', "NaN is no number of JSON's"),
        ("finegym_annotation_info_v1.1.json", b"\xff\xfe\xfd", "v1.1.json, line 1: .*expected"),
        ("finegym_annotation_info_v1.1.json", "[" * 99_999, "v1.1.json, line 1: .*expected"),
        ("finegym_annotation_info_v1.1.json", "[]", r"it is \[\]; expected a JSON object"),
        ("finegym_annotation_info_v1.1.json", "{}", "no clip of FineGym"),
    ],
)
def test_files_that_cannot_be(tmp_path: Path, name: str, content: str | bytes, fault: str) -> None:
    notes = put_files(tmp_path / "notes", FILES)
    with pytest.raises(InputError, match=fault):
        index("finegym", put_files(notes, {name: content}), videos=tmp_path)


@pytest.mark.parametrize(
    ("stages", "place"),
    [
        ([], "A_0003_0005"),
        ([[5, 3]], "A_0003_0005"),
        ([[-1, 3]], "A_0003_0005"),
        ([["x", 3]], "A_0003_0005"),
        ([[3]], "A_0003_0005"),
        ([[3, 10**400]], "A_0003_0005"),
        (7, "A_0003_0005"),
    ],
)
def test_times_that_cannot_be_are_named(tmp_path: Path, stages: object, place: str) -> None:
    times = json.loads(json.dumps(TIMES))
    times["0LtLS_E_wROrk"][BARS]["segments"]["A_0003_0005"]["timestamps"] = stages
    files = FILES | {"finegym_annotation_info_v1.1.json": json.dumps(times)}
    with pytest.raises(InputError, match=rf"v1.1.json: the timestamps of .*{BARS}, {place} are"):
        index("finegym", put_files(tmp_path / "notes", files), videos=tmp_path)


_JSON = st.recursive(
    st.none() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda each: (
        st.lists(each, max_size=3)
        | st.dictionaries(
            st.sampled_from(["b", BARS, "segments", "timestamps", "A_0003_0005"]), each, max_size=3
        )
    ),
    max_leaves=12,
)


@settings(max_examples=50)
@given(events=_JSON, line=st.text(max_size=30))
def test_any_file_is_a_catalog_or_refused(
    tmp_path_factory: pytest.TempPathFactory, events: object, line: str
) -> None:
    notes = tmp_path_factory.getbasetemp() / "any_finegym"
    times = {**TIMES, "b": events}
    lines = f"{FILES['gym99_train_element_v1.1.txt']}b_{BARS}_A_0003_0005 1\n{line}"
    changed = {
        "finegym_annotation_info_v1.1.json": json.dumps(times),
        "gym99_train_element_v1.1.txt": lines.encode("utf-8", "surrogatepass"),
    }
    read_or_refused("finegym", put_files(notes, FILES | changed), notes)
