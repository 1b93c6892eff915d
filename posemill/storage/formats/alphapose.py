"""AlphaPose's JSON: one file of all frames of a video, in each of its three forms.

::

    a/b/alphapose-results.json   the folder is the video; a/b.mp4.json: the file is
        [{"image_id": "0.jpg", "category_id": 1, "keypoints": [x0, y0, c0, x1, ...],
          "score": 2.9, "box": [x, y, w, h], "idx": 1}, ...]
        --format cmu:   {"0.jpg": {"version": ..., "bodies": [{"joints": [x0, y0, c0, ...]}]}, ...}
        --format open:  {"0.jpg": {"version": ..., "people": [{"pose_keypoints_2d": [...]}]}, ...}

Sources: write_json in alphapose/utils/pPose_nms.py and doc/output.md of MVIG-SJTU/AlphaPose.
Models of 17 (COCO), 26 and 136 (Halpe) and 133 joints (COCO-WholeBody) begin with COCO's 17,
which are taken; the two other forms have OpenPose's 18, where those models' neck is the head, which
write_json takes for the mean of the shoulders that it adds. Of a video frame n is `n.jpg`; frames
without people are not written, so those after the last person are unknown. c is a height
of a heat map, for some models far above 1: it is cut to 1. `idx` is 0 of everybody where nobody
was followed, and its trackers (PoseFlow, trackers/tracking) count from 1; where poses were
merged it is a list of theirs, in lists again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from posemill.errors import UnreadablePoses
from posemill.schema import Skeleton
from posemill.settings import setting
from posemill.storage.file_tree import files_below
from posemill.storage.formats.base import PoseFormat, Source, SourcePoses
from posemill.storage.formats.file_names import file_source, file_sources, folder_source
from posemill.storage.formats.frame_numbers import MAX_FRAMES, frame_index, image_number
from posemill.storage.formats.json_stream import read_members
from posemill.storage.formats.json_text import brief
from posemill.storage.formats.keypoint_list import found_joints, track_number, triplets
from posemill.storage.formats.rows import SourceRows
from posemill.transforms.skeletons import COCO_17, COCO_18

_JOINTS: dict[str, tuple[Skeleton, tuple[int, ...]]] = {
    "coco-17": (COCO_17, (17, 26, 133, 136)),
    "coco-18": (COCO_18, (18,)),
}
"""The skeleton that is taken, and how many joints a person may have, of which its own are first."""
_RESULTS, _ENDS = "alphapose-results.json", (".json",)
_COPIES = "sep-json"  # the same once more, a file a frame
_LISTS = {"bodies": "joints", "people": "pose_keypoints_2d"}
_PERSON = 1
_LOWEST_C, _HIGHEST_C = -1.0, 10.0
_ENTRY = '{"image_id": "0.jpg", "category_id": 1, "keypoints": [...]}'


@dataclass(frozen=True)
class AlphaposeFormat(PoseFormat):
    """AlphaPose's JSON in its own form, as of CMU-Pose and as of OpenPose: a file a video."""

    name: ClassVar[str] = "alphapose"
    version: ClassVar[int] = 1
    tells_size: ClassVar[bool] = False
    tells_fps: ClassVar[bool] = False

    joints: Literal["coco-17", "coco-18"] = setting(
        "coco-17", "joints that are taken: coco-17 of AlphaPose's own form, coco-18 of the others"
    )
    first_frame: int = setting(0, "number of a video's first frame", low=0, high=MAX_FRAMES)

    @property
    def skeleton(self) -> str:
        return _JOINTS[self.joints][0].name

    def find(self, root: Path) -> Iterable[Source]:
        """As `PoseFormat.find`; a file that is given by its name is a video's."""
        if not root.is_dir():
            return [file_source(root, _ENDS)]
        paths = [path for path in files_below(root) if path.suffix == ".json"]
        paths = [path for path in paths if _COPIES not in path.parts]
        results = sorted(path for path in paths if path.name == _RESULTS)
        return [
            *file_sources(root, (path for path in paths if path.name != _RESULTS), _ENDS),
            *(folder_source(root, path.parent, str(root / path)) for path in results),
        ]

    def read(self, uri: str) -> SourcePoses:
        skeleton, num_joints = _JOINTS[self.joints]
        rows, num_frames = SourceRows(skeleton.num_keypoints), 0
        for where, image, keypoints, idx in self._people(Path(uri)):
            told = "AlphaPose's own form has coco-17, cmu and open have coco-18; see --set joints"
            joints = triplets(where, keypoints, num_joints, told)[: skeleton.num_keypoints]
            found = found_joints(where, joints, _LOWEST_C, _HIGHEST_C)
            frame = frame_index(where, image_number(image), self.first_frame)
            num_frames = max(num_frames, frame + 1)
            if found[:, 2].any():
                rows.add(frame, found[None], [_track(where, idx)])
        return rows.finish(num_frames)

    def _people(self, path: Path) -> Iterator[tuple[str, Any, Any, Any]]:
        """Place, image, joints and `idx` of everybody."""
        for member in read_members(path):
            for place, value in member.values:
                if member.key is None:
                    yield from _listed(place, value)
                else:
                    yield from _of_image(place, member.key, value)


def _listed(place: str, value: Any) -> Iterator[tuple[str, Any, Any, Any]]:
    if not (isinstance(value, dict) and "image_id" in value and "keypoints" in value):
        raise UnreadablePoses(f"{place}: expected {_ENTRY}, got {brief(value)}")
    if value.get("category_id", _PERSON) == _PERSON:
        yield place, value["image_id"], value["keypoints"], value.get("idx")


def _of_image(place: str, image: str, value: Any) -> Iterator[tuple[str, Any, Any, Any]]:
    key = next((key for key in _LISTS if isinstance(value, dict) and key in value), "")
    if not key or not isinstance(value[key], list):
        raise UnreadablePoses(
            f'{place}: expected {{"bodies": [...]}} or {{"people": [...]}}, got {brief(value)}'
        )
    for number, person in enumerate(value[key]):
        where = f"{place}.{key}[{number}]"
        if not isinstance(person, dict) or _LISTS[key] not in person:
            raise UnreadablePoses(
                f"{where}: expected an object with {_LISTS[key]}, got {brief(person)}"
            )
        yield where, image, person[_LISTS[key]], None


def _track(where: str, idx: Any) -> int | None:
    while isinstance(idx, list) and idx:
        idx = idx[0]
    if isinstance(idx, float) and idx.is_integer():
        idx = int(idx)
    return track_number(where, "idx", idx) or None
