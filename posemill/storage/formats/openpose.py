"""OpenPose's JSON: a file for each frame, as `--write_json` makes them, or all frames in one.

::

    a/b/b_000000000012_keypoints.json   frame 12 of a video; the folder is the video
    a/b/cam01.0012.json                 the same by other writers
                                        {"version": 1.3, "people": [{"person_id": [-1],
                                         "pose_keypoints_2d": [x0, y0, c0, x1, ...], ...}]}
    a/b.json                            [FRAME, FRAME, ...] or {"b_000000000012": FRAME, ...}

Sources: doc/02_output.md and src/openpose/pose/poseParameters.cpp of
CMU-Perceptual-Computing-Lab/openpose for keys and orders of joints; core/keypointScaler.cpp
there for `--keypoint_scale` 3 and 4, whose 1 is the centre of the last pixel. Version 0.1
calls the key `pose_keypoints`. A joint that was not found is 0, 0, 0; a `person_id` of -1
belongs to nobody who was followed. OpenPose writes frames without people too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath, PurePosixPath
from typing import Any, ClassVar, Literal

import numpy as np

from posemill.errors import UnreadablePoses
from posemill.schema import Skeleton
from posemill.settings import setting
from posemill.storage.file_tree import files_below
from posemill.storage.formats.base import PoseFormat, Source, SourcePoses
from posemill.storage.formats.body_25_order import order_ratio, require_order
from posemill.storage.formats.file_names import (
    file_source,
    file_sources,
    folder_source,
    part_of,
    part_uri,
)
from posemill.storage.formats.frame_numbers import (
    MAX_FRAMES,
    by_numbers,
    frame_index,
    number_at_end,
    without_number,
)
from posemill.storage.formats.json_stream import read_members
from posemill.storage.formats.json_text import brief, read_json
from posemill.storage.formats.keypoint_list import (
    OPENPOSE_HIGHEST_C,
    found_joints,
    track_number,
    triplets,
)
from posemill.storage.formats.rows import SourceRows
from posemill.transforms.skeletons import BODY_25, COCO_17, COCO_18

_JOINTS: dict[str, tuple[int, Skeleton]] = {
    "body-25": (25, BODY_25),
    "body-25b": (25, COCO_17),
    "coco-18": (18, COCO_18),
}
"""Of a person in a file, and the skeleton of those that are taken, which come first."""
_KEYS = ("pose_keypoints_2d", "pose_keypoints")
_ENDS = ("_keypoints.json", ".json")
_FRAME = '{"people": [...]}'


@dataclass(frozen=True)
class OpenposeFormat(PoseFormat):
    """OpenPose's JSON: a folder of frames' files, or a file of all frames."""

    name: ClassVar[str] = "openpose"
    version: ClassVar[int] = 1
    tells_size: ClassVar[bool] = False
    tells_fps: ClassVar[bool] = False

    files_are: Literal["auto", "frames", "videos"] = setting(
        "auto", "what a .json file is of; auto takes those for frames whose names end in a number"
    )
    video_is: Literal["folder", "name"] = setting(
        "folder", "frames of one video have the same folder, or there the same name but for numbers"
    )
    joints: Literal["body-25", "body-25b", "coco-18"] = setting(
        "body-25", "joints of a person in the files; of body-25b those of coco-17 are taken"
    )
    keypoint_scale: Literal["pixels", "0-to-1", "minus-1-to-1"] = setting(
        "pixels", "unit of the coordinates, of OpenPose's option of that name"
    )
    first_frame: int = setting(0, "number of a video's first frame", low=0, high=MAX_FRAMES)

    @property
    def skeleton(self) -> str:
        return _JOINTS[self.joints][1].name

    def find(self, root: Path) -> Iterable[Source]:
        """As `PoseFormat.find`; a file that is given by its name is a video's."""
        if not root.is_dir():
            return [file_source(root, _ENDS)]
        paths = [path for path in files_below(root) if path.name.endswith(".json")]
        if self.files_are == "videos":
            return file_sources(root, paths, _ENDS)
        videos = sorted({(path.parent, self._video_of(path)) for path in paths if self._is(path)})
        return [
            folder_source(root, folder / name, self._uri(root / folder, name))
            for folder, name in videos
        ]

    def files(self, uri: str) -> Sequence[Path]:
        """The file itself; of a folder a video's frames, in the order of the numbers."""
        folder, name = self._place(uri)
        if not folder.is_dir():
            return [folder]
        frames = (path for path in folder.iterdir() if self._is(path))
        return sorted((path for path in frames if self._video_of(path) == name), key=by_numbers)

    def read(self, uri: str) -> SourcePoses:
        num_joints, skeleton = _JOINTS[self.joints]
        rows, ratios, num_frames = SourceRows(skeleton.num_keypoints), list[float](), 0
        for frame, place, people in self._frames(uri):
            num_frames = max(num_frames, frame + 1)
            for where, joints, track in _people(place, people, num_joints):
                scaled = found_joints(where, self._scaled(joints), highest=OPENPOSE_HIGHEST_C)
                if num_joints == BODY_25.num_keypoints and (ratio := order_ratio(scaled)):
                    ratios.append(ratio)
                if (body := scaled[: skeleton.num_keypoints])[:, 2].any():
                    rows.add(frame, body[None], [track])
        require_order(uri, ratios, self.joints)
        return replace(rows.finish(num_frames), of_frame=self.keypoint_scale != "pixels")

    def _uri(self, folder: Path, name: str) -> str:
        return str(folder) if self.video_is == "folder" else part_uri(folder, name)

    def _place(self, uri: str) -> tuple[Path, str]:
        """The folder or the file, and the name of the video in a folder of several."""
        place = Path(uri)
        return (place, "") if self.video_is == "folder" or place.is_file() else part_of(uri)

    def _is(self, path: PurePath) -> bool:
        """Whether a file is of a frame, going by its name."""
        if not path.name.endswith(".json") or path.name.startswith("."):
            return False
        return self.files_are == "frames" or number_at_end(_stem(path)) is not None

    def _video_of(self, path: PurePath) -> str:
        if self.video_is == "folder":
            return ""
        return without_number(_stem(path))

    def _frames(self, uri: str) -> Iterator[tuple[int, str, Any]]:
        """Number, place and people of each frame, no frame twice."""
        folder, _ = self._place(uri)
        frames = self._files_of_frames(uri) if folder.is_dir() else self._values_of_frames(folder)
        places = dict[int, str]()
        for number, place, value in frames:
            frame = frame_index(place, number, self.first_frame)
            if (first := places.setdefault(frame, place)) != place:
                raise UnreadablePoses(
                    f"{place}: is of frame {number}, as {PurePath(first).name} is; where they are "
                    "of several videos give --set video_is=name"
                )
            if not isinstance(value, dict) or "people" not in value:
                raise UnreadablePoses(
                    f"{place}: expected {_FRAME}, got {brief(value)}; where the file is of a whole "
                    "video give --set files_are=videos"
                )
            yield frame, place, value["people"]

    def _files_of_frames(self, uri: str) -> Iterator[tuple[int | None, str, Any]]:
        for path in self.files(uri):
            yield number_at_end(_stem(path)), str(path), read_json(path)

    def _values_of_frames(self, path: Path) -> Iterator[tuple[int | None, str, Any]]:
        """Of a file of all frames: the values of a list, or by the frames' names."""
        for member in read_members(path):
            if member.key is None:
                for number, (place, value) in enumerate(member.values, self.first_frame):
                    yield number, place, value
            elif member.key == "people":
                people = [value for _, value in member.values]
                yield self.first_frame, str(path), {"people": people}
            elif not member.is_array:
                for place, value in member.values:
                    if isinstance(value, dict):
                        yield number_at_end(_stem(PurePosixPath(member.key))), place, value

    def _scaled(self, joints: Any) -> Any:
        """(J, 3) in pixels, or in parts of the frame."""
        if self.keypoint_scale != "minus-1-to-1":
            return joints
        return np.column_stack([(joints[:, :2] + 1) / 2, joints[:, 2]])


def _people(place: str, people: Any, num_joints: int) -> Iterator[tuple[str, Any, int | None]]:
    """Place, (J, 3) joints and track of everybody in a frame who has a body."""
    if not isinstance(people, list):
        raise UnreadablePoses(f"{place}: expected a list of people, got {brief(people)}")
    for number, person in enumerate(people):
        where = f"{place}, people[{number}]"
        key = next((key for key in _KEYS if isinstance(person, dict) and key in person), None)
        if key is None:
            raise UnreadablePoses(
                f"{where}: expected an object with {' or '.join(_KEYS)}, got {brief(person)}"
            )
        if person[key] != []:  # only hands or a face
            told = f"other joints are told by --set joints={' or '.join(_JOINTS)}"
            joints = triplets(where, person[key], (num_joints,), told)
            yield where, joints, _track(where, person.get("person_id"))


def _track(where: str, person_id: Any) -> int | None:
    if isinstance(person_id, list) and len(person_id) == 1:
        person_id = person_id[0]
    return None if person_id in (-1, []) else track_number(where, "person_id", person_id)


def _stem(path: PurePath) -> str:
    """A frame's name without what writers put behind it."""
    return path.name.removesuffix(".json").removesuffix("_keypoints")
