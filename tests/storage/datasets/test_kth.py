"""KTH: its one file, with its traps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dataset_files import absent, index, labels, put_files, put_videos, splits
from hypothesis import given, settings
from parser_fuzz import changed, read_or_refused

from posemill.errors import InputError

SEQUENCES = (
    "\r\nThis database contains sequences of six classes of actions performed by\r\n"
    "25 subjects in four different conditions (see below).\r\n\r\n"
    "Training:   person11, 12, 13, 14, 15, 16, 17, 18\r\n"
    "Validation: person19, 20, 21, 23, 24, 25, 01, 04\r\n"
    "Test:       person22, 02, 03, 05, 06, 07, 08, 09, 10 \r\n\r\n\r\n"
    "person01_boxing_d1\t\tframes\t1-95, 96-185\r\n"
    "person07_handclapping_d2    \tframes\t1-64, 270-332, 194-264\r\n\r\n"
    "person13_handclapping_d3\t*missing*\r\n"
    "person16_handwaving_d4\t\tframes\t207-311, 212-456\r\n"
)


def test_a_clip_for_each_pair_of_frames(tmp_path: Path) -> None:
    notes = put_files(tmp_path / "notes", {"00sequences.txt": SEQUENCES})
    videos = put_videos(
        tmp_path / "videos",
        "boxing/person01_boxing_d1_uncomp.avi",
        "person07_handclapping_d2_uncomp.avi",
    )
    indexed = index("kth", notes, videos=videos)
    catalog = indexed.catalog
    assert labels(catalog) == {
        "person01_boxing_d1/1": ["boxing"],
        "person01_boxing_d1/2": ["boxing"],
        "person07_handclapping_d2/1": ["handclapping"],
        "person07_handclapping_d2/2": ["handclapping"],
        "person07_handclapping_d2/3": ["handclapping"],
        "person16_handwaving_d4/1": ["handwaving"],
        "person16_handwaving_d4/2": ["handwaving"],
    }
    assert {clip: each["default"] for clip, each in splits(catalog).items()} == {
        "person01_boxing_d1/1": "val",
        "person01_boxing_d1/2": "val",
        "person07_handclapping_d2/1": "test",
        "person07_handclapping_d2/2": "test",
        "person07_handclapping_d2/3": "test",
        "person16_handwaving_d4/1": "train",
        "person16_handwaving_d4/2": "train",
    }
    assert indexed.left_out == {"videos that the makers lack": 1}
    assert absent(catalog) == ["person16_handwaving_d4"]
    assert len(catalog.classes) == 6


def test_the_frames_of_a_clip_are_those_that_are_named(tmp_path: Path) -> None:
    file = put_files(tmp_path, {"00sequences.txt": SEQUENCES}) / "00sequences.txt"
    clips = index("kth", file, videos=tmp_path).catalog.clips
    # Frame 1 is at 0 s; whatever time base the container rounds to, milliseconds or 1/25 s.
    for pts in (np.arange(400) / 25, np.arange(400) * 0.04, np.round(np.arange(400) / 25, 3)):
        found = [
            np.flatnonzero((pts >= clip.start_seconds) & (pts < clip.end_seconds)) + 1
            for clip in clips[:5]
        ]
        assert [(frames[0], frames[-1]) for frames in found] == [
            (1, 95),
            (96, 185),
            (1, 64),
            (270, 332),
            (194, 264),
        ]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("person26_boxing_d1 frames 1-95", "person 26 is in none of the subsets"),
        ("person01_boxing_d2 frames 95-1", "expected the first and the last .*, got '95-1'"),
        ("person01_boxing_d2 frames 0-9", "got '0-9'"),
        ("person01_boxing_d2 frames 1-9,", "got ''"),
        ("person01_boxing_d2 frames", "expected a line such as .*, got 'person01_boxing_d2 fr"),
        ("person01_swimming_d2 frames 1-9", "got 'person01_swimming_d2 frames 1-9'"),
        ("person01_boxing_d1 frames 1-9", "the video 'person01_boxing_d1' is in .* line 10, too"),
        ("The end", "got 'The end'"),
    ],
)
def test_a_line_that_cannot_be_is_named(tmp_path: Path, line: str, fault: str) -> None:
    put_files(tmp_path, {"00sequences.txt": SEQUENCES + line})
    with pytest.raises(InputError, match=rf"00sequences.txt, line 15: .*{fault}"):
        index("kth", tmp_path, videos=tmp_path)


def test_a_file_without_the_subsets_is_refused(tmp_path: Path) -> None:
    put_files(tmp_path, {"00sequences.txt": "person01_boxing_d1 frames 1-95"})
    with pytest.raises(InputError, match="line 1: person 01 is in none of the subsets"):
        index("kth", tmp_path, videos=tmp_path)


@given(lines=changed(SEQUENCES))
@settings(max_examples=60, deadline=None)
def test_any_change_is_read_or_refused_by_name(
    tmp_path_factory: pytest.TempPathFactory, lines: bytes
) -> None:
    notes = put_files(tmp_path_factory.getbasetemp() / "kth", {"00sequences.txt": lines})
    read_or_refused("kth", notes, notes)
