"""COCO keypoints: one JSON file with an image for each frame and an annotation for each person.

The fields are COCO's (cocodataset.org/#format-data, "Keypoint Detection"): `keypoints` as
x, y, v of each joint, counted from pixel 0, with v = 2 where it was found and 0, 0, 0 where
not; `bbox` as left, top, width and height; `skeleton` as pairs of joints counted from 1.
Beside them stands what COCO has no place for: `keypoint_scores`, `score` (their mean over
the joints that were found) and `track_id` of people, `video_id`, `frame_id` and `seconds`
of images.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, ClassVar

import numpy as np

from posemill.schema import Float32, PoseSequence, Skeleton
from posemill.storage.exports.base import PoseExport, PoseItem, PoseSource
from posemill.transforms.keypoint_boxes import box_area, keypoint_boxes

_PERSON = 1
_VISIBLE = 2
_DIGITS_PX = 4  # of the store's steps of 1/16 px, exact
_DIGITS_SCORE = 4  # of its steps of 1/255, within 1/5000 of a step


@dataclass(frozen=True)
class CocoExport(PoseExport):
    """COCO keypoints JSON: images, annotations with boxes and tracks, the skeleton."""

    name: ClassVar[str] = "coco"
    makes = "file"

    @contextmanager
    def begin(self, draft: Path, source: PoseSource) -> Iterator[_Writer]:
        head = {"info": {"description": f"poses of {source.skeleton.name} joints, by posemill"}}
        # Annotations come after all images; until then they lie in a file without a name.
        with (
            draft.open("x", encoding="ascii") as file,
            tempfile.TemporaryFile("w+", encoding="ascii", dir=draft.parent) as annotations,
        ):
            file.write(json.dumps(head)[:-1])
            file.write(f', "categories": [{json.dumps(_category(source.skeleton))}], "images": [')
            yield _Writer(_Elements(file), _Elements(annotations))
            annotations.seek(0)
            file.write('\n], "annotations": [')
            shutil.copyfileobj(annotations, file)
            file.write("\n]}\n")


class _Elements:
    """The elements of an open JSON list, one a line."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self.count = 0

    def add(self, element: dict[str, Any]) -> None:
        self._file.write(",\n" if self.count else "\n")
        self._file.write(json.dumps(element))
        self.count += 1


class _Writer:
    def __init__(self, images: _Elements, annotations: _Elements) -> None:
        self._images, self._annotations = images, annotations

    def add(self, item: PoseItem) -> None:
        poses, first = item.poses, self._images.count + 1
        for number, seconds in enumerate(poses.pts_seconds.tolist()):
            self._images.add(
                {
                    "id": first + number,
                    "file_name": f"{item.id}/{number:06d}.jpg",
                    "width": poses.width,
                    "height": poses.height,
                    "video_id": item.id,
                    "frame_id": number,
                    "seconds": round(seconds, 6),
                }
            )
        for person in _people(poses, first):
            self._annotations.add({"id": self._annotations.count + 1, **person})

    def end_shard(self) -> None:
        pass


def _people(poses: PoseSequence, first_image: int) -> Iterator[dict[str, Any]]:
    boxes = keypoint_boxes(poses.xy_px, poses.score)
    sizes = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)
    num_seen = np.count_nonzero(poses.score, axis=1)
    mean = poses.score.sum(axis=1) / np.maximum(num_seen, 1)
    columns = {
        "image_id": (first_image + poses.frame).tolist(),
        "keypoints": _triplets(poses.xy_px, poses.score),
        "num_keypoints": num_seen.tolist(),
        "bbox": _rounded(sizes, _DIGITS_PX),
        "area": _rounded(box_area(boxes), _DIGITS_PX),
        "score": _rounded(mean, _DIGITS_SCORE),
        "keypoint_scores": _rounded(poses.score, _DIGITS_SCORE),
        "track_id": poses.slot.tolist(),
    }
    for values in zip(*columns.values(), strict=True):
        yield {"category_id": _PERSON, "iscrowd": 0, **dict(zip(columns, values, strict=True))}


def _triplets(xy_px: Float32, score: Float32) -> list[list[float]]:
    """x, y, v of the joints of each row."""
    seen = score > 0
    xy = _rounded(np.where(seen[..., None], xy_px, 0), _DIGITS_PX)
    visibility = np.where(seen, _VISIBLE, 0).tolist()
    return [
        [number for (x, y), v in zip(places, visible, strict=True) for number in (x, y, v)]
        for places, visible in zip(xy, visibility, strict=True)
    ]


def _rounded(values: Float32, digits: int) -> list[Any]:
    numbers: list[Any] = np.round(values.astype(np.float64), digits).tolist()
    return numbers


def _category(skeleton: Skeleton) -> dict[str, Any]:
    return {
        "id": _PERSON,
        "name": "person",
        "supercategory": "person",
        "keypoints": list(skeleton.keypoints),
        "skeleton": [[start + 1, end + 1] for start, end in skeleton.limbs],
    }
