"""What is in a pickle of pyskl's or mmaction2's: annotations, splits, or keypoints beside others.

The README of kennymckormick/pyskl's tools/data tells the format::

    {"split": {"xsub_train": [name, ...], ...},
     "annotations": [{"frame_dir": name, "total_frames": T, "img_shape": (height, width),
                      "original_shape": (height, width), "label": 7,
                      "keypoint": float16 (M, T, V, 2), "keypoint_score": float16 (M, T, V)}]}

`mmaction/datasets/pose_dataset.py` of open-mmlab/mmaction2 takes the list of annotations
alone, too, which pyskl's tools/data/custom_2d_skeleton.py writes. Its `--compress`, and
Kinetics, have `keypoint` (N, V, 3) of N people in the frames `frame_inds` (N,). Of Kinetics
these are in files of their own: {name: {"keypoint": (N, V, 3)}}; `raw_file` tells which.
"""

from __future__ import annotations

import reprlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from posemill.errors import UnreadablePoses
from posemill.schema import require_id
from posemill.storage.pickles.machine import Item
from posemill.storage.pickles.values import ArrayPlace
from posemill.storage.pickles.walk import walk

MAX_ANNOTATIONS = 2_000_000
"""Of a file, each of which is held in about a kilobyte."""
_MAX_NUMBERS = 1_000
_FIELDS = ("total_frames", "img_shape", "label", "keypoint", "keypoint_score", "frame_inds")


@dataclass(frozen=True, slots=True)
class Annotation:
    """Of one clip, as it is written; whoever uses a value checks it."""

    path: Path
    number: int
    """In the file, from 0."""
    name: str
    total_frames: object
    img_shape: object
    label: object
    keypoint: object
    keypoint_score: object
    frame_inds: object

    @property
    def place(self) -> str:
        """For messages."""
        return f"{self.path}, annotation {self.number} ({self.name!r})"

    @property
    def num_bytes(self) -> int:
        """Of its arrays in the file, or in memory where these are more."""
        arrays = (self.keypoint, self.keypoint_score, self.frame_inds)
        return sum(array_bytes(each) for each in arrays if isinstance(each, ArrayPlace))


@dataclass(frozen=True, slots=True)
class PysklFile:
    """All of a file but its arrays, of which it has the places."""

    annotations: dict[str, Annotation] = field(default_factory=dict)
    """By name, in order."""
    splits: dict[str, tuple[str, ...]] = field(default_factory=dict)
    keypoints: dict[str, ArrayPlace] = field(default_factory=dict)
    """Of annotations that are in another file."""


def array_bytes(array: ArrayPlace) -> int:
    """Of the file, or of memory where it is more."""
    return max(array.file_bytes, array.num_bytes)


def read_pyskl_file(path: Path) -> PysklFile:
    """One file; as it is now, while the last eight stay at hand.

    Raises:
        UnreadablePoses: it is no such pickle, or a clip is in it twice or has no usable name.
        OSError: it cannot be read.
    """
    info = path.stat()
    return _read(path, info.st_size, info.st_mtime_ns)


@lru_cache(maxsize=8)
def _read(path: Path, _num_bytes: int, _mtime_ns: int) -> PysklFile:
    found = PysklFile()
    for item in walk(path):
        _add(path, found, item)
    return found


def _add(path: Path, found: PysklFile, item: Item) -> None:
    match item.key, item.value:
        case (None | "annotations", _) if item.in_list:
            _add_annotation(path, found, item.value)
        case "annotations", []:
            pass  # its items came before
        case "split", dict() as splits:
            found.splits.update(_splits(path, splits))
        case str() as name, {"keypoint": ArrayPlace() as array}:
            found.keypoints[name] = array
        case None, ArrayPlace() as array:
            found.keypoints[path.stem] = array
        case "annotations" | "split", _:
            raise UnreadablePoses(f"{path}: {item.key} is {reprlib.repr(item.value)}")


def _add_annotation(path: Path, found: PysklFile, value: object) -> None:
    number = len(found.annotations)
    place = f"{path}, annotation {number}"
    if not isinstance(value, dict):
        raise UnreadablePoses(f"{place}: expected a dict, got {reprlib.repr(value)}")
    name = value.get("frame_dir")
    if type(name) is not str:
        raise UnreadablePoses(
            f"{place}: expected the clip's name as 'frame_dir', got {reprlib.repr(name)} beside "
            f"{', '.join(map(reprlib.repr, value))}"
        )
    try:
        require_id("clip", name)
    except ValueError as error:
        raise UnreadablePoses(f"{place}: {error}") from error
    if (first := found.annotations.get(name)) is not None:
        raise UnreadablePoses(f"{place}: the clip {name!r} is there twice, see {first.place}")
    if number == MAX_ANNOTATIONS:
        raise UnreadablePoses(f"{place}: more than {MAX_ANNOTATIONS:,} clips; give smaller files")
    found.annotations[name] = Annotation(path, number, name, **_fields(value))


def _fields(value: Mapping[object, object]) -> dict[str, object]:
    return {name: _short(value.get(name)) for name in _FIELDS}


def _short(value: object) -> object:
    """A value that is not larger than a clip's may be; of another one what it looks like."""
    if isinstance(value, list | tuple) and len(value) <= _MAX_NUMBERS:
        return tuple(value) if all(type(each) is int for each in value) else reprlib.repr(value)
    return value if isinstance(value, int | float | ArrayPlace | None) else reprlib.repr(value)


def _splits(path: Path, splits: Mapping[object, object]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, ids in splits.items():
        if not isinstance(ids, list | tuple) or not all(type(each) is str for each in ids):
            raise UnreadablePoses(
                f"{path}: expected a list of names as the split {name!r}, got {reprlib.repr(ids)}"
            )
        yield str(name), tuple(ids)
