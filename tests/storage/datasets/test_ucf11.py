"""UCF11: folders of classes and of groups."""

from __future__ import annotations

from pathlib import Path

import pytest
from dataset_files import index, labels, put_videos, splits

from posemill.errors import InputError

VIDEOS = (
    "action_youtube_naudio/basketball/v_shooting_01/v_shooting_01_01.mpg",
    "action_youtube_naudio/basketball/v_shooting_02/v_shooting_02_05.mpg",
    "action_youtube_naudio/walking/v_walk_dog_02/v_walk_dog_02_05.mpg",
    "action_youtube_naudio/swing/v_swing_25_01.mpg",
    "v_juggle_01/v_juggle_01_01.mpg",
)


def test_a_split_for_each_group(tmp_path: Path) -> None:
    indexed = index("ucf11", videos=put_videos(tmp_path, *VIDEOS))
    catalog = indexed.catalog
    assert labels(catalog) == {
        "basketball/v_shooting_01_01": ["basketball"],
        "basketball/v_shooting_02_05": ["basketball"],
        "swing/v_swing_25_01": ["swing"],
        "walking/v_walk_dog_02_05": ["walking"],
    }
    assert splits(catalog) == {
        clip: {f"group{each}": "test" if each == group else "train" for each in ("01", "02", "25")}
        for clip, group in {
            "basketball/v_shooting_01_01": "01",
            "basketball/v_shooting_02_05": "02",
            "swing/v_swing_25_01": "25",
            "walking/v_walk_dog_02_05": "02",
        }.items()
    }
    assert catalog.classes == ("basketball", "swing", "walking")
    assert indexed.left_out == {"videos of other names": 1}


def test_the_clips_of_the_paper(tmp_path: Path) -> None:
    indexed = index("ucf11", videos=put_videos(tmp_path, *VIDEOS), clips="paper")
    assert sorted(labels(indexed.catalog)) == [
        "basketball/v_shooting_01_01",
        "swing/v_swing_25_01",
        "walking/v_walk_dog_02_05",
    ]
    assert indexed.left_out == {
        "videos of other names": 1,
        "videos that are not in the paper": 1,
    }


def test_a_clip_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    videos = put_videos(tmp_path, VIDEOS[0], "basketball/v_shooting_01_01.avi")
    with pytest.raises(InputError, match=r"both '.*' and '.*' below .* are 'basketball/v_shoot"):
        index("ucf11", videos=videos)
