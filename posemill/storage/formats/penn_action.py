"""Penn Action's annotated joints: `labels/NNNN.mat`.

::

    x, y         (T, 13)   pixels; T frames
    visibility   (T, 13)   0 or 1
    dimensions   (1, 3)    height, width and T: 272 481 46
    nframes      (1, 1)    T

Fields and joints: the data set's page, dreamdragon.github.io/PennAction. It tells neither
where pixels count from, which is taken to be 1 as in MATLAB, nor the frame rate.
A joint that is not visible, hidden or outside the frame, has a position all the same, which is
not always one of the joint: it counts as not detected.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from posemill.errors import UnreadablePoses
from posemill.storage.formats.annotated_joints import one_person
from posemill.storage.formats.base import PoseFormat, Source, SourcePoses
from posemill.storage.formats.file_names import sources_ending
from posemill.storage.formats.mat_file import Float64, read_mat
from posemill.transforms.skeletons import PENN_13

_ENDS = (".mat",)
_PER_JOINT = ("x", "y", "visibility")
_MAX_EDGE_PX = 65_536


@dataclass(frozen=True)
class PennActionFormat(PoseFormat):
    """Penn Action's labels/NNNN.mat, one for each video."""

    name: ClassVar[str] = "penn-action"
    version: ClassVar[int] = 1
    tells_size: ClassVar[bool] = True
    tells_fps: ClassVar[bool] = False

    @property
    def skeleton(self) -> str:
        return PENN_13.name

    def find(self, root: Path) -> Iterable[Source]:
        return sources_ending(root, _ENDS)

    def read(self, uri: str) -> SourcePoses:
        path = Path(uri)
        found = read_mat(path, [*_PER_JOINT, "dimensions", "nframes"])
        size_wh = _size_wh(path, found["dimensions"])
        _require_shapes(path, found)
        visible = found["visibility"]
        if not np.isin(visible, (0, 1)).all():
            raise UnreadablePoses(
                f"{path}: visibility is from {visible.min():g} to {visible.max():g}; expected 0 "
                "or 1"
            )
        xy = np.stack([found["x"], found["y"]], axis=-1)
        return one_person(path, xy, visible == 1, size_wh)


def _size_wh(path: Path, dimensions: Float64) -> tuple[int, int]:
    height_width = dimensions.ravel()[:2].tolist()
    if dimensions.size != 3 or not all(
        each.is_integer() and 0 < each <= _MAX_EDGE_PX for each in height_width
    ):
        raise UnreadablePoses(
            f"{path}: dimensions are {dimensions.ravel()[:9].tolist()}; expected height, width and "
            f"number of frames, the first two from 1 to {_MAX_EDGE_PX}"
        )
    height, width = height_width
    return int(width), int(height)


def _require_shapes(path: Path, found: dict[str, Float64]) -> None:
    num_frames = found["nframes"].ravel()[:2].tolist()
    expected = [(each, PENN_13.num_keypoints) for each in num_frames]
    shapes = {name: found[name].shape for name in _PER_JOINT}
    if [*set(shapes.values())] != expected:
        told = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise UnreadablePoses(
            f"{path}: has {told}, and nframes {num_frames}; expected (nframes, "
            f"{PENN_13.num_keypoints}) each"
        )
