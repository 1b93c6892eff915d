"""HMDB51 and JHMDB: split files, with their traps."""

from __future__ import annotations

from pathlib import Path

import pytest
from dataset_files import absent, index, labels, put_files, put_videos, splits

from posemill.errors import InputError

FILES = {
    "brush_hair_test_split1.txt": "a_(b)_;&_0.avi 1 \nc__0.avi 2 \nd_0.avi 0 \n",
    "brush_hair_test_split2.txt": "a_(b)_;&_0.avi 0 \r\nc__0.avi 1 \r\nd_0.avi 2 \r\n",
    "wave_test_split1.txt": "a_(b)_;&_0.avi 2",
    "readme.txt": "not a split",
}


@pytest.mark.parametrize("name", ["hmdb51", "jhmdb"])
def test_all_splits_of_clips_whose_names_are_in_two_classes(tmp_path: Path, name: str) -> None:
    notes = put_files(tmp_path / "splits", FILES)
    videos = put_videos(
        tmp_path / "videos", "brush_hair/a_(b)_;&_0.avi", "wave/a_(b)_;&_0.avi", "c__0.avi"
    )
    catalog = index(name, notes, videos=videos).catalog
    assert labels(catalog) == {
        "brush_hair/a_(b)_;&_0": ["brush_hair"],
        "brush_hair/c__0": ["brush_hair"],
        "brush_hair/d_0": ["brush_hair"],
        "wave/a_(b)_;&_0": ["wave"],
    }
    assert splits(catalog) == {
        "brush_hair/a_(b)_;&_0": {"split1": "train"},
        "brush_hair/c__0": {"split1": "test", "split2": "train"},
        "brush_hair/d_0": {"split2": "test"},
        "wave/a_(b)_;&_0": {"split1": "test"},
    }
    assert absent(catalog) == ["brush_hair/d_0"]
    assert [catalog.video_path(video) for video in catalog.videos] == [
        str(videos.resolve() / path)
        for path in (
            "brush_hair/a_(b)_;&_0.avi",
            "c__0.avi",
            "brush_hair/d_0.avi",
            "wave/a_(b)_;&_0.avi",
        )
    ]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("a_0.avi", r"expected the name of a clip and 0, 1 or 2, got '' and 'a_0.avi'"),
        ("a_0.avi 3", "got 'a_0.avi' and '3'"),
        ("b_0.avi 1", r"the clip of split split1 'run/b_0' is in .*, line 1, too"),
    ],
)
def test_a_line_that_cannot_be_is_named(tmp_path: Path, line: str, fault: str) -> None:
    put_files(tmp_path, {"run_test_split1.txt": f"b_0.avi 1\n\n{line}\n"})
    with pytest.raises(InputError, match=f"run_test_split1.txt, line 3: .*{fault}"):
        index("hmdb51", tmp_path, videos=tmp_path)


def test_a_folder_of_other_files_is_refused(tmp_path: Path) -> None:
    put_files(tmp_path, {"x.txt": ""})
    with pytest.raises(InputError, match=r"no file \*_test_split\[1-9\]\.txt is in it"):
        index("hmdb51", tmp_path, videos=tmp_path)
