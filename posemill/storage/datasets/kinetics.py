"""Kinetics-400, 600 and 700 (Kay et al. 2017, arXiv:1705.06950): a labelled clip of ten seconds
each, cut out of the web video that it is from.

The videos are expected under the names that the usual downloaders give,
`{youtube_id}_{start:06d}_{end:06d}.mp4`, in a folder per subset and class or in any other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from posemill.schema import Clip, TimedLabel
from posemill.storage.datasets.annotation_files import LinesOfIds, files_of
from posemill.storage.datasets.base import Annotations, Dataset, ListedVideo
from posemill.storage.datasets.text_rows import Row, read_table
from posemill.storage.datasets.tree import SPLIT

_SUBSETS = {"train": "train", "val": "val", "validate": "val", "validation": "val", "test": "test"}
COLUMNS = ("youtube_id", "time_start", "time_end")
"""Of a table in which each row is a clip of a web video."""
_MAX_SECONDS = 999_999  # of the six digits in a name


@dataclass(frozen=True)
class KineticsDataset(Dataset):
    """The CSV files of one of the three, or of a part of it."""

    name: ClassVar[str] = "kinetics"
    title: ClassVar[str] = "Kinetics-400, 600 and 700"
    files: ClassVar[str] = (
        "train.csv, val.csv and test.csv, or the folder of them; test.csv may lack the labels:\n"
        "  label,youtube_id,time_start,time_end,split,is_cc\n"
        "  testifying,---QUuC4vJs,84,94,validate,0\n"
        "videos: [SUBSET/][CLASS/]---QUuC4vJs_000084_000094.mp4"
    )

    def read(self, annotations: Sequence[Path], names: Collection[str]) -> Annotations:  # noqa: ARG002
        videos, clips, ids = list[ListedVideo](), list[Clip](), LinesOfIds("clip")
        for row in self._rows(annotations):
            id_, label, subset = clip_id(row), row["label"], _subset(row)
            ids.add(id_, row)
            folder = f"{subset}/{label}" if label else subset
            videos.append(ListedVideo(id_, row.id_of("label", f"{folder}/{id_}")))
            clips.append(
                Clip(
                    id=id_,
                    video_id=id_,
                    labels=(TimedLabel(label),) if label else (),
                    splits={SPLIT: subset},
                )
            )
        # Classes are the training labels', sorted: the numbers of published models.
        classes = sorted({label.name for clip in clips for label in clip.labels})
        return Annotations(videos, clips, classes)

    def _rows(self, annotations: Sequence[Path]) -> Iterator[Row]:
        for path in files_of(annotations, "*.csv"):
            yield from read_table(path, (*COLUMNS, "split"), ("label",), encoding=self.encoding)


def clip_id(row: Row) -> str:
    """The name of a row's video, as the usual downloaders give it, without suffix.

    Raises:
        InputError: a start that is not before the end, or what cannot be in a name.
    """
    start, end = (round(row.number(column)) for column in ("time_start", "time_end"))
    if not 0 <= start < end <= _MAX_SECONDS:
        row.refuse(f"the clip's span is [{start}, {end}) s, expected a start before an end")
    return row.id_of("youtube_id", f"{row['youtube_id']}_{start:06d}_{end:06d}")


def _subset(row: Row) -> str:
    subset = _SUBSETS.get(row["split"])
    if subset is None:
        row.refuse(f"the split is {row['split']!r}, expected one of {', '.join(_SUBSETS)}")
    return subset
