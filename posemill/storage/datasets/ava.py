"""AVA v2.x (Gu et al., CVPR 2018, arXiv:1705.08421): what each person does, once a second.

Form and meaning of the files are those that the dataset's own evaluation reads
(activitynet/ActivityNet, `Evaluation/get_ava_performance.py`) and its download page tells of:
keyframes at 902 to 1798 s of each film, boxes in fractions of the frame, several rows for the
several actions of a person. Annotators saw the three seconds around each keyframe.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NamedTuple

from posemill.errors import InputError
from posemill.schema import Clip, TimedBox, TimedLabel
from posemill.settings import setting, unusable
from posemill.storage.datasets.annotation_files import files_of
from posemill.storage.datasets.base import Annotations, Dataset, ListedVideo
from posemill.storage.datasets.person_box import box_in_frame
from posemill.storage.datasets.text_rows import Encoding, Row, read_lines, read_table
from posemill.storage.datasets.tree import SPLIT

_TABLE = re.compile(
    r"ava_(?P<subset>train|val|test)(?P<excluded>_excluded_timestamps)?_v(?P<version>[\d.]+)\.csv"
)
_PATTERNS = ("ava_*_v[0-9]*.csv", "*.pbtxt", "*.pbtxt.txt")
_COLUMNS = ("video", "second", "x1", "y1", "x2", "y2", "action", "person")
_CLASS = re.compile(r'name:\s*"(?P<name>[^"]+)"\s*(?:label_)?id:\s*(?P<number>\d{1,9})(?!\d)')
_DAY = 86_400
_MAX_NUMBER = 1 << 31
_MAX_ACTION = 80
_MAX_BEYOND = 0.25  # of the frame; what is further out is no fraction of it


class _Place(NamedTuple):
    """Where a person was seen, by which rows are of one person."""

    video: str
    second: int
    edges: tuple[float, ...]


@dataclass(slots=True)
class _Person:
    subset: str
    number: str
    """Through the video; empty before version 2."""
    box: TimedBox
    actions: list[int]


@dataclass(frozen=True)
class AvaDataset(Dataset):
    """The CSV files of a version and its map of class names: a clip for each person and keyframe.

    Of the test videos there are no labels, and so no clips.
    """

    name: ClassVar[str] = "ava"
    title: ClassVar[str] = "AVA"
    files: ClassVar[str] = (
        "the folder of one version's files:\n"
        "  ava_train_v2.2.csv, ava_val_v2.2.csv (video,second,x1,y1,x2,y2,action,person):\n"
        "    -5KQ66BBWC4,0902,0.077,0.151,0.283,0.811,80,1\n"
        "  ava_{train,val}_excluded_timestamps_v2.2.csv: seconds to leave out:\n"
        "    -5KQ66BBWC4,0902\n"
        "  ava_action_list_v2.2.pbtxt (all 80 classes; alone the one with 60, for the challenge):\n"
        '    label { name: "bend/bow (at the waist)" label_id: 1 }\n'
        "videos: [trainval/]-5KQ66BBWC4.mkv"
    )

    seconds: float = setting(3.0, "of a clip, around its keyframe", low=0.04, high=60, unit="s")
    keyframes: tuple[float, float] = setting(
        (902.0, 1798.0),
        "where in the films the first and the last annotated ones may be",
        low=0,
        high=_DAY,
        unit="s",
    )
    context: float = setting(
        0.0, "decoded before the first and after the last clip", low=0, high=900, unit="s"
    )
    offset: float = setting(
        0.0,
        "of each film that its file lacks at the start, where it was cut",
        low=0,
        high=_DAY,
        unit="s",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.offset > self.keyframes[0]:
            first = self.keyframes[0]
            raise unusable(
                self, "offset", self.offset, f"{first} s, keyframes' first, or less", first
            )

    def read(self, annotations: Sequence[Path], names: Collection[str]) -> Annotations:  # noqa: ARG002
        paths = files_of(annotations, *_PATTERNS)
        tables = _tables([path for path in paths if path.suffix == ".csv"])
        classes = _classes([path for path in paths if path.suffix != ".csv"], self.encoding)
        excluded = set(self._excluded(tables))
        left_out = Counter[str]()
        people: dict[_Place, _Person] = {}
        for path, match in tables.items():
            if not match["excluded"]:
                for row in self._rows(path, _COLUMNS, _COLUMNS[-1:]):
                    self._add(people, row, match["subset"], classes, excluded, left_out)
        return Annotations(
            videos=self._videos(people),
            clips=list(self._clips(people, classes)),
            classes=[classes[number] for number in sorted(classes)],
            left_out=left_out,
        )

    def _rows(
        self, path: Path, header: Sequence[str], optional: Sequence[str] = ()
    ) -> Iterator[Row]:
        required = [name for name in header if name not in optional]
        return read_table(path, required, optional, header=header, encoding=self.encoding)

    def _excluded(self, tables: Mapping[Path, re.Match[str]]) -> Iterator[tuple[str, int]]:
        for path, match in tables.items():
            if match["excluded"]:
                for row in self._rows(path, _COLUMNS[:2]):
                    yield row["video"], row.whole("second", 0, _DAY)

    def _add(
        self,
        people: dict[_Place, _Person],
        row: Row,
        subset: str,
        classes: Mapping[int, str],
        excluded: Collection[tuple[str, int]],
        left_out: Counter[str],
    ) -> None:
        second, action = row.whole("second", 0, _DAY), row.whole("action", 1, _MAX_ACTION)
        if (row["video"], second) in excluded:
            left_out["labels at excluded seconds"] += 1
            return
        if action not in classes:
            left_out["labels of classes that the map lacks"] += 1
            return
        place = _Place(row["video"], second, tuple(map(row.number, _COLUMNS[2:6])))
        person = people.get(place)
        if person is None:
            box, is_clipped = self._box(row, place)
            left_out.update({"parts of boxes beyond the frame": 1} if is_clipped else {})
            person = people[place] = _Person(subset, _number(row), box, [])
        elif person.subset != subset:
            row.refuse(f"the person is in the file of {person.subset}, too")
        if action in person.actions:
            left_out["labels that are there twice"] += 1
        else:
            person.actions.append(action)

    def _box(self, row: Row, place: _Place) -> tuple[TimedBox, bool]:
        first, last = self.keyframes
        if not first <= place.second <= last:
            row.refuse(
                f"the keyframe at {place.second} s is not from {first} to {last} s (of other "
                "films: --set keyframes=FIRST,LAST)"
            )
        if not all(-_MAX_BEYOND <= edge <= 1 + _MAX_BEYOND for edge in place.edges):
            row.refuse(
                f"the box has the edges {', '.join(f'{edge:g}' for edge in place.edges)}; expected "
                "x1, y1, x2, y2 in fractions of the frame, from 0 to 1 or a little beyond"
            )
        row.id_of("video", _longest_id(place))
        try:
            return box_in_frame(place.second - self.offset, *place.edges)
        except ValueError as error:
            row.refuse(str(error))

    def _videos(self, people: Mapping[_Place, _Person]) -> list[ListedVideo]:
        first, last = (each - self.offset for each in self.keyframes)
        around = self.seconds / 2 + self.context
        return [
            ListedVideo(video, video, max(first - around, 0.0), last + around)
            for video in dict.fromkeys(place.video for place in people)
        ]

    def _clips(
        self, people: Mapping[_Place, _Person], classes: Mapping[int, str]
    ) -> Iterator[Clip]:
        shared = Counter((p.video, p.second, person.number) for p, person in people.items())
        for place, person in people.items():
            alone = person.number and shared[place.video, place.second, person.number] == 1
            middle = person.box.seconds
            yield Clip(
                id=f"{_keyframe(place)}/{person.number}" if alone else _longest_id(place),
                video_id=place.video,
                start_seconds=max(middle - self.seconds / 2, 0.0),
                end_seconds=middle + self.seconds / 2,
                labels=tuple(TimedLabel(classes[action]) for action in sorted(person.actions)),
                splits={SPLIT: person.subset},
                boxes=(person.box,),
            )


def _keyframe(place: _Place) -> str:
    return f"{place.video}/{place.second:04d}"


def _longest_id(place: _Place) -> str:
    """Of a person without a number, or whose number two have: by the box, as it is written."""
    return f"{_keyframe(place)}/{'_'.join(map(str, place.edges))}"


def _number(row: Row) -> str:
    return str(row.whole("person", 0, _MAX_NUMBER)) if row["person"] else ""


def _tables(paths: Sequence[Path]) -> dict[Path, re.Match[str]]:
    """The CSV files, with what their names tell.

    Raises:
        InputError: one of another name, none, or files of two versions.
    """
    found: dict[Path, re.Match[str]] = {}
    for path in paths:
        match = _TABLE.fullmatch(path.name)
        if match is None:
            raise InputError(
                f"{path}: is not called ava_{{train,val}}[_excluded_timestamps]_v{{VERSION}}.csv, "
                "which tells what is in it. Give it the name that it was published with."
            )
        found[path] = match
    versions = sorted({match["version"] for match in found.values()})
    if len(versions) > 1:
        raise InputError(
            f"{paths[0].parent}: has files of the versions {', '.join(versions)}; expected one. "
            "Give the files of one."
        )
    return found


def _classes(paths: Sequence[Path], encoding: Encoding) -> dict[int, str]:
    """Name of each class by its number.

    Raises:
        InputError: no map, or two that do not agree.
    """
    classes: dict[int, str] = {}
    for path in paths:
        found = _CLASS.findall("\n".join(text for _, text in read_lines(path, encoding)))
        if not found:
            raise InputError(f'{path}: no class is in it. Expected name: "..." and label_id: 1.')
        for name, number in found:
            if classes.setdefault(int(number), name) != name:
                raise InputError(
                    f"{path}: class {number} is {name!r} and {classes[int(number)]!r}. Give one "
                    "map of classes."
                )
    if not classes:
        raise InputError(
            "ava: no map of class names is given. Give ava_action_list_v2.2.pbtxt, too."
        )
    if twice := [name for name, count in Counter(classes.values()).items() if count > 1]:
        raise InputError(f"{paths[0]}: two classes are called {twice[0]!r}. Give another map.")
    return classes
