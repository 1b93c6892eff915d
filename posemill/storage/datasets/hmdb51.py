"""HMDB51 and JHMDB: three splits of clips of one class each.

HMDB51 is Kuehne et al., ICCV 2011. JHMDB (Jhuang et al., ICCV 2013) is a part of it: its
split files are of the same form, and each clip is in each split.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import ClassVar

from posemill.errors import InputError
from posemill.schema import Clip, TimedLabel
from posemill.storage.datasets.annotation_files import LinesOfIds, files_of
from posemill.storage.datasets.base import Annotations, Dataset, ListedVideo
from posemill.storage.datasets.text_rows import Row, read_lines

_SPLIT_FILE = re.compile(r"(?P<label>.+)_test_split(?P<number>[1-9])\.txt")
_SUBSETS = {"0": None, "1": "train", "2": "test"}  # 0: of no use in this split


@dataclass(frozen=True)
class Hmdb51Dataset(Dataset):
    """The folder of split files of HMDB51."""

    name: ClassVar[str] = "hmdb51"
    title: ClassVar[str] = "HMDB51"
    files: ClassVar[str] = (
        "the folder of {CLASS}_test_split{1,2,3}.txt, a clip a line; 1 train, 2 test, 0 neither:\n"
        "  April_09_brush_hair_u_nm_np1_ba_goo_0.avi 1\n"
        "videos: [CLASS/]April_09_brush_hair_u_nm_np1_ba_goo_0.avi"
    )

    def read(self, annotations: Sequence[Path], names: Collection[str]) -> Annotations:  # noqa: ARG002
        splits: dict[str, dict[str, str]] = {}
        labels: dict[str, str] = {}
        for label, split, rows in self._files(annotations):
            ids = LinesOfIds(f"clip of split {split}")
            for row in rows:
                subset = _subset(row)
                clip_id = row.id_of("name", f"{label}/{PurePosixPath(row['name']).stem}")
                ids.add(clip_id, row)
                labels[clip_id] = label
                splits.setdefault(clip_id, {}).update({} if subset is None else {split: subset})
        return Annotations(
            videos=[ListedVideo(clip_id, clip_id, suffix=".avi") for clip_id in sorted(labels)],
            clips=[
                Clip(id=each, video_id=each, labels=(TimedLabel(label),), splits=splits[each])
                for each, label in sorted(labels.items())
            ],
            classes=sorted(set(labels.values())),
        )

    def _files(self, annotations: Sequence[Path]) -> Iterator[tuple[str, str, Iterator[Row]]]:
        """Class, name of the split, and lines of each file."""
        for path in files_of(annotations, "*_test_split[1-9].txt"):
            match = _SPLIT_FILE.fullmatch(path.name)
            if match is None:
                raise InputError(f"{path}: is not called {{CLASS}}_test_split{{NUMBER}}.txt")
            yield match["label"], f"split{match['number']}", self._lines(path)

    def _lines(self, path: Path) -> Iterator[Row]:
        for number, text in read_lines(path, self.encoding):
            name, _, subset = text.rpartition(" ")
            yield Row(path, number, {"name": name.strip(), "subset": subset})


@dataclass(frozen=True)
class JhmdbDataset(Hmdb51Dataset):
    """The folder of split files of JHMDB."""

    name: ClassVar[str] = "jhmdb"
    title: ClassVar[str] = "JHMDB"


def _subset(row: Row) -> str | None:
    if row["subset"] not in _SUBSETS or not row["name"]:
        row.refuse(
            f"expected the name of a clip and 0, 1 or 2, got {row['name']!r} and {row['subset']!r}"
        )
    return _SUBSETS[row["subset"]]
