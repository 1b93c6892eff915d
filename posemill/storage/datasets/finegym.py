"""FineGym (Shao et al., CVPR 2020, arXiv:2004.06704): elements of gymnastics, cut out of
competitions.

Form and meaning of the files are as the dataset's page tells them (sdolivia.github.io/FineGym).
An event lies in its video; an element lies in its event, so its times count from the event's
start, and a vault has three stages, one after the other, which are one clip. The whole seconds
in the names are cut off and only name; version 1.1 names elements without ambiguity.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

from posemill.errors import InputError
from posemill.schema import Clip, TimedLabel
from posemill.settings import setting
from posemill.storage.datasets.annotation_files import LinesOfIds, files_of
from posemill.storage.datasets.base import Annotations, Dataset, ListedVideo
from posemill.storage.datasets.json_file import read_json
from posemill.storage.datasets.text_rows import Row, read_lines
from posemill.storage.datasets.tree import SPLIT

_TIMES = re.compile(r"finegym_annotation_info_v(?P<version>[\d.]+)\.json")
_SPLIT_FILE = re.compile(
    r"gym(?P<gym>\d+)_(?P<subset>train|val)_element(_v(?P<version>[\d.]+))?\.txt"
)
_CLASS_FILE = re.compile(r"gym(?P<gym>\d+)_categories\.txt")
_CLASS = re.compile(r"Clabel:\s*(?P<number>\d{1,9});.*(?P<element>Glabel:\s*\d+);\s*(?P<name>.+)")
_ELEMENT = re.compile(r"(?P<video>.+)_(?P<event>E_\d{6}_\d{6})_(?P<element>A_\d{4}_\d{4})")


class _Span(NamedTuple):
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class _Files:
    times: Path
    subsets: Mapping[Path, str]
    classes: Path | None


@dataclass(frozen=True)
class FineGymDataset(Dataset):
    """The times and the lists of elements of Gym99 or Gym288."""

    name: ClassVar[str] = "finegym"
    title: ClassVar[str] = "FineGym"
    files: ClassVar[str] = (
        "the folder of one version's files:\n"
        "  finegym_annotation_info_v1.1.json:\n"
        '    {"0LtLS9wROrk": {"E_002407_002435": {"event": 4, "timestamps": [[2407.32, 2435.28]],\n'
        '      "segments": {"A_0003_0005": {"stages": 1, "timestamps": [[3.45, 5.64]]}}}}}\n'
        "  gym99_train_element_v1.1.txt, gym99_val_element.txt:\n"
        "    0LtLS9wROrk_E_002407_002435_A_0003_0005 78\n"
        "  gym99_categories.txt, without which the classes are called by their numbers:\n"
        "    Clabel:  78; set: 41; Glabel: 413; (UB) giant circle backward with 0.5 turn\n"
        "videos: 0LtLS9wROrk.mp4, whole"
    )

    gym: Literal["99", "288"] = setting("99", "number of classes")

    def read(self, annotations: Sequence[Path], names: Collection[str]) -> Annotations:  # noqa: ARG002
        files = self._files(annotations)
        times = _object(files.times, "it", read_json(files.times))
        classes = self._classes(files.classes)
        clips, ids, left_out = list[Clip](), LinesOfIds("element"), Counter[str]()
        for path, subset in files.subsets.items():
            for row in self._rows(path):
                ids.add(row["id"], row)
                clip = self._clip(row, files.times, times, classes, subset)
                if clip is None:
                    left_out["elements without times"] += 1
                else:
                    clips.append(clip)
        videos = [
            ListedVideo(video, video, *_extent(files.times, video, times[video]))
            for video in dict.fromkeys(clip.video_id for clip in clips)
        ]
        return Annotations(videos, clips, classes, left_out)

    def _files(self, annotations: Sequence[Path]) -> _Files:
        paths = files_of(
            annotations,
            "finegym_annotation_info_v*.json",
            f"gym{self.gym}_*_element*.txt",
            f"gym{self.gym}_categories.txt",
        )
        times = {path: match for path in paths if (match := _TIMES.fullmatch(path.name))}
        lists = {path: match for path in paths if (match := _SPLIT_FILE.fullmatch(path.name))}
        classes = {path: match for path in paths if (match := _CLASS_FILE.fullmatch(path.name))}
        for path in paths:
            match = lists.get(path) or classes.get(path)
            if path not in times and (match is None or match["gym"] != self.gym):
                raise InputError(f"{path}: is no file of Gym{self.gym}. Expected {self.files}")
        versions = {match["version"] for match in [*times.values(), *lists.values()]} - {None}
        if len(times) != 1 or len(versions) != 1 or len(classes) > 1:
            raise InputError(
                f"{', '.join(path.name for path in paths)}: expected one "
                "finegym_annotation_info_v{VERSION}.json and lists of its version. Give the files "
                "of one version, in place of their folder."
            )
        subsets = {path: match["subset"] for path, match in lists.items()}
        return _Files(next(iter(times)), subsets, next(iter(classes), None))

    def _rows(self, path: Path) -> Iterator[Row]:
        for number, text in read_lines(path, self.encoding):
            id_, _, label = text.rpartition(" ")
            yield Row(path, number, {"id": id_.strip(), "label": label})

    def _classes(self, path: Path | None) -> list[str]:
        if path is None:
            return [str(number) for number in range(int(self.gym))]
        found = list[re.Match[str]]()
        for number, text in read_lines(path, self.encoding):
            match = _CLASS.fullmatch(text)
            if match is None or int(match["number"]) != len(found):
                raise InputError(
                    f"{path}, line {number}: is {text!r}; expected the next class, 'Clabel: "
                    f"{len(found)}; set: ...; Glabel: ...; NAME'. Correct the line."
                )
            found.append(match)
        if len(found) != int(self.gym):
            raise InputError(f"{path}: has {len(found)} classes; expected {self.gym}.")
        return _names(found)

    def _clip(
        self,
        row: Row,
        path: Path,
        times: Mapping[str, Any],
        classes: Sequence[str],
        subset: str,
    ) -> Clip | None:
        label = classes[row.whole("label", 0, len(classes) - 1)]
        match = _ELEMENT.fullmatch(row["id"])
        if match is None:
            row.refuse(f"expected VIDEO_E_ssssss_eeeeee_A_ssss_eeee and a class, got {row['id']!r}")
        row.id_of("id", match["video"])
        row.id_of("id", row["id"])
        span = _element_span(path, times, match)
        if span is None:
            return None
        return Clip(
            id=row["id"],
            video_id=match["video"],
            start_seconds=span.start,
            end_seconds=span.end,
            labels=(TimedLabel(label),),
            splits={SPLIT: subset},
        )


def _names(classes: Sequence[re.Match[str]]) -> list[str]:
    """Their names; where two have one, as saltos within and at the end of an exercise have, with
    the number among all of FineGym's elements."""
    shared = Counter(each["name"] for each in classes)
    return [
        each["name"] if shared[each["name"]] == 1 else f"{each['name']}, {each['element']}"
        for each in classes
    ]


def _element_span(path: Path, times: Mapping[str, Any], match: re.Match[str]) -> _Span | None:
    """When an element is, in seconds of its video; None where that is not told.

    Raises:
        InputError: what is there is of another form.
    """
    video, name = match["video"], match["event"]
    event = _object(path, video, times.get(video)).get(name)
    place = f"{video}, {name}"
    segments = _object(path, place, event).get("segments")
    element = _object(path, f"{place}, segments", segments).get(match["element"])
    if element is None:
        return None
    within = _span(path, f"{place}, {match['element']}", element)
    start = _span(path, place, event).start
    return _Span(start + within.start, start + within.end)


def _extent(path: Path, video: str, events: Mapping[str, Any]) -> _Span:
    """From the start of the first event to the end of the last: whatever the classes, the same
    part of a video is decoded."""
    spans = [_span(path, f"{video}, {name}", event) for name, event in events.items()]
    return _Span(min(span.start for span in spans), max(span.end for span in spans))


def _span(path: Path, place: str, found: object) -> _Span:
    """From the start of the first stage to the end of the last."""
    stages = _object(path, place, found).get("timestamps")
    try:
        (start, _), (_, end) = stages[0], stages[-1]  # type: ignore[index]
        span = _Span(float(start), float(end))
    except (TypeError, ValueError, LookupError, OverflowError):
        span = _Span(0.0, 0.0)
    if not (0.0 <= span.start < span.end and isfinite(span.end)):
        raise InputError(
            f"{path}: the timestamps of {place} are {str(stages)[:80]}; expected [[start, end], "
            "...] in seconds. Correct the file."
        )
    return span


def _object(path: Path, place: str, found: object) -> dict[str, Any]:
    """A JSON object; nothing counts as an empty one: an event without elements has null."""
    if not isinstance(found, dict | None):
        raise InputError(
            f"{path}: {place} is {str(found)[:80]}; expected a JSON object. Correct the file."
        )
    return found or {}
