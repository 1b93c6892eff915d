"""Charades (Sigurdsson et al., ECCV 2016, arXiv:1604.01753): videos of half a minute, in which
people do several things, often at once; each action with its time.

The form is that of the makers' README.txt, read in a copy. What it does not tell (from memory of
the files): an action may end after the video, and its end may lie before its start. The
evaluation of whole videos (Charades_v1_classify.m) asks for a class wherever it is, so such an
action keeps its label there, without times, and is left out as a clip of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from posemill.errors import InputError
from posemill.schema import Clip, TimedLabel
from posemill.settings import setting
from posemill.storage.datasets.annotation_files import LinesOfIds, files_of
from posemill.storage.datasets.base import Annotations, Dataset, ListedVideo
from posemill.storage.datasets.text_rows import Row, read_lines, read_table
from posemill.storage.datasets.tree import SPLIT

_CLASSES = "_classes.txt"
_SUBSETS = {"_train.csv": "train", "_test.csv": "test"}
_NO_TIME = "actions without a time in the video"
_NO_SPAN = "times of actions, outside their videos or backward, whose labels stay"
_NO_ACTION = "videos without a timed action"


@dataclass(frozen=True, slots=True)
class _Action:
    label: str
    span: tuple[float, float] | None
    """In seconds of the video; None where the times that are given cannot be."""


@dataclass(frozen=True)
class CharadesDataset(Dataset):
    """The files of annotations that come as Charades.zip."""

    name: ClassVar[str] = "charades"
    title: ClassVar[str] = "Charades"
    files: ClassVar[str] = (
        "Charades_v1_train.csv, Charades_v1_test.csv and Charades_v1_classes.txt, or their "
        "folder:\n"
        "  id,subject,scene,quality,relevance,verified,script,objects,descriptions,actions,length\n"
        '  46GP8,HR43,Kitchen,6,7,Yes,"...",food,"...",c092 11.90 21.20;c147 0.00 12.60,24.83\n'
        "  c092 Watching/Looking outside of a window\n"
        "videos: 46GP8.mp4"
    )

    unit: Literal["video", "segment"] = setting(
        "video", "a clip is a whole video with all of its labels, or the time of an action"
    )

    def read(self, annotations: Sequence[Path], names: Collection[str]) -> Annotations:  # noqa: ARG002
        files = files_of(annotations, *(f"Charades_v1{end}" for end in (*_SUBSETS, _CLASSES)))
        classes = self._classes([path for path in files if path.name.endswith(_CLASSES)])
        videos, clips, ids = list[ListedVideo](), list[Clip](), LinesOfIds("video")
        left_out = Counter[str]()
        for subset, row in self._rows(files):
            video_id = row.id_of("id", row["id"])
            ids.add(video_id, row)
            actions = _actions(row, classes)
            num_without = sum(action.span is None for action in actions)
            if self.unit == "video":
                found = [_whole(video_id, actions, subset)]
                left_out[_NO_SPAN] += num_without
            else:
                found = _segments(row, actions, subset)
                left_out[_NO_TIME] += num_without
                left_out[_NO_ACTION] += not found
            clips += found
            # Of all segments one video, whole: it is decoded once, and for either unit.
            videos += [ListedVideo(video_id, video_id)] if found else []
        return Annotations(videos, clips, [*classes.values()], +left_out)

    def _classes(self, paths: Sequence[Path]) -> Mapping[str, str]:
        """Names by code, in the order of the codes.

        Raises:
            InputError: none or several files, or a line that names no class of its own.
        """
        if len(paths) != 1:
            raise InputError(
                f"{self.name}: {len(paths)} files *{_CLASSES} are given, expected one, "
                "which names the classes. Give Charades_v1_classes.txt with the others."
            )
        names: dict[str, str] = {}
        codes, labels = LinesOfIds("code"), LinesOfIds("class")
        for number, text in read_lines(paths[0], self.encoding):
            code, *rest = text.split(maxsplit=1)
            row = Row(paths[0], number, {"code": code, "class": "".join(rest)})
            if not (code[:1] == "c" and code[1:].isdecimal() and row["class"]):
                row.refuse(f"expected a line such as 'c008 Opening a door', got {text!r}")
            codes.add(code, row)
            labels.add(row["class"], row)
            names[code] = row["class"]
        return dict(sorted(names.items()))

    def _rows(self, files: Sequence[Path]) -> Iterator[tuple[str, Row]]:
        """Subset and row of each video."""
        for path in files:
            if path.name.endswith(_CLASSES):
                continue
            subset = next((_SUBSETS[end] for end in _SUBSETS if path.name.endswith(end)), None)
            if subset is None:
                raise InputError(
                    f"{path}: is not called Charades_v1_train.csv, Charades_v1_test.csv or "
                    "Charades_v1_classes.txt. Give those files, by their own names."
                )
            for row in read_table(path, ("id", "actions"), ("length",), encoding=self.encoding):
                yield subset, row


def _actions(row: Row, classes: Mapping[str, str]) -> list[_Action]:
    """The actions of a row; none where nothing is annotated.

    Raises:
        InputError: one that is not a code and two times, or of no class.
    """
    # The column `length` is younger than the files, which were first given out without it.
    length = row.number("length") if row["length"] else None
    actions = list[_Action]()
    for text in filter(None, map(str.strip, row["actions"].split(";"))):
        code, *times = text.split()
        if code not in classes or len(times) != 2:
            row.refuse(f"expected an action such as 'c092 11.90 21.20' of a class, got {text!r}")
        seconds = Row(row.path, row.line, {"start of an action": times[0], "its end": times[1]})
        start, end = seconds.number("start of an action"), seconds.number("its end")
        end = end if length is None else min(end, length)
        actions.append(_Action(classes[code], (start, end) if 0 <= start < end else None))
    return actions


def _whole(video_id: str, actions: Sequence[_Action], subset: str) -> Clip:
    return Clip(
        id=video_id,
        video_id=video_id,
        labels=tuple(TimedLabel(each.label, *(each.span or (None, None))) for each in actions),
        splits={SPLIT: subset},
    )


def _segments(row: Row, actions: Sequence[_Action], subset: str) -> list[Clip]:
    """A clip for each time of an action; actions of the same time are labels of one clip."""
    labels: dict[tuple[float, float], dict[str, None]] = {}
    for action in actions:
        if action.span is not None:
            labels.setdefault(action.span, {})[action.label] = None
    return [
        Clip(
            id=row.id_of("id", f"{row['id']}@{start}-{end}"),
            video_id=row["id"],
            start_seconds=start,
            end_seconds=end,
            labels=tuple(map(TimedLabel, names)),
            splits={SPLIT: subset},
        )
        for (start, end), names in labels.items()
    ]
