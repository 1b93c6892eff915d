"""NTU RGB+D's bodies of Kinect 2: a `.skeleton` file of text for each video.

::

    103                                         frames; then of each frame:
    1                                             bodies; then of each body:
    72057594037931101 0 1 1 1 1 0 0.02 -0.1 2       id, 6 flags, leanX, leanY, its tracking state
    25                                              joints; then of each joint, 12 numbers:
    0.22 0.17 3.88 277.4 191.8 1036.2 519.2 -0.21 0.05 0.95 -0.22 2
                                                      x y z, depthX depthY, colorX colorY,
                                                      orientation W X Y Z, tracking state

Order of the fields: Matlab/read_skeleton_file.m of shahroudy/NTURGB-D, whose README
gives the size of the colour frames; show_skeleton_on_RGB_frames.m draws body
f at frame f of the video. Kinect 2 records 30 frames a second. Microsoft's
"Coordinate mapping" tells the axes: x to the sensor's left, which is the right of its
mirrored pictures, y up, z away, in metres; colour pixels count from 0.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from posemill.schema import Float32
from posemill.storage.formats.base import PoseFormat, Source, SourcePoses
from posemill.storage.formats.counted_lines import CountedLines
from posemill.storage.formats.far_joints import near_frame
from posemill.storage.formats.file_names import sources_ending
from posemill.storage.formats.kinect_view import VIEW_WH
from posemill.storage.formats.rows import SourceRows
from posemill.transforms.skeletons import NTU_25

_ENDS = (".skeleton",)
_FPS = 30.0
_BODY_FIELDS, _JOINT_FIELDS = 10, 12
_XYZ, _COLOUR, _STATE = slice(0, 3), slice(5, 7), 11
_SCORES = np.array([0.0, 0.5, 1.0])  # not tracked, inferred, tracked
_MAX_M = 1e3
_MAX_FRAMES = 10_000_000
_UPRIGHT = np.array([1.0, -1.0, 1.0])  # Kinect's y points up


@dataclass(frozen=True)
class NtuSkeletonFormat(PoseFormat):
    """NTU RGB+D's .skeleton files: 25 joints in colour pixels and in metres."""

    name: ClassVar[str] = "ntu-skeleton"
    version: ClassVar[int] = 1
    tells_size: ClassVar[bool] = True
    tells_fps: ClassVar[bool] = True

    @property
    def skeleton(self) -> str:
        return NTU_25.name

    def find(self, root: Path) -> Iterable[Source]:
        return sources_ending(root, _ENDS)

    def read(self, uri: str) -> SourcePoses:
        with Path(uri).open("rb") as file:
            return _read(CountedLines(uri, file))


def _read(lines: CountedLines) -> SourcePoses:
    rows, positions = SourceRows(NTU_25.num_keypoints), [np.empty((0, 25, 3), np.float32)]
    numbers: dict[int, int] = {}  # of a body's track, by its id, which no float holds
    num_frames = lines.whole("the number of frames", _MAX_FRAMES)
    for frame in range(num_frames):
        if bodies := _bodies(lines, frame):
            tracks = [numbers.setdefault(each, len(numbers)) for each in bodies]
            rows.add(frame, np.stack([triplets for triplets, _ in bodies.values()]), tracks)
            positions.append(np.stack([xyz_m for _, xyz_m in bodies.values()]))
    lines.require_end(f"the {num_frames} frames that its first line tells")
    return replace(
        rows.finish(num_frames), xyz_m=np.concatenate(positions), size_wh=VIEW_WH, fps=_FPS
    )


def _bodies(lines: CountedLines, frame: int) -> dict[int, tuple[Float32, Float32]]:
    """The joints of each body of a frame that has any, by its id."""
    bodies = dict[int, tuple[Float32, Float32]]()
    for _ in range(lines.whole(f"the number of bodies of frame {frame}")):
        number = _body(lines, frame, bodies)
        bodies[number] = _joints(lines)
    return {number: joints for number, joints in bodies.items() if joints[0].any()}


def _body(lines: CountedLines, frame: int, seen: Collection[int]) -> int:
    """The id of the body that comes next, which none of those seen has."""
    fields = lines.fields(_BODY_FIELDS, f"a body of frame {frame}: its id and 9 numbers")
    lines.numbers(fields[1:])
    number = lines.natural(fields[0], "the id of a body")
    if number in seen:
        raise lines.fault(f"body {number} is in frame {frame} twice; expected it once")
    if (joints := lines.whole("the number of joints")) != NTU_25.num_keypoints:
        raise lines.fault(f"a body of {joints} joints; expected {NTU_25.num_keypoints}")
    return number


def _joints(lines: CountedLines) -> tuple[Float32, Float32]:
    """(25, 3) x, y and score of a body, and (25, 3) its positions; 0 where not detected."""
    values = np.empty((NTU_25.num_keypoints, _JOINT_FIELDS))
    for joint, name in enumerate(NTU_25.keypoints):
        values[joint] = lines.numbers(lines.fields(_JOINT_FIELDS, f"12 numbers of {name}"))
        if values[joint, _STATE] not in (0, 1, 2):
            raise lines.fault(
                f"the tracking state of {name} is {values[joint, _STATE]:g}; expected 0, 1 or 2"
            )
    xyz_m, xy_px = values[:, _XYZ] * _UPRIGHT, values[:, _COLOUR]
    score = _SCORES[values[:, _STATE].astype(np.int64)]
    known = near_frame(xy_px, VIEW_WH) & (np.abs(xyz_m) < _MAX_M).all(axis=1) & (score > 0)
    triplets = np.concatenate([xy_px, score[:, None]], axis=1)
    triplets[~known] = xyz_m[~known] = 0
    return triplets.astype(np.float32), xyz_m.astype(np.float32)
