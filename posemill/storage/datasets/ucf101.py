"""UCF101 (Soomro et al. 2012, arXiv:1212.0402): three splits of clips of one class each.

The files are those of the makers' UCF101TrainTestSplits-RecognitionTask.zip, as other people's
code quotes their lines. Lists of training end their lines with the class's number, lists of tests
do not: the class is the folder's. Copies do not spell HandstandPushups with the same capitals.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from posemill.errors import InputError
from posemill.schema import Clip, TimedLabel
from posemill.storage.datasets.annotation_files import LinesOfIds, files_of
from posemill.storage.datasets.base import Annotations, Dataset, ListedVideo
from posemill.storage.datasets.text_rows import Row, read_lines

_CLASSES = "classInd.txt"
_LIST = re.compile(r"(?P<subset>train|test)list0(?P<number>[1-9])\.txt")
_LINE = re.compile(r"(?P<label>[^/]+)/(?P<name>[^/]+?)(?:\.avi)?(?:\s+(?P<number>\S+))?")


@dataclass(frozen=True)
class Ucf101Dataset(Dataset):
    """The folder of the splits of UCF101."""

    name: ClassVar[str] = "ucf101"
    title: ClassVar[str] = "UCF101"
    files: ClassVar[str] = (
        "classInd.txt, trainlist0{1,2,3}.txt and testlist0{1,2,3}.txt, or the folder of them:\n"
        "  1 ApplyEyeMakeup\n"
        "  ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01.avi 1\n"
        "  ApplyEyeMakeup/v_ApplyEyeMakeup_g01_c01.avi\n"
        "videos: [CLASS/]v_ApplyEyeMakeup_g08_c01.avi"
    )

    def read(self, annotations: Sequence[Path], names: Collection[str]) -> Annotations:  # noqa: ARG002
        files = files_of(annotations, _CLASSES, "trainlist0[1-9].txt", "testlist0[1-9].txt")
        classes = self._classes([path for path in files if path.name == _CLASSES])
        by_folder = {label.casefold(): label for label in classes.values()}
        labels: dict[str, str] = {}
        splits: dict[str, dict[str, str]] = {}
        ids: dict[str, LinesOfIds] = {}
        for split, subset, row in self._rows(files):
            label = by_folder.get(row["label"].casefold())
            if label is None or (row["number"] and classes.get(row["number"]) != label):
                row.refuse(
                    f"the class is {row['label']!r} and its number {row['number'] or '(none)'}; "
                    f"{_CLASSES} has no such class"
                )
            clip_id = row.id_of("name", f"{label}/{row['name']}")
            ids.setdefault(split, LinesOfIds(f"clip of {split}")).add(clip_id, row)
            labels[clip_id] = label
            splits.setdefault(clip_id, {})[split] = subset
        return Annotations(
            videos=[ListedVideo(clip_id, clip_id, suffix=".avi") for clip_id in sorted(labels)],
            clips=[
                Clip(id=each, video_id=each, labels=(TimedLabel(label),), splits=splits[each])
                for each, label in sorted(labels.items())
            ],
            classes=[*classes.values()],
        )

    def _classes(self, paths: Sequence[Path]) -> Mapping[str, str]:
        """Names by number, in the order of the numbers.

        Raises:
            InputError: none or several files, or a line that names no class of its own.
        """
        if len(paths) != 1:
            raise InputError(
                f"{self.name}: {len(paths)} files {_CLASSES} are given, expected one, which "
                "names the classes. Give it with the lists."
            )
        names: dict[int, str] = {}
        numbers, labels = LinesOfIds("number"), LinesOfIds("class")
        for line, text in read_lines(paths[0], self.encoding):
            number, *rest = text.split(maxsplit=1)
            row = Row(paths[0], line, {"number": number, "class": "".join(rest)})
            if not row["class"]:
                row.refuse(f"expected a line such as '1 ApplyEyeMakeup', got {text!r}")
            numbers.add(str(row.whole("number", 1, 1_000_000)), row)
            labels.add(row["class"].casefold(), row)
            names[int(number)] = row["class"]
        return {str(number): label for number, label in sorted(names.items())}

    def _rows(self, files: Sequence[Path]) -> Iterator[tuple[str, str, Row]]:
        """Split, subset and line of each clip."""
        for path in files:
            if path.name == _CLASSES:
                continue
            match = _LIST.fullmatch(path.name)
            if match is None:
                raise InputError(
                    f"{path}: is not called {_CLASSES}, trainlist01.txt or testlist01.txt. "
                    "Give those files, by their own names."
                )
            for line, text in read_lines(path, self.encoding):
                yield f"split{match['number']}", match["subset"], _row(path, line, text)


def _row(path: Path, line: int, text: str) -> Row:
    found = _LINE.fullmatch(text)
    if found is None:
        Row(path, line, {}).refuse(
            f"expected a line such as 'ApplyEyeMakeup/v_ApplyEyeMakeup_g01_c01.avi', got {text!r}"
        )
    return Row(path, line, found.groupdict(""))
