"""Pickles of pyskl and mmaction2 whose annotations have their keypoints, see `pyskl_file`.

2-D keypoints are pixels of frames of `img_shape`; the 3-D ones of NTU RGB+D, which
pyskl's tools/data/ntu_preproc.py writes without a score, are metres in a Kinect's space.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from posemill.errors import UnreadablePoses
from posemill.settings import setting
from posemill.storage.formats.base import PoseFormat, Source, SourcePoses
from posemill.storage.formats.file_names import part_of, part_uri
from posemill.storage.formats.joint_names import JointsName
from posemill.storage.formats.pyskl_file import Annotation, read_pyskl_file
from posemill.storage.formats.pyskl_poses import bodies_in_slots, people_in_rows, people_in_slots
from posemill.storage.formats.pyskl_sources import (
    clip_at,
    pickles_below,
    require_array,
    require_joints,
)
from posemill.storage.formats.source_files import FilesSeen, look_at_part
from posemill.storage.pickles.array_reading import read_arrays
from posemill.storage.pickles.values import ArrayPlace


@dataclass(frozen=True)
class PysklFormat(PoseFormat):
    """Pickles of pyskl and mmaction2: annotations with their keypoints, 2-D or 3-D."""

    name: ClassVar[str] = "pyskl"
    version: ClassVar[int] = 1
    tells_size: ClassVar[bool] = True
    tells_fps: ClassVar[bool] = False

    joints: JointsName = setting("coco-17", "joints of a person in the files")
    slots: Literal["people", "detections"] = setting(
        "people", "what keypoint[m] is through time: one of the people, or any, to be followed"
    )
    first_frame: int = setting(
        0, "number of a clip's first frame, of clips with frame_inds", low=0, high=1
    )

    @property
    def skeleton(self) -> str:
        return self.joints

    def find(self, root: Path) -> Iterable[Source]:
        for path in pickles_below(root):
            clips = read_pyskl_file(path).annotations.values()
            self._require_usable(path, clips)
            yield from (Source(clip.name, part_uri(path, clip.name)) for clip in clips)

    def files(self, uri: str) -> Sequence[Path]:
        return [part_of(uri)[0]]

    def look(self, uri: str, known: str = "") -> FilesSeen:
        path, name = part_of(uri)
        return look_at_part([path], _part_bytes(path, name), known)

    def read(self, uri: str) -> SourcePoses:
        path, clip = clip_at(uri)
        keypoint = require_array(clip, "keypoint", clip.keypoint)
        if isinstance(clip.frame_inds, ArrayPlace) and len(keypoint.shape) == 3:
            require_joints(clip, self.skeleton, keypoint.shape, "N V 3")
            rows, frame = read_arrays(path, keypoint, clip.frame_inds)
            return people_in_rows(clip, rows, frame, self.first_frame)
        follow = self.slots == "detections"
        if clip.keypoint_score is None:
            _require_third_axis(clip, keypoint)
            require_joints(clip, self.skeleton, keypoint.shape, "M T V 3")
            return bodies_in_slots(clip, *read_arrays(path, keypoint), follow=follow)
        require_joints(clip, self.skeleton, keypoint.shape, "M T V 2")
        score = require_array(clip, "keypoint_score", clip.keypoint_score)
        if score.shape != keypoint.shape[:3]:
            raise UnreadablePoses(
                f"{clip.place}: expected keypoint_score as {keypoint.shape[:3]}, got {score.shape}"
            )
        return people_in_slots(clip, *read_arrays(path, keypoint, score), follow=follow)

    def _require_usable(self, path: Path, clips: Iterable[Annotation]) -> None:
        """What is wrong with the first one will be so with all."""
        first = next(iter(clips), None)
        if first is not None and first.keypoint is None:
            raise UnreadablePoses(
                f"{first.place}: has no keypoint; where files of keypoints are beside {path.name}, "
                "import pyskl-kinetics"
            )
        if first is not None and isinstance(first.keypoint, ArrayPlace):
            shape = first.keypoint.shape
            require_joints(first, self.skeleton, shape, " ".join(["N"] * (len(shape) - 2)) + " V C")


def _require_third_axis(clip: Annotation, keypoint: ArrayPlace) -> None:
    """Raises:
    UnreadablePoses: positions in a picture, for which there should be scores.
    """
    if keypoint.shape[-1:] == (2,):
        raise UnreadablePoses(
            f"{clip.place}: has no keypoint_score beside a keypoint of {keypoint.shape}; expected "
            f"scores of {keypoint.shape[:-1]}, or positions in 3-D"
        )


def _part_bytes(path: Path, name: str) -> int:
    """Of a clip; 0 where it is not there any more, which `read` tells."""
    try:
        return read_pyskl_file(path).annotations[name].num_bytes
    except (UnreadablePoses, KeyError):
        return 0
