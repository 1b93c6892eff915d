"""Toyota Smarthome: names, whose labels have dots."""

from __future__ import annotations

from pathlib import Path

import pytest
from dataset_files import index, labels, put_videos, splits

from posemill.errors import InputError


def test_the_splits_of_persons_and_of_cameras(tmp_path: Path) -> None:
    videos = put_videos(
        tmp_path,
        "mp4/Cook.Cleandishes_p02_r00_v02_c03.mp4",
        "mp4/Walk_p03_r00_v02_c01.mp4",
        "mp4/Walk_p25_r01_v14_c02.mp4",
        "mp4/Drink.Fromcup_p10_r00_v02_c05.mp4",
        "mp4/Drink.Fromcup_p10_r00_v02_c07.mp4",
        "mp4/Pour.Fromcup_p10_r00_v02_c07.mp4",
        "mp4/Walk_p03.mp4",
    )
    indexed = index("smarthome", videos=videos)
    assert splits(indexed.catalog) == {
        "Cook.Cleandishes_p02_r00_v02_c03": {"cs": "test"},
        "Walk_p03_r00_v02_c01": {"cs": "train", "cv1": "train", "cv2": "train"},
        "Walk_p25_r01_v14_c02": {"cs": "train", "cv1": "test", "cv2": "test"},
        "Drink.Fromcup_p10_r00_v02_c05": {"cs": "test", "cv1": "val", "cv2": "val"},
        "Drink.Fromcup_p10_r00_v02_c07": {"cs": "test", "cv2": "train"},
    }
    assert labels(indexed.catalog)["Cook.Cleandishes_p02_r00_v02_c03"] == ["Cook.Cleandishes"]
    assert len(indexed.catalog.classes) == 31
    assert indexed.catalog.classes[-5:] == (
        "Uselaptop",
        "Usetablet",
        "Usetelephone",
        "Walk",
        "WatchTV",
    )
    assert indexed.left_out == {
        "videos of other names": 1,
        "videos of none of the 31 classes": 1,
    }


def test_two_videos_of_one_name_and_files_of_annotations_are_refused(tmp_path: Path) -> None:
    videos = put_videos(tmp_path, "a/Walk_p03_r00_v02_c01.mp4", "b/Walk_p03_r00_v02_c01.mp4")
    with pytest.raises(InputError, match=r"both 'a/Walk_p03.*' and 'b/Walk.*' .* are 'Walk_p03"):
        index("smarthome", videos=videos)
    with pytest.raises(InputError, match="smarthome reads no file of annotations"):
        index("smarthome", tmp_path / "a", videos=videos)


def test_a_folder_of_other_videos_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"tells of no clip of Toyota Smarthome. Expected no file of an"
    ):
        index("smarthome", videos=put_videos(tmp_path, "walk.mp4"))
