"""Northwestern-UCLA: names in the three ways in which they are found."""

from __future__ import annotations

from pathlib import Path

import pytest
from dataset_files import index, labels, put_videos, splits

from posemill.errors import InputError

NAMES = {
    "files": ("x/a01_s01_e00_v01.avi", "x/a12_s10_e04_v03.avi"),
    "folders of actions": ("ucla/a01/v01_s01_e00.avi", "ucla/a12/v03_s10_e04.avi"),
    "folders of views": ("view_1/a01_s01_e00.mp4", "view_3/a12_s10_e04.mp4"),
}


@pytest.mark.parametrize("form", NAMES)
def test_a_split_for_each_view(tmp_path: Path, form: str) -> None:
    others = ("a07_s01_e00_v01.avi", "a01_s01_e00_v04.avi", "view_1/a10_s01_e00.avi")
    indexed = index("n-ucla", videos=put_videos(tmp_path, *NAMES[form], *others))
    catalog = indexed.catalog
    assert labels(catalog) == {
        "a01_s01_e00_v01": ["pick up with one hand"],
        "a12_s10_e04_v03": ["carry"],
    }
    assert splits(catalog) == {
        "a01_s01_e00_v01": {"xview1": "test", "xview2": "train", "xview3": "train"},
        "a12_s10_e04_v03": {"xview1": "train", "xview2": "train", "xview3": "test"},
    }
    assert len(catalog.classes) == 10
    assert catalog.classes[5:8] == ("stand up", "donning", "doffing")
    assert indexed.left_out == {"videos of other names": 3}


def test_views_whose_files_have_the_same_name_are_kept_apart(tmp_path: Path) -> None:
    videos = put_videos(tmp_path, *(f"view_{view}/a01_s01_e00.avi" for view in (1, 2, 3)))
    catalog = index("n-ucla", videos=videos).catalog
    assert {video.id: video.uri for video in catalog.videos} == {
        f"a01_s01_e00_v0{view}": f"view_{view}/a01_s01_e00.avi" for view in (1, 2, 3)
    }


def test_one_video_in_two_forms_is_refused(tmp_path: Path) -> None:
    videos = put_videos(tmp_path, "a01_s01_e00_v01.avi", "a01/v01_s01_e00.avi")
    with pytest.raises(InputError, match=r"both 'a01/v01_s01_e00' and 'a01_s01_e00_v01' below"):
        index("n-ucla", videos=videos)
