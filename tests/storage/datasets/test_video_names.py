"""Videos whose names are their annotations: where in a path a form is looked for."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posemill.errors import InputError
from posemill.storage.datasets.registry import create_dataset
from posemill.storage.datasets.video_names import PathsOfIds, named_videos

PARTS = ("basketball", "v_swing_01", "v_swing_01_02", "a01", "v01_s01_e00", "view_1", "a01_s01_e00")
SAMPLES = ("S001C001P001R001A001", "S001C001P001R001A001_rgb", "Walk_p03_r00_v02_c01")


def test_a_form_begins_at_any_folder_and_the_first_form_is_taken() -> None:
    forms = (re.compile(r"(?P<view>\d)/(?P<name>x+)"), re.compile(r"(?P<name>\w+)"))
    found = named_videos(["a/1/xx", "2/x", "b/x", "1/a-b", "/3/x"], *forms)
    assert [(video.path, dict(video.parts)) for video in found] == [
        ("/3/x", {"view": "3", "name": "x"}),
        ("2/x", {"view": "2", "name": "x"}),
        ("a/1/xx", {"view": "1", "name": "xx"}),
        ("b/x", {"name": "x"}),
    ]
    assert found[0].number("view") == 3


def test_an_id_of_two_paths_is_refused() -> None:
    ids = PathsOfIds()
    ids.add("x", "a/x")
    ids.add("x", "a/x")
    with pytest.raises(InputError, match=r"both 'a/x' and 'b/x' .* are 'x'. Move one of them"):
        ids.add("x", "b/x")


@given(
    names=st.sets(
        st.lists(st.sampled_from(PARTS + SAMPLES) | st.text(max_size=300), min_size=1, max_size=3)
        .map("/".join)
        .map(lambda path: path.replace("//", "/")),
        max_size=6,
    )
)
@settings(max_examples=100, deadline=None)
@pytest.mark.parametrize("name", ["n-ucla", "ntu60", "ntu120", "smarthome", "ucf11"])
def test_any_names_are_clips_or_counted_or_refused(name: str, names: set[str]) -> None:
    found, told = None, ""
    try:
        found = create_dataset(name).read([], sorted(names))
    except InputError as error:
        told = str(error)
    if found is None:
        assert told.startswith("both ")
    else:
        assert len(found.clips) + sum(found.left_out.values()) == len(names)
        assert {video.path for video in found.videos} <= names
