"""The annotation file that pyskl and mmaction2 train on: one pickle of all clips.

Keys, shapes and types are those that pyskl documents for its own annotation files
(kennymckormick/pyskl, tools/data/README.md) and that the loaders read (pyskl,
pyskl/datasets/pose_dataset.py; open-mmlab/mmaction2, mmaction/datasets/pose_dataset.py):
`{"split": {name: [frame_dir]}, "annotations": [{"frame_dir", "total_frames", "img_shape",
"original_shape", "label", "keypoint", "keypoint_score"}]}`, sizes as (height, width), the
numbers of classes from 0. 3-D joints are metres with y up and have no scores, as those of
NTU RGB+D (tools/data/ntu_preproc.py). A list of numbers as a label is for `multi_class`
(pyskl/datasets/base.py). A clip without labels has no `label`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from posemill.errors import InputError
from posemill.schema import Clip, PoseSequence
from posemill.settings import setting
from posemill.storage.catalog import Catalog
from posemill.storage.exports.base import PoseExport, PoseItem, PoseSource
from posemill.storage.exports.pickle_stream import PickleStream
from posemill.storage.exports.tracks import find_tracks, too_large

_ONLY_SPLIT = "default"
_NUMBERED_SPLIT = re.compile(r"split([0-9]+)")
_TO_Y_UP = np.array([1, -1, 1], np.float32)


@dataclass(frozen=True)
class PysklExport(PoseExport):
    """A pickle of clips with labels and splits, as pyskl and mmaction2 load it."""

    name: ClassVar[str] = "pyskl"
    makes = "file"
    clips = "always"

    labels: Literal["one", "first", "all"] = setting(
        "one", "of clips with several labels: refuse them, take the first, or write lists of all"
    )
    space: Literal["2d", "3d"] = setting(
        "2d", "pixels with scores, or metres with y up and without"
    )
    dtype: Literal["float16", "float32"] = setting(
        "float16", "of joints; float16 has steps of 1 px from 1024 px on"
    )
    people: int = setting(0, "tracks of a clip that are kept; 0 keeps all", low=0, high=1000)

    def check(self, source: PoseSource) -> None:
        if self.space == "3d" and not source.has_3d:
            raise InputError(f"{source.url} has no 3-D poses; set space=2d")
        _require_own_names(_catalog(source))
        several = [clip for clip in _catalog(source).clips if len(_names(clip)) > 1]
        if self.labels == "one" and several:
            raise InputError(
                f"clip {several[0].id} has {len(_names(several[0]))} labels, as have "
                f"{len(several) - 1:,} others; set labels=all to write lists of class numbers "
                "(pyskl's multi_class), or labels=first"
            )

    def unfit(self, item: PoseItem) -> str | None:
        if self.space == "3d" and item.poses.xyz_m is None:
            return "it has no 3-D poses"
        return too_large(item.poses, self.people, 3)

    @contextmanager
    def begin(self, draft: Path, source: PoseSource) -> Iterator[_Writer]:
        classes = {name: number for number, name in enumerate(_catalog(source).classes)}
        with draft.open("xb") as file:
            stream = PickleStream(file)
            stream.begin_list("annotations")
            writer = _Writer(self, stream, classes)
            yield writer
            stream.end_list()
            stream.item("split", writer.splits)
            stream.finish()


class _Writer:
    def __init__(self, export: PysklExport, stream: PickleStream, classes: dict[str, int]) -> None:
        self._export, self._stream, self._classes = export, stream, classes
        self.splits: dict[str, list[str]] = {}

    def add(self, item: PoseItem) -> None:
        if item.clip is None:
            raise ValueError(f"{item.id}: pyskl takes clips")
        poses, shape = item.poses, (item.poses.height, item.poses.width)
        self._stream.append(
            {
                "frame_dir": item.id,
                "total_frames": poses.num_frames,
                "img_shape": shape,
                "original_shape": shape,
                **self._label(item.clip),
                **self._joints(poses),
            }
        )
        for split, subset in item.clip.splits.items():
            self.splits.setdefault(split_name(split, subset), []).append(item.id)

    def end_shard(self) -> None:
        pass

    def _label(self, clip: Clip) -> dict[str, Any]:
        numbers = [self._classes[name] for name in _names(clip)]
        if not numbers:
            return {}
        return {"label": numbers if self._export.labels == "all" else numbers[0]}

    def _joints(self, poses: PoseSequence) -> dict[str, npt.NDArray[Any]]:
        tracks = find_tracks(poses, self._export.people)
        if self._export.space == "3d" and poses.xyz_m is not None:
            return {"keypoint": self._cast(tracks.spread(poses.xyz_m * _TO_Y_UP, 0.0))}
        return {
            "keypoint": self._cast(tracks.spread(poses.xy_px, 0.0)),
            "keypoint_score": self._cast(tracks.spread(poses.score, 0.0)),
        }

    def _cast(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        limit = np.finfo(self._export.dtype).max
        cast: npt.NDArray[Any] = np.clip(values, -limit, limit).astype(self._export.dtype)
        return cast


def split_name(split: str, subset: str) -> str:
    """What pyskl calls a subset: `train` of the only split, `train1` of `split1`, `xsub_train`."""
    if split == _ONLY_SPLIT:
        return subset
    numbered = _NUMBERED_SPLIT.fullmatch(split)
    return f"{subset}{numbered[1]}" if numbered else f"{split}_{subset}"


def _require_own_names(catalog: Catalog) -> None:
    """Raises:
    InputError: two subsets would have one name.
    """
    known: dict[str, tuple[str, str]] = {}
    for pair in sorted({pair for clip in catalog.clips for pair in clip.splits.items()}):
        other = known.setdefault(split_name(*pair), pair)
        if other != pair:
            raise InputError(
                f"catalog {catalog.name!r}: {pair[1]!r} of the split {pair[0]!r} and {other[1]!r} "
                f"of {other[0]!r} would both be called {split_name(*pair)!r}; rename one of them"
            )


def _names(clip: Clip) -> list[str]:
    """Each class once: a timed label may be told several times."""
    return list(dict.fromkeys(label.name for label in clip.labels))


def _catalog(source: PoseSource) -> Catalog:
    if source.catalog is None:
        raise ValueError("an export of clips needs their catalog")
    return source.catalog
