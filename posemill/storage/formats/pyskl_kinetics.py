"""pyskl's Kinetics: one pickle of annotations, and files of keypoints below its folder.

Their makers' paths, in `raw_file`, are of their own machine; a clip's keypoints are found by
its name, and a file that is one array by its own name, as mmaction2's `LoadKineticsPose` has
it. `frame_inds` counts frames from 1 in the index that mmaction2 publishes: a
clip of 301 frames has people in frame 301.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from posemill.errors import UnreadablePoses
from posemill.settings import setting
from posemill.storage.formats.base import PoseFormat, Source, SourcePoses
from posemill.storage.formats.file_names import part_of, part_uri
from posemill.storage.formats.joint_names import JointsName
from posemill.storage.formats.pyskl_file import array_bytes, read_pyskl_file
from posemill.storage.formats.pyskl_keypoints import file_of, forget, keypoints_of
from posemill.storage.formats.pyskl_poses import people_in_rows
from posemill.storage.formats.pyskl_sources import (
    clip_at,
    pickles_below,
    require_array,
    require_joints,
)
from posemill.storage.formats.source_files import FilesSeen, look_at_part
from posemill.storage.pickles.array_reading import read_arrays


@dataclass(frozen=True)
class PysklKineticsFormat(PoseFormat):
    """pyskl's Kinetics: a pickle of annotations, and files of keypoints below its folder."""

    name: ClassVar[str] = "pyskl-kinetics"
    version: ClassVar[int] = 1
    tells_size: ClassVar[bool] = True
    tells_fps: ClassVar[bool] = False

    joints: JointsName = setting("coco-17", "joints of a person in the files")
    first_frame: int = setting(1, "number of a clip's first frame in frame_inds", low=0, high=1)

    @property
    def skeleton(self) -> str:
        return self.joints

    def find(self, root: Path) -> Iterable[Source]:
        """As `PoseFormat.find`; neighbours have their keypoints in the same file."""
        forget()
        for path in pickles_below(root):
            clips = read_pyskl_file(path).annotations.values()
            if any(clip.keypoint is not None for clip in clips):
                raise UnreadablePoses(f"{path}: has keypoints itself; import it as pyskl")
            places = {clip.name: file_of(path.parent, clip.name) for clip in clips}
            names = sorted(places, key=lambda name: (places[name] is None, str(places[name])))
            yield from (Source(name, part_uri(path, name)) for name in names)

    def files(self, uri: str) -> Sequence[Path]:
        """The index, and the file of keypoints where there is one."""
        path, name = part_of(uri)
        keypoints = file_of(path.parent, name)
        return [path] if keypoints is None else [path, keypoints]

    def look(self, uri: str, known: str = "") -> FilesSeen:
        path, name = part_of(uri)
        try:
            found = keypoints_of(path.parent, name)
        except UnreadablePoses:  # which `read` tells
            found = None
        if found is None:
            return look_at_part([path], 0, known)
        return look_at_part([path, found[0]], array_bytes(found[1]), known)

    def read(self, uri: str) -> SourcePoses:
        path, clip = clip_at(uri)
        found = keypoints_of(path.parent, clip.name)
        if found is None:
            raise FileNotFoundError(f"no file below {path.parent} has keypoints of {clip.name!r}")
        place, keypoint = found
        require_joints(clip, self.skeleton, keypoint.shape, "N V 3")
        (rows,) = read_arrays(place, keypoint)
        (frame,) = read_arrays(path, require_array(clip, "frame_inds", clip.frame_inds))
        return people_in_rows(clip, rows, frame, self.first_frame)
