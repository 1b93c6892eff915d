"""The Volleyball dataset (Ibrahim et al., CVPR 2016, arXiv:1607.02643): what two teams do.

Lists of videos, classes and the windows of 41 frames are as the dataset's page tells them
(mostafa-saad/deep-activity-rec); so is the order `action x y w h` of a person, while its own
reader and the annotations that it shows have `x y w h action`. Boxes are in pixels of the
frames, some of which have 1280 x 720 and some 1920 x 1080.

A clip is about one person or about all. So there are two catalogs of the same videos: of what
the teams do, without boxes, and of what each person does, with the box at the middle frame.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar, Literal, NamedTuple

import cv2

from posemill.errors import InputError
from posemill.schema import Clip, TimedBox, TimedLabel
from posemill.settings import setting
from posemill.storage.datasets.annotation_files import LinesOfIds, files_of
from posemill.storage.datasets.base import Annotations, Dataset, ListedVideo
from posemill.storage.datasets.person_box import box_in_frame
from posemill.storage.datasets.text_rows import Row, read_lines
from posemill.storage.datasets.tree import SPLIT

_VIDEOS = {
    "train": "1 3 6 7 10 13 15 16 18 22 23 31 32 36 38 39 40 41 42 48 50 52 53 54",
    "val": "0 2 8 12 17 19 24 26 27 28 30 33 46 49 51",
    "test": "4 5 9 11 14 20 21 25 29 34 35 37 43 44 45 47",
}
_SUBSETS = {video: subset for subset, videos in _VIDEOS.items() for video in videos.split()}
_RIGHT = ("r_set", "r_spike", "r-pass", "r_winpoint")
_LEFT = ("l_set", "l-spike", "l-pass", "l_winpoint")
_MIRRORS = MappingProxyType(dict(zip(_RIGHT + _LEFT, _LEFT + _RIGHT, strict=True)))
_ACTIVITIES = {name.replace("-", "_"): name for name in _MIRRORS}
_ACTIONS = (
    *("waiting", "setting", "digging", "falling", "spiking"),
    *("blocking", "jumping", "moving", "standing"),
)
_MIDDLE = 20  # of the 41 frames of a window, from 0
_NUM_VALUES = 5  # of a person
_BOX = ("x", "y", "w", "h")
_LARGEST = 1 << 16


class _Person(NamedTuple):
    action: str
    xywh: tuple[float, ...]


@dataclass(frozen=True)
class VolleyballDataset(Dataset):
    """The folder of the dataset, or some of its videos' `annotations.txt`."""

    name: ClassVar[str] = "volleyball"
    title: ClassVar[str] = "Volleyball"
    files: ClassVar[str] = (
        "the folder of {VIDEO}/annotations.txt, VIDEO 0 to 54: frame, activity, and each person's\n"
        "x y w h action, or action x y w h:\n"
        "  29885.jpg r_spike 430 575 82 170 waiting 563 491 82 177 waiting\n"
        "videos: 39/29885.mp4, made of the frames in 39/29885/"
    )

    unit: Literal["group", "person"] = setting("group", "what a clip is about")
    fps: float = setting(25.0, "of the videos that were made", low=1, high=240, unit="frames/s")

    def read(self, annotations: Sequence[Path], names: Collection[str]) -> Annotations:  # noqa: ARG002
        videos, clips, left_out = list[ListedVideo](), list[Clip](), Counter[str]()
        for path in files_of(annotations, "[0-9]*/annotations.txt", "annotations.txt"):
            rows = list(self._rows(path))
            size_wh = _frame_size(path, rows) if self.unit == "person" else None
            for row in rows:
                video_id = row["video"]
                videos.append(ListedVideo(video_id, video_id))
                if size_wh is None:
                    clips.append(_group_clip(row))
                else:
                    clips += self._person_clips(row, size_wh, left_out)
        return Annotations(
            videos, clips, _ACTIONS if self.unit == "person" else tuple(_MIRRORS), left_out
        )

    def _rows(self, path: Path) -> Iterator[Row]:
        number = path.resolve().parent.name
        if number not in _SUBSETS:
            raise InputError(
                f"{path}: is in the folder {number!r}; expected one that is called as its video, "
                "0 to 54, by which it is of train, val or test. Rename the folder."
            )
        ids = LinesOfIds("frame")
        for line, text in read_lines(path, self.encoding):
            frame, _, rest = text.partition(" ")
            activity, _, people = rest.strip().partition(" ")
            frame = frame.removesuffix(".jpg")
            values = {"frame": frame, "activity": activity, "people": people}
            row = Row(path, line, {"video": f"{number}/{frame}", "number": number, **values})
            row.whole("frame", 0, 10**9)
            ids.add(frame, row)
            yield row

    def _person_clips(
        self, row: Row, size_wh: tuple[int, int], left_out: Counter[str]
    ) -> Iterator[Clip]:
        for number, person in enumerate(_people(row)):
            box, is_clipped = self._box(row, person, size_wh)
            left_out.update({"parts of boxes beyond the frame": 1} if is_clipped else {})
            yield Clip(
                id=f"{row['video']}/{number:02d}",
                video_id=row["video"],
                labels=(TimedLabel(person.action),),
                splits={SPLIT: _SUBSETS[row["number"]]},
                boxes=(box,),
            )

    def _box(self, row: Row, person: _Person, size_wh: tuple[int, int]) -> tuple[TimedBox, bool]:
        (x, y, w, h), (width, height) = person.xywh, size_wh
        edges = (x / width, y / height, (x + w) / width, (y + h) / height)
        try:
            return box_in_frame(_MIDDLE / self.fps, *edges)
        except ValueError as error:
            row.refuse(f"the box {x:g} {y:g} {w:g} {h:g} of {width} x {height} px: {error}")


def _group_clip(row: Row) -> Clip:
    _people(row)
    activity = _ACTIVITIES.get(row["activity"].replace("-", "_"))
    if activity is None:
        row.refuse(f"the activity is {row['activity']!r}, expected one of {', '.join(_MIRRORS)}")
    return Clip(
        id=row["video"],
        video_id=row["video"],
        labels=(TimedLabel(activity),),
        mirror_label=_MIRRORS[activity],
        splits={SPLIT: _SUBSETS[row["number"]]},
    )


def _people(row: Row) -> list[_Person]:
    """The people of a row, in its order; of each the action is before the box or after it."""
    words = row["people"].split()
    is_first = words[:1] != [] and words[0] in _ACTIONS
    box_at, action_at = (1, 0) if is_first else (0, 4)
    people = list[_Person]()
    for start in range(0, len(words), _NUM_VALUES):
        one = words[start : start + _NUM_VALUES]
        if len(one) < _NUM_VALUES or one[action_at] not in _ACTIONS:
            row.refuse(
                f"a person is {' '.join(one)!r}; expected x y w h and one of {', '.join(_ACTIONS)}"
                + (", that first" if is_first else "")
            )
        box = Row(row.path, row.line, dict(zip(_BOX, one[box_at:], strict=False)))
        people.append(
            _Person(one[action_at], tuple(box.whole(name, -_LARGEST, _LARGEST) for name in _BOX))
        )
    return people


def _frame_size(path: Path, rows: Sequence[Row]) -> tuple[int, int]:
    """Width and height of a video's frames, of the first one that is beside its annotations.

    Raises:
        InputError: none is, or it is no picture.
    """
    frames = (path.parent / row["frame"] / f"{row['frame']}.jpg" for row in rows)
    frame = next((frame for frame in frames if frame.is_file()), None)
    picture = None if frame is None else cv2.imread(str(frame))
    if picture is None:
        raise InputError(
            f"{path}: {'no frame is beside it' if frame is None else f'{frame} is no picture'}, "
            "and boxes in pixels need the frames' size; expected FRAME/FRAME.jpg of one line at "
            "least. Put it there, or take --set unit=group."
        )
    height, width = picture.shape[:2]
    return width, height
