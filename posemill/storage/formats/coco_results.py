"""COCO keypoint results without their images: a file a video, an `image_id` a frame.

::

    a/b.json   [{"image_id": 12, "category_id": 1, "keypoints": [x0, y0, c0, x1, ...],
                 "score": 0.9}, ...]

Writers of videos' results number the frames: OpenPose's --write_coco_json has the number in a
frame's name. Frames in which nobody is are not written. See `coco_annotation` for
what the numbers mean.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from posemill.errors import UnreadablePoses
from posemill.settings import setting
from posemill.storage.formats.base import PoseFormat, Source, SourcePoses
from posemill.storage.formats.coco_annotation import PERSON, labelled
from posemill.storage.formats.file_names import sources_ending
from posemill.storage.formats.frame_numbers import MAX_FRAMES, frame_index, image_number
from posemill.storage.formats.joint_names import JointsName
from posemill.storage.formats.json_stream import read_members
from posemill.storage.formats.json_text import brief
from posemill.storage.formats.rows import SourceRows
from posemill.transforms.skeletons import get_skeleton

_ENDS = (".json",)


@dataclass(frozen=True)
class CocoResultsFormat(PoseFormat):
    """COCO keypoint results whose image_id is the number of a frame: a file a video."""

    name: ClassVar[str] = "coco-results"
    version: ClassVar[int] = 1
    tells_size: ClassVar[bool] = False
    tells_fps: ClassVar[bool] = False

    joints: JointsName = setting("coco-17", "joints of a person in the files")
    first_frame: int = setting(0, "number of a video's first frame", low=0, high=MAX_FRAMES)

    @property
    def skeleton(self) -> str:
        return self.joints

    def find(self, root: Path) -> Iterable[Source]:
        return sources_ending(root, _ENDS)

    def read(self, uri: str) -> SourcePoses:
        skeleton = get_skeleton(self.joints)
        rows, num_frames = SourceRows(skeleton.num_keypoints), 0
        for member in read_members(Path(uri)):
            if member.key is not None:
                raise UnreadablePoses(
                    f"{uri}: expected a list of results, got an object of {brief(member.key)}; "
                    "annotations with their images are coco-keypoints"
                )
            for where, value in member.values:
                person = labelled(where, value, skeleton, {PERSON}, result=True)
                number = image_number(value.get("image_id"))
                frame = frame_index(where, number, self.first_frame)
                num_frames = max(num_frames, frame + 1)
                if person is not None:
                    rows.add(frame, person.joints[None], [person.track])
        return rows.finish(num_frames)
