"""KTH (Schuldt et al., ICPR 2004): six actions by 25 persons; a video shows one about four times,
and each time is a clip.

The makers' 00sequences.txt names the persons of the three subsets and the frames of each clip,
from 1 on, both ends in the clip; it was read whole. Some videos have three clips, some clips
overlap or are not in the order of time, and one video was never there. All videos have 25 frames
a second (the dataset's page).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from posemill.schema import Clip, TimedLabel
from posemill.storage.datasets.annotation_files import LinesOfIds, files_of
from posemill.storage.datasets.base import Annotations, Dataset, ListedVideo
from posemill.storage.datasets.text_rows import Row, read_lines
from posemill.storage.datasets.tree import SPLIT

FRAMES_PER_SECOND = 25
_CLASSES = ("boxing", "handclapping", "handwaving", "jogging", "running", "walking")
_SUBSETS = {"Training": "train", "Validation": "val", "Test": "test"}
_PERSONS = re.compile(r"(?P<subset>Training|Validation|Test):\s*person(?P<persons>[\d, ]+)")
_VIDEO = re.compile(
    rf"(?P<id>person(?P<person>\d\d)_(?P<label>{'|'.join(_CLASSES)})_d[1-4])\s+"
    r"(?:frames\s+(?P<frames>\S.*)|\*missing\*)",
    re.ASCII,
)
_FRAMES = re.compile(r"(?P<first>\d{1,7})-(?P<last>\d{1,7})", re.ASCII)
_MISSING = "videos that the makers lack"


@dataclass(frozen=True)
class KthDataset(Dataset):
    """The file 00sequences.txt."""

    name: ClassVar[str] = "kth"
    title: ClassVar[str] = "KTH"
    files: ClassVar[str] = (
        "00sequences.txt, or its folder:\n"
        "  Training:   person11, 12, 13, 14, 15, 16, 17, 18\n"
        "  person01_boxing_d1  frames  1-95, 96-185, 186-245, 246-360\n"
        "videos: [CLASS/]person01_boxing_d1_uncomp.avi"
    )

    def read(self, annotations: Sequence[Path], names: Collection[str]) -> Annotations:  # noqa: ARG002
        videos, clips, ids, num_missing = list[ListedVideo](), list[Clip](), LinesOfIds("video"), 0
        for row, subsets in self._rows(annotations):
            ids.add(row["id"], row)
            if not row["frames"]:
                num_missing += 1
                continue
            videos.append(
                ListedVideo(row["id"], f"{row['label']}/{row['id']}_uncomp", suffix=".avi")
            )
            clips += _clips(row, _subset(row, subsets))
        return Annotations(
            videos, clips, _CLASSES, left_out={_MISSING: num_missing} if num_missing else {}
        )

    def _rows(self, annotations: Sequence[Path]) -> Iterator[tuple[Row, Mapping[str, str]]]:
        """A row for each video, and the subsets of persons as the lines above name them.

        Raises:
            InputError: a line below the first video's that is none.
        """
        for path in files_of(annotations, "00sequences.txt"):
            subsets: dict[str, str] = {}
            below = False
            for number, text in read_lines(path, self.encoding):
                if persons := _PERSONS.fullmatch(text):
                    for person in re.findall(r"\d+", persons["persons"]):
                        subsets[person] = _SUBSETS[persons["subset"]]
                elif video := _VIDEO.fullmatch(text):
                    below = True
                    yield Row(path, number, video.groupdict("")), subsets
                elif below or text.startswith("person"):
                    Row(path, number, {}).refuse(
                        "expected a line such as 'person01_boxing_d1 frames 1-95, 96-185', "
                        f"got {text!r}"
                    )


def _subset(row: Row, subsets: Mapping[str, str]) -> str:
    if row["person"] not in subsets:
        row.refuse(
            f"person {row['person']} is in none of the subsets that the lines above it name, as "
            "'Training:   person11, 12' does"
        )
    return subsets[row["person"]]


def _clips(row: Row, subset: str) -> Iterator[Clip]:
    """One for each pair of frames of a row."""
    for number, text in enumerate(row["frames"].split(","), 1):
        match = _FRAMES.fullmatch(text.strip())
        first, last = (int(match["first"]), int(match["last"])) if match else (0, 0)
        if not 1 <= first < last:
            row.refuse(f"expected the first and the last frame of a clip, as '1-95', got {text!r}")
        # Half a frame early, so that no rounding of times puts a frame into another clip.
        start, end = (first - 1.5) / FRAMES_PER_SECOND, (last - 0.5) / FRAMES_PER_SECOND
        yield Clip(
            id=f"{row['id']}/{number}",
            video_id=row["id"],
            start_seconds=max(start, 0.0),
            end_seconds=end,
            labels=(TimedLabel(row["label"]),),
            splits={SPLIT: subset},
        )
