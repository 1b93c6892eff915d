"""Mimetics: its one file."""

from __future__ import annotations

from pathlib import Path

import pytest
from dataset_files import absent, index, labels, put_files, put_videos, splits
from hypothesis import given, settings
from parser_fuzz import changed, read_or_refused

from posemill.errors import InputError

TABLE = (
    "youtube_id,label,time_start,time_end\n"
    "-_x-3,playing violin,84,94\nab,archery,0,7\n-_x-3,archery,94,101\n"
)


def test_all_clips_are_to_test_on(tmp_path: Path) -> None:
    notes = put_files(tmp_path / "notes", {"mimetics_v1.0.csv": TABLE})
    videos = put_videos(tmp_path / "videos", "archery/ab_000000_000007.mp4")
    catalog = index("mimetics", notes, videos=videos).catalog
    assert labels(catalog) == {
        "-_x-3_000084_000094": ["playing violin"],
        "ab_000000_000007": ["archery"],
        "-_x-3_000094_000101": ["archery"],
    }
    assert {subset["default"] for subset in splits(catalog).values()} == {"test"}
    assert catalog.classes == ("archery", "playing violin")
    assert absent(catalog) == ["-_x-3_000084_000094", "-_x-3_000094_000101"]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("a,b,9,1", r"span is \[9, 1\) s"),
        ("a,,1,9", "the id of a label must be a plain relative path"),
        ("a,../..,1,9", r"got '\.\./\.\./a_000001_000009'"),
        ("ab,archery,0,7", "the clip 'ab_000000_000007' is in .*, line 3, too"),
        ("a,b,1", "has 3 values; expected 4"),
    ],
)
def test_a_line_that_cannot_be_is_named(tmp_path: Path, line: str, fault: str) -> None:
    put_files(tmp_path, {"mimetics_v1.0.csv": TABLE + line})
    with pytest.raises(InputError, match=f"mimetics_v1.0.csv, line 5: .*{fault}"):
        index("mimetics", tmp_path, videos=tmp_path)


@given(table=changed(TABLE))
@settings(max_examples=50, deadline=None)
def test_any_change_is_read_or_refused_by_name(
    tmp_path_factory: pytest.TempPathFactory, table: bytes
) -> None:
    notes = put_files(tmp_path_factory.getbasetemp() / "mimetics", {"mimetics_v1.0.csv": table})
    read_or_refused("mimetics", notes, notes)
