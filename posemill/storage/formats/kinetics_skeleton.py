"""ST-GCN's Kinetics-skeleton: a file of OpenPose's 18 joints for each clip.

::

    kinetics_train/---QUuC4vJs.json
        {"data": [{"frame_index": 1, "skeleton": [{"pose": [x0, y0, x1, ...36 numbers],
         "score": [c0, ...18 numbers]}, ...]}, ...], "label": "testifying", "label_index": 354}

Positions are parts of the frame's width and height. Sources: the README of yysijie/st-gcn tells
that all clips were made 340 x 256 px and 30 frames a second before OpenPose saw them;
tools/utils/openpose.py there divides by width and height, and writes frames in the order in
which a folder lists them, with OpenPose's numbers, from 0. In the published files
they start at 1. Nobody is followed. Labels are read by the data set `kinetics-skeleton`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from posemill.errors import UnreadablePoses
from posemill.schema import Float32
from posemill.settings import setting
from posemill.storage.file_tree import files_below
from posemill.storage.formats.base import PoseFormat, Source, SourcePoses
from posemill.storage.formats.file_names import file_source, file_sources
from posemill.storage.formats.frame_numbers import frame_index
from posemill.storage.formats.json_stream import read_members
from posemill.storage.formats.json_text import brief
from posemill.storage.formats.keypoint_list import OPENPOSE_HIGHEST_C, found_joints, number_list
from posemill.storage.formats.rows import SourceRows
from posemill.transforms.skeletons import COCO_18

_LABELS = re.compile(r"kinetics_(train|val|test)_label\.json")
_ENDS = (".json",)
_JOINTS = COCO_18.num_keypoints
_TOLD = "only OpenPose's 18 joints are taken"


@dataclass(frozen=True)
class KineticsSkeletonFormat(PoseFormat):
    """ST-GCN's JSON of Kinetics-skeleton: a file for each video."""

    name: ClassVar[str] = "kinetics-skeleton"
    version: ClassVar[int] = 1
    tells_size: ClassVar[bool] = True
    tells_fps: ClassVar[bool] = True

    size_wh: tuple[int, int] = setting(
        (340, 256), "width and height of the frames that OpenPose saw", low=1, high=65_536
    )
    fps: float = setting(30.0, "frames per second", low=0.001, high=100_000)
    first_frame: Literal["auto", "0", "1"] = setting(
        "auto", "number of a video's first frame; auto is 1 where no frame has the number 0"
    )

    @property
    def skeleton(self) -> str:
        return COCO_18.name

    def find(self, root: Path) -> Iterable[Source]:
        """As `PoseFormat.find`; files of labels are passed over."""
        if not root.is_dir():
            return [file_source(root, _ENDS)]
        paths = (path for path in files_below(root) if path.suffix == ".json")
        return file_sources(
            root, (path for path in paths if not _LABELS.fullmatch(path.name)), _ENDS
        )

    def read(self, uri: str) -> SourcePoses:
        rows, places = SourceRows(_JOINTS), dict[int, str]()
        for place, value in _frames(Path(uri)):
            number, people = _frame(place, value)
            if (first := places.setdefault(number, place)) != place:
                raise UnreadablePoses(f"{place}: is of frame {number}, as {first} is")
            for where, person in people:
                if (joints := self._joints(where, person))[:, 2].any():
                    rows.add(number, joints[None], [None])
        start = self._start(places)
        if places and min(places) < start:
            raise UnreadablePoses(f"{uri}: has a frame 0; expected frames from first_frame=1 on")
        found = rows.finish(max(places, default=start - 1) - start + 1)
        return replace(found, frame=found.frame - start, size_wh=self.size_wh, fps=self.fps)

    def _start(self, numbers: Iterable[int]) -> int:
        return int(0 not in numbers) if self.first_frame == "auto" else int(self.first_frame)

    def _joints(self, where: str, person: Any) -> Float32:
        """(18, 3), 0 where a joint was not found."""
        if not isinstance(person, dict):
            raise UnreadablePoses(f"{where}: expected an object, got {brief(person)}")
        pose = number_list(
            f"{where}.pose", person.get("pose"), (2 * _JOINTS,), "x and y of 18 joints", _TOLD
        )
        score = number_list(f"{where}.score", person.get("score"), (_JOINTS,), "one a joint", _TOLD)
        xy_px = pose.reshape(_JOINTS, 2) * self.size_wh
        return found_joints(where, np.column_stack([xy_px, score]), highest=OPENPOSE_HIGHEST_C)


def _frames(path: Path) -> Iterator[tuple[str, Any]]:
    has_data = False
    for member in read_members(path):
        if member.key == "data" and member.is_array:
            has_data = True
            yield from member.values
    if not has_data:
        raise UnreadablePoses(f'{path}: expected {{"data": [FRAME, ...], ...}}, got no such list')


def _frame(place: str, value: Any) -> tuple[int, Iterator[tuple[str, Any]]]:
    """Number, and the people with their places."""
    if not (isinstance(value, dict) and isinstance(value.get("skeleton"), list)):
        raise UnreadablePoses(
            f'{place}: expected {{"frame_index": NUMBER, "skeleton": [...]}}, got {brief(value)}'
        )
    people = ((f"{place}.skeleton[{n}]", each) for n, each in enumerate(value["skeleton"]))
    return frame_index(place, value.get("frame_index"), 0), people
