"""Penn Action (Zhang et al., ICCV 2013): fifteen actions, with a box around the person in each
frame.

::

    action       'tennis_serve'
    train        1; of the test videos -1 or 0
    bbox         (T, 4)   left, top, right and bottom in pixels
    dimensions   (1, 3)   height, width and T: 272 481 46
    nframes      (1, 1)   T

Fields are as the data set's page tells them, dreamdragon.github.io/PennAction. It tells neither
where pixels count from, which is taken to be 1 as in MATLAB, nor the frame rate.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NoReturn

import numpy as np
import numpy.typing as npt

from posemill.errors import InputError, UnreadablePoses
from posemill.schema import Clip, TimedBox, TimedLabel, require_id
from posemill.settings import setting
from posemill.storage.datasets.annotation_files import files_of
from posemill.storage.datasets.base import Annotations, Dataset, ListedVideo
from posemill.storage.datasets.person_box import box_in_frame
from posemill.storage.datasets.tree import SPLIT
from posemill.storage.formats.mat_file import read_mat, read_mat_text

_SUBSETS = {1.0: "train", 0.0: "test", -1.0: "test"}
_FIELDS = ("train", "bbox", "dimensions", "nframes")
_MAX_EDGE_PX = 65_536


@dataclass(frozen=True)
class PennActionDataset(Dataset):
    """The folder of `labels`, or the one that it is in."""

    name: ClassVar[str] = "penn-action"
    title: ClassVar[str] = "Penn Action"
    files: ClassVar[str] = (
        "the folder of labels/{VIDEO}.mat, in which are:\n"
        "  action: 'tennis_serve', train: 1, bbox: [46x4], dimensions: [272 481 46], nframes: 46\n"
        "videos: [frames/]0001.mp4, made of the frames in frames/0001/"
    )

    fps: float = setting(25.0, "of the videos that were made", low=1, high=240, unit="frames/s")

    def read(self, annotations: Sequence[Path], names: Collection[str]) -> Annotations:  # noqa: ARG002
        left_out = Counter[str]()
        paths = files_of(annotations, "*.mat", "labels/*.mat")
        clips = [self._clip(path, left_out) for path in paths]
        return Annotations(
            videos=[ListedVideo(clip.id, f"frames/{clip.id}") for clip in clips],
            clips=clips,
            classes=sorted({label.name for clip in clips for label in clip.labels}),
            left_out=left_out,
        )

    def _clip(self, path: Path, left_out: Counter[str]) -> Clip:
        try:
            require_id("clip", path.stem)
            action, found = read_mat_text(path, "action").strip(), read_mat(path, _FIELDS)
        except UnreadablePoses as error:
            raise InputError(f"{error}. Correct or remove the file.") from error
        except ValueError as error:
            raise InputError(f"{path}: {error}. Rename the file.") from error
        subset = _SUBSETS.get(_single(path, "train", found["train"]))
        if subset is None or not action:
            _refuse(path, "an action, and train 1, 0 or -1", f"{action!r} and {found['train']}")
        return Clip(
            id=path.stem,
            video_id=path.stem,
            labels=(TimedLabel(action),),
            splits={SPLIT: subset},
            boxes=tuple(self._boxes(path, found, left_out)),
        )

    def _boxes(
        self, path: Path, found: dict[str, npt.NDArray[np.float64]], left_out: Counter[str]
    ) -> Iterator[TimedBox]:
        """Of some videos the last frames have no box."""
        width, height = _size_wh(path, found["dimensions"])
        pixels, num_frames = found["bbox"], _single(path, "nframes", found["nframes"])
        if pixels.ndim != 2 or pixels.shape[1] != 4 or not np.isfinite(pixels).all():
            _refuse(path, "bbox of 4 finite numbers a frame", f"{pixels.dtype} {pixels.shape}")
        if not len(pixels) <= num_frames:
            _refuse(path, "a box a frame at most", f"{len(pixels)} boxes of {num_frames:g} frames")
        edges = (pixels - 0.5) / [
            width,
            height,
            width,
            height,
        ]  # the first pixel is from 0.5 to 1.5
        for frame, box in enumerate(edges.tolist()):
            try:
                within, is_clipped = box_in_frame(frame / self.fps, *box)
            except ValueError:
                left_out["boxes without an area in the frame"] += 1
                continue
            left_out.update({"parts of boxes beyond the frame": 1} if is_clipped else {})
            yield within


def _size_wh(path: Path, dimensions: npt.NDArray[np.float64]) -> tuple[int, int]:
    sizes = dimensions.ravel()[:2].tolist()
    if dimensions.size != 3 or not all(
        each.is_integer() and 0 < each <= _MAX_EDGE_PX for each in sizes
    ):
        _refuse(path, "height, width and number of frames as dimensions", str(dimensions)[:80])
    height, width = sizes
    return int(width), int(height)


def _single(path: Path, name: str, numbers: npt.NDArray[np.float64]) -> float:
    if numbers.size != 1:
        _refuse(path, f"one number as {name}", str(numbers)[:80])
    return float(numbers.item())


def _refuse(path: Path, expected: str, got: str) -> NoReturn:
    raise InputError(f"{path}: expected {expected}, got {got}. Correct or remove the file.")
