"""JHMDB's annotated joints: `joint_positions/CLASS/CLIP/joint_positions.mat`.

`pos_img` (2, 15, T) has x and y of the one annotated person in each frame of the clip, of
320 x 240 px; `pos_world` is the same by the frame's middle and the person's scale. The data set's
README_joint_positions.txt was not at hand: so it is read by those who cite it, and
mmpose/datasets/datasets/body/jhmdb_dataset.py of open-mmlab/mmpose takes MATLAB's pixels, which
count from 1, to those from 0. No joint has a confidence, and no file tells the frame rate.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from posemill.errors import UnreadablePoses
from posemill.storage.file_tree import files_below
from posemill.storage.formats.annotated_joints import one_person
from posemill.storage.formats.base import PoseFormat, Source, SourcePoses
from posemill.storage.formats.mat_file import read_mat
from posemill.transforms.skeletons import JHMDB_15

_FILE = "joint_positions.mat"
_SIZE_WH = (320, 240)


@dataclass(frozen=True)
class JhmdbFormat(PoseFormat):
    """JHMDB's joint_positions.mat of each clip."""

    name: ClassVar[str] = "jhmdb"
    version: ClassVar[int] = 1
    tells_size: ClassVar[bool] = True
    tells_fps: ClassVar[bool] = False

    @property
    def skeleton(self) -> str:
        return JHMDB_15.name

    def find(self, root: Path) -> Iterable[Source]:
        """As `PoseFormat.find`; a clip's id is the path of its folder."""
        if not root.is_dir():
            return [Source(root.parent.name, str(root))]
        paths = sorted(path for path in files_below(root) if path.name == _FILE)
        return [
            Source(str(path.parent) if path.parent.name else root.name, str(root / path))
            for path in paths
        ]

    def read(self, uri: str) -> SourcePoses:
        path = Path(uri)
        joints = read_mat(path, ["pos_img"])["pos_img"]
        if joints.ndim == 2:  # MATLAB drops the last axis of a clip of one frame
            joints = joints[..., None]
        if joints.shape[:2] != (2, JHMDB_15.num_keypoints) or joints.ndim != 3:
            raise UnreadablePoses(
                f"{path}: pos_img is {joints.shape}; expected (2, {JHMDB_15.num_keypoints}, frames)"
            )
        xy = joints.transpose(2, 1, 0)
        return one_person(path, xy, np.ones(xy.shape[:2], bool), _SIZE_WH)
