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

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar, Literal

import numpy as np

from posemill.errors import UnreadablePoses
from posemill.schema import Float32
from posemill.settings import setting
from posemill.storage.datasets.tree import VIDEO_SUFFIXES, video_ids
from posemill.storage.file_tree import files_below
from posemill.storage.formats.base import PoseFormat, Source, SourcePoses
from posemill.storage.formats.json_text import read_json, read_json_lines
from posemill.storage.formats.rows import SourceRows
from posemill.transforms.skeletons import COCO_17

MAX_FRAMES = 10_000_000  # 46 hours of 60 frames a second
_MAX_PX = 1e6
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
            return [Source(_id_of(PurePosixPath(root.name)), str(root))]
        kinds = {path: self._kind(path.name) for path in files_below(root)}
        videos = sorted(path for path, kind in kinds.items() if kind == "video")
        folders = sorted({path.parent for path, kind in kinds.items() if kind == "frame"})
        ids = video_ids([_named(path) for path in videos])
        return [
            *(Source(ids[_named(path)], str(root / path)) for path in videos),
            *(Source(str(path) if path.name else root.name, str(root / path)) for path in folders),
        ]

    def files(self, uri: str) -> Sequence[Path]:
        """The file itself; of a folder its frames, in the order of the numbers in their names."""
        place = Path(uri)
        if not place.is_dir():
            return [place]
        return sorted((p for p in place.iterdir() if self._kind(p.name) == "frame"), key=_order)

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
            f"predictions, got {_brief(value)}"
        )
    return frame, value["predictions"]


def _people(place: str, predictions: Any, num_joints: int) -> tuple[Float32, list[int | None]]:
    """(N, 17, 3) x, y and score of the people of a frame, and their tracks."""
    if not isinstance(predictions, list):
        raise UnreadablePoses(f"{place}: expected a list of predictions, got {_brief(predictions)}")
    triplets, tracks = [], list[int | None]()
    for number, each in enumerate(predictions, 1):
        where = f"{place}, prediction {number}"
        if not _is_person(where, each):
            continue
        joints = _joints(where, each["keypoints"], num_joints)
        if joints[:, 2].any():
            triplets.append(joints)
            tracks.append(_track(where, each.get("id_")))
    nobody = np.empty((0, COCO_17.num_keypoints, 3), np.float32)
    return np.stack(triplets) if triplets else nobody, tracks


def _is_person(where: str, prediction: Any) -> bool:
    """Not something of another class, and not a box that a detector found beside."""
    if not isinstance(prediction, dict):
        raise UnreadablePoses(f"{where}: expected an object, got {_brief(prediction)}")
    if "keypoints" not in prediction and "category" not in prediction:
        raise UnreadablePoses(f"{where}: has no keypoints, but {', '.join(map(repr, prediction))}")
    return "keypoints" in prediction and prediction.get("category_id", _PERSON) == _PERSON


def _joints(where: str, keypoints: Any, num_joints: int) -> Float32:
    """(17, 3), 0 where a joint was not found."""
    size = 3 * num_joints
    if not isinstance(keypoints, list) or len(keypoints) != size:
        got = f"{len(keypoints)}" if isinstance(keypoints, list) else _brief(keypoints)
        raise UnreadablePoses(
            f"{where}: expected {size} numbers, x, y and c of {num_joints} joints, got {got}; "
            f"other joints are told by --set joints={' or '.join(_JOINTS)}"
        )
    if not all(type(number) in (int, float) for number in keypoints):
        raise UnreadablePoses(f"{where}: a keypoint is no number: {_brief(keypoints)}")
    try:
        joints = np.array(keypoints, np.float64).reshape(num_joints, 3)[: COCO_17.num_keypoints]
    except OverflowError as error:
        raise UnreadablePoses(f"{where}: a keypoint is no number of 64 bits: {error}") from error
    _require_values(where, joints)
    joints[joints[:, 2] == 0] = 0
    return joints.astype(np.float32)


def _require_values(where: str, joints: Any) -> None:
    if not (np.abs(joints[:, :2]) < _MAX_PX).all():
        furthest = np.abs(joints[:, :2]).max()
        raise UnreadablePoses(f"{where}: a joint is at {furthest} px, which is in no frame")
    if not ((joints[:, 2] >= 0) & (joints[:, 2] <= 1)).all():
        raise UnreadablePoses(
            f"{where}: c is from {joints[:, 2].min()} to {joints[:, 2].max()}; expected 0 to 1"
        )


def _track(where: str, number: Any) -> int | None:
    if number is None or (type(number) is int and 0 <= number < 2**63):
        return number
    raise UnreadablePoses(f"{where}: id_ must be a whole number from 0, got {_brief(number)}")


def _named(path: PurePosixPath) -> PurePosixPath:
    """The name of what was predicted: the video's, or some name with the same stem."""
    end = next((end for end in _ENDS if path.name.endswith(end)), "")
    stem = path.name.removesuffix(end)
    known = PurePosixPath(stem).suffix.lower() in VIDEO_SUFFIXES
    return path.with_name(stem if known else f"{stem}.json")


def _id_of(path: PurePosixPath) -> str:
    (video_id,) = video_ids([_named(path)]).values()
    return video_id


def _order(path: Path) -> list[int | str]:
    """By the numbers in a name, then by the rest: 2 before 10."""
    parts = re.split(r"([0-9]+)", path.name)
    return [int(part) if place % 2 else part for place, part in enumerate(parts)]


def _brief(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."
