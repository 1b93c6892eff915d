"""Mimetics (Weinzaepfel and Rogez, IJCV 2021, arXiv:1912.07249): mimed actions of 50 classes of
Kinetics-400, to test on alone.

The columns are known from other people's code for the makers' file, which was not seen; the names
of the videos are those of the usual downloaders for Kinetics, as which people use it. Its classes
count from 0 among themselves: a model for Kinetics is to be asked by their names.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from posemill.schema import Clip, TimedLabel
from posemill.storage.datasets.annotation_files import LinesOfIds, files_of
from posemill.storage.datasets.base import Annotations, Dataset, ListedVideo
from posemill.storage.datasets.kinetics import COLUMNS, clip_id
from posemill.storage.datasets.text_rows import read_table
from posemill.storage.datasets.tree import SPLIT


@dataclass(frozen=True)
class MimeticsDataset(Dataset):
    """The file mimetics_v1.0.csv."""

    name: ClassVar[str] = "mimetics"
    title: ClassVar[str] = "Mimetics"
    files: ClassVar[str] = (
        "mimetics_v1.0.csv, or its folder:\n"
        "  youtube_id,label,time_start,time_end\n"
        "  ---QUuC4vJs,playing violin,84,94\n"
        "videos: [CLASS/]---QUuC4vJs_000084_000094.mp4"
    )

    def read(self, annotations: Sequence[Path], names: Collection[str]) -> Annotations:  # noqa: ARG002
        videos, clips, ids = list[ListedVideo](), list[Clip](), LinesOfIds("clip")
        for path in files_of(annotations, "mimetics*.csv"):
            for row in read_table(path, (*COLUMNS, "label"), encoding=self.encoding):
                ids.add(id_ := clip_id(row), row)
                videos.append(ListedVideo(id_, row.id_of("label", f"{row['label']}/{id_}")))
                label = TimedLabel(row["label"])
                clips.append(Clip(id=id_, video_id=id_, labels=(label,), splits={SPLIT: "test"}))
        return Annotations(
            videos=videos,
            clips=clips,
            classes=sorted({clip.labels[0].name for clip in clips}),
        )
