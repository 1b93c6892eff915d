"""Predictions of openpifpaf: a line of JSON for each frame of a video, or a file for each frame.

::

    a/b.mp4.openpifpaf.json       of `openpifpaf.video --json-output`, a line a frame:
                                  {"frame": 1, "predictions": [{"keypoints": [x, y, c, ...],
                                   "bbox": [x, y, w, h], "score": 0.7, "category_id": 1}, ...]}
    a/b/0001.jpg.predictions.json of `openpifpaf.predict --json-output`: the list of predictions;
                                  the folder is the video

Lines may also be the lists alone, as early versions wrote them. A joint that
was not found has c = 0. Where everybody has an `id_`, openpifpaf has followed people.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from posemill.errors import UnreadablePoses
from posemill.schema import Float32
from posemill.settings import setting
from posemill.storage.file_tree import files_below
from posemill.storage.formats.base import PoseFormat, Source, SourcePoses
from posemill.storage.formats.file_names import file_source, file_sources, folder_source
from posemill.storage.formats.frame_numbers import MAX_FRAMES, by_numbers
from posemill.storage.formats.json_text import brief, read_json, read_json_lines
from posemill.storage.formats.keypoint_list import found_joints, track_number, triplets
from posemill.storage.formats.rows import SourceRows
from posemill.transforms.skeletons import COCO_17

_PERSON = 1
_JOINTS = {"coco-17": 17, "wholebody-133": 133}
_VIDEO_ENDS, _FRAME_END = (".openpifpaf.json", ".jsonl"), ".predictions.json"
_ENDS = (".openpifpaf.json", ".predictions.json", ".json", ".jsonl")


@dataclass(frozen=True)
class OpenpifpafFormat(PoseFormat):
    """openpifpaf's JSON: lines of a video's frames, or a folder of frames' files."""

    name: ClassVar[str] = "openpifpaf"
    version: ClassVar[int] = 1
    tells_size: ClassVar[bool] = False
    tells_fps: ClassVar[bool] = False

    files_are: Literal["auto", "videos", "frames"] = setting(
        "auto", "what a .json file is of; auto tells by the names that openpifpaf gives"
    )
    joints: Literal["coco-17", "wholebody-133"] = setting(
        "coco-17", "joints of a person in the files; of 133 the body's 17 are taken"
    )
    first_frame: int = setting(1, "number of a video's first frame", low=0, high=MAX_FRAMES)

    @property
    def skeleton(self) -> str:
        return COCO_17.name

    def find(self, root: Path) -> Iterable[Source]:
        """As `PoseFormat.find`; a file that is given by its name is a video's."""
        if not root.is_dir():
            return [file_source(root, _ENDS)]
        kinds = {path: self._kind(path.name) for path in files_below(root)}
        videos = [path for path, kind in kinds.items() if kind == "video"]
        folders = sorted({path.parent for path, kind in kinds.items() if kind == "frame"})
        return [
            *file_sources(root, videos, _ENDS),
            *(folder_source(root, path, str(root / path)) for path in folders),
        ]

    def files(self, uri: str) -> Sequence[Path]:
        """The file itself; of a folder its frames, in the order of the numbers in their names."""
        place = Path(uri)
        if not place.is_dir():
            return [place]
        return sorted((p for p in place.iterdir() if self._kind(p.name) == "frame"), key=by_numbers)

    def read(self, uri: str) -> SourcePoses:
        place, num_frames = Path(uri), 0
        rows = SourceRows(COCO_17.num_keypoints)
        for frame, name, predictions in self._frames(uri) if place.is_dir() else self._lines(place):
            rows.add(frame, *_people(name, predictions, _JOINTS[self.joints]))
            num_frames = frame + 1
        return rows.finish(num_frames)

    def _kind(self, name: str) -> Literal["video", "frame"] | None:
        """What a file of this name is of."""
        if name.startswith("."):
            return None
        match self.files_are:
            case "videos":
                return "video" if name.endswith((".json", ".jsonl")) else None
            case "frames":
                return "frame" if name.endswith(".json") else None
            case _:
                if name.endswith(_FRAME_END):
                    return "frame"
                return "video" if name.endswith(_VIDEO_ENDS) else None

    def _frames(self, uri: str) -> Iterator[tuple[int, str, Any]]:
        """Number, place and predictions of each frame that has a file of its own."""
        for frame, path in enumerate(self.files(uri)):
            yield frame, str(path), read_json(path)

    def _lines(self, path: Path) -> Iterator[tuple[int, str, Any]]:
        """The same of each frame that has a line."""
        frame = -1
        for place, value in read_json_lines(path):
            before = frame
            if isinstance(value, list):
                frame, predictions = before + 1, value
            else:
                number, predictions = _numbered(place, value)
                frame = number - self.first_frame
            if not before < frame < MAX_FRAMES:
                raise UnreadablePoses(
                    f"{place}: frame {frame + self.first_frame}; expected numbers that rise from "
                    f"first_frame={self.first_frame}, after {before + self.first_frame} and below "
                    f"{MAX_FRAMES:,}"
                )
            yield frame, place, predictions


def _numbered(place: str, value: Any) -> tuple[int, Any]:
    frame = value.get("frame") if isinstance(value, dict) else None
    if type(frame) is not int or "predictions" not in value:
        raise UnreadablePoses(
            f'{place}: expected {{"frame": NUMBER, "predictions": [...]}} or a list of '
            f"predictions, got {brief(value)}"
        )
    return frame, value["predictions"]


def _people(place: str, predictions: Any, num_joints: int) -> tuple[Float32, list[int | None]]:
    """(N, 17, 3) x, y and score of the people of a frame, and their tracks."""
    if not isinstance(predictions, list):
        raise UnreadablePoses(f"{place}: expected a list of predictions, got {brief(predictions)}")
    people, tracks = [], list[int | None]()
    for number, each in enumerate(predictions, 1):
        where = f"{place}, prediction {number}"
        if not _is_person(where, each):
            continue
        joints = _joints(where, each["keypoints"], num_joints)
        if joints[:, 2].any():
            people.append(joints)
            tracks.append(track_number(where, "id_", each.get("id_")))
    nobody = np.empty((0, COCO_17.num_keypoints, 3), np.float32)
    return np.stack(people) if people else nobody, tracks


def _is_person(where: str, prediction: Any) -> bool:
    """Not something of another class, and not a box that a detector found beside."""
    if not isinstance(prediction, dict):
        raise UnreadablePoses(f"{where}: expected an object, got {brief(prediction)}")
    if "keypoints" not in prediction and "category" not in prediction:
        raise UnreadablePoses(f"{where}: has no keypoints, but {', '.join(map(repr, prediction))}")
    return "keypoints" in prediction and prediction.get("category_id", _PERSON) == _PERSON


def _joints(where: str, keypoints: Any, num_joints: int) -> Float32:
    """(17, 3), 0 where a joint was not found."""
    otherwise = f"other joints are told by --set joints={' or '.join(_JOINTS)}"
    joints = triplets(where, keypoints, (num_joints,), otherwise)
    return found_joints(where, joints[: COCO_17.num_keypoints])
