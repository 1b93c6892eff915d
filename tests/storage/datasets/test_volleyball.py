"""Volleyball: annotations of frames, with their traps."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from dataset_files import absent, index, labels, put_files, put_videos, splits
from hypothesis import given, settings
from hypothesis import strategies as st
from parser_fuzz import read_or_refused

from posemill.errors import InputError
from posemill.schema import TimedBox

FILES = {
    "39/annotations.txt": (
        "29885.jpg r_spike 430 575 82 170 waiting 1648 -8 70 167 standing\n"
        "29905.jpg l-pass 619 582 86 131 falling \r\n"
    ),
    # as the readme has it
    "0/annotations.txt": "7.jpg l_winpoint jumping 0 0 640 360  moving 1200 600 100 120\n",
    "4/annotations.txt": "29885.jpg r-set\n",
    "readme.txt": "",
}


def with_frames(root: Path) -> Path:
    """The files with a frame of two of the videos."""
    put_files(root, FILES)
    sizes = {"39/29905/29905.jpg": (1920, 1080), "0/7/7.jpg": (1280, 720)}
    for name, (width, height) in sizes.items():
        _, jpeg = cv2.imencode(".jpg", np.zeros((height, width, 3), np.uint8))
        put_files(root, {name: jpeg.tobytes()})
    return root


def test_what_teams_do_in_each_window(tmp_path: Path) -> None:
    notes = put_files(tmp_path / "notes", FILES)
    videos = put_videos(tmp_path / "videos", "39/29885.mp4", "4/29885.mp4", "0/7.mp4")
    catalog = index("volleyball", notes, videos=videos).catalog
    assert labels(catalog) == {
        "0/7": ["l_winpoint"],
        "39/29885": ["r_spike"],
        "39/29905": ["l-pass"],
        "4/29885": ["r_set"],
    }
    assert [clip.mirror_label for clip in catalog.clips] == [
        "r_winpoint", "l-spike", "r-pass", "l_set"
    ]  # fmt: skip
    assert [each["default"] for each in splits(catalog).values()] == [
        "val", "train", "train", "test"
    ]  # fmt: skip
    assert len(catalog.classes) == 8
    assert absent(catalog) == ["39/29905"]
    assert [video.uri for video in catalog.videos] == [
        "0/7.mp4", "39/29885.mp4", "39/29905.mp4", "4/29885.mp4"
    ]  # fmt: skip


def test_what_each_person_does_in_whichever_order_it_is_written(tmp_path: Path) -> None:
    notes = with_frames(tmp_path / "notes")
    given_files = [notes / "0" / "annotations.txt", notes / "39"]
    indexed = index("volleyball", *given_files, videos=tmp_path, unit="person", fps="10")
    assert labels(indexed.catalog) == {
        "0/7/00": ["jumping"],
        "0/7/01": ["moving"],
        "39/29885/00": ["waiting"],
        "39/29885/01": ["standing"],
        "39/29905/00": ["falling"],
    }
    boxes = {clip.id: clip.boxes for clip in indexed.catalog.clips}
    assert boxes["0/7/00"] == (TimedBox(2.0, 0, 0, 0.5, 0.5),)
    assert boxes["0/7/01"] == (TimedBox(2.0, 1200 / 1280, 600 / 720, 1, 1),)
    assert boxes["39/29885/01"] == (TimedBox(2.0, 1648 / 1920, 0, 1718 / 1920, 159 / 1080),)
    assert indexed.left_out == {"parts of boxes beyond the frame": 2}
    assert {video.id for video in indexed.catalog.videos} == {"0/7", "39/29885", "39/29905"}
    assert len(indexed.catalog.classes) == 9


def test_boxes_need_the_size_of_the_frames(tmp_path: Path) -> None:
    notes = with_frames(tmp_path)
    with pytest.raises(InputError, match=r"4/annotations.txt: no frame is beside it"):
        index("volleyball", notes, videos=tmp_path, unit="person")
    put_files(notes, {"4/29885/29885.jpg": b"none"})
    with pytest.raises(InputError, match=r"4/annotations.txt: .*29885.jpg is no picture"):
        index("volleyball", notes, videos=tmp_path, unit="person")


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("a.jpg l_set", "whole number .* as frame, got 'a'"),
        ("9.jpg", "the activity is '', expected one of r_set, r_spike"),
        ("9.jpg serve", "the activity is 'serve'"),
        ("9.jpg l_set 1 2 3 4", "a person is '1 2 3 4'; expected x y w h and one of"),
        ("9.jpg l_set 1 2 3 4 running", "a person is '1 2 3 4 running'"),
        ("9.jpg l_set 1 2 3 4 moving moving 1 2 3 4", "a person is 'moving 1 2 3 4'; expec"),
        ("9.jpg l_set moving 1 2 3 4 1 2 3 4 moving", "is '1 2 3 4 moving'; .*, that first"),
        ("9.jpg l_set 1 2 3 four moving", "whole number .* as h, got 'four'"),
        ("7.jpg l_set", "the frame '7' is in .*, line 1, too"),
    ],
)
def test_a_line_that_cannot_be_is_named(tmp_path: Path, line: str, fault: str) -> None:
    put_files(tmp_path, {"5/annotations.txt": f"7.jpg r_set\n{line}\n"})
    with pytest.raises(InputError, match=f"5/annotations.txt, line 2: .*{fault}"):
        index("volleyball", tmp_path, videos=tmp_path)


def test_a_box_without_area_and_a_video_without_a_number_are_refused(tmp_path: Path) -> None:
    notes = with_frames(tmp_path)
    put_files(notes, {"0/annotations.txt": "7.jpg l_set 1 2 0 4 moving"})
    with pytest.raises(InputError, match="line 1: the box 1 2 0 4 of 1280 x 720 px: a box needs"):
        index("volleyball", notes / "0", videos=tmp_path, unit="person")
    put_files(tmp_path, {"55/annotations.txt": ""})
    with pytest.raises(InputError, match="is in the folder '55'; expected one that is called as"):
        index("volleyball", notes / "55", videos=tmp_path)


@settings(max_examples=50)
@given(text=st.text("12 .jpg\nl_set-moving", max_size=60) | st.text(max_size=30))
def test_any_text_is_a_catalog_or_refused(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    notes = tmp_path_factory.getbasetemp() / "any_volleyball"
    content = f"{FILES['0/annotations.txt']}{text}".encode("utf-8", "surrogatepass")
    put_files(notes, FILES | {"0/annotations.txt": content})
    read_or_refused("volleyball", notes, notes)
