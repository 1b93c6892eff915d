"""A file of COCO keypoints as the poses of all of its videos."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from posemill.errors import UnreadablePoses
from posemill.schema import Skeleton
from posemill.storage.formats.base import SourcePoses
from posemill.storage.formats.coco_annotation import labelled
from posemill.storage.formats.coco_images import Listed, VideosBy, list_images
from posemill.storage.formats.json_stream import read_members
from posemill.storage.formats.json_text import brief
from posemill.storage.formats.rows import SourceRows
from posemill.transforms.skeletons import get_skeleton

MAX_FILE_BYTES = 1 << 30
"""Of all videos of a file together, whose poses a process holds in some twice its bytes."""


@dataclass(frozen=True, slots=True)
class CocoFile:
    """Where annotations are, and how to read them."""

    path: Path
    images: Path | None
    """The file that tells the images of a list of results."""
    videos_by: VideosBy
    joints: str
    """Name of the skeleton."""

    def listed(self) -> Listed:
        """The images.

        Raises:
            UnreadablePoses: nothing tells them, or not as COCO does; or the file is too large.
            OSError: a file cannot be read.
        """
        if (size := self.path.stat().st_size) > MAX_FILE_BYTES:
            raise UnreadablePoses(
                f"{self.path}: has {size:,} bytes, more than {MAX_FILE_BYTES:,}; split it by videos"
            )
        found = list_images(self.path, self.videos_by)
        if found is None and self.images is not None:
            found = list_images(self.images, self.videos_by)
        if found is None:
            raise UnreadablePoses(
                f"{self.images or self.path}: is a list of results, which tells no images; give "
                "the file that does with --set images=FILE, or import coco-results"
            )
        return found

    def read(self, video: str) -> SourcePoses:
        """The poses of one of the videos.

        Raises:
            UnreadablePoses: of what is told of it, or of the file as a whole.
            OSError: a file cannot be read.
        """
        info = self.path.stat()
        found = _read(self, self.listed(), info.st_size, info.st_mtime_ns).get(video)
        if found is None:
            raise UnreadablePoses(f"{self.path}: lists no image of {video!r} any more")
        if isinstance(found, str):
            raise UnreadablePoses(found)
        return found


# A worker reads a file once, and not for each of its videos.
@lru_cache(maxsize=1)
def _read(
    file: CocoFile, listed: Listed, _num_bytes: int, _mtime_ns: int
) -> Mapping[str, SourcePoses | str]:
    """Poses of each video, or what is wrong with them."""
    skeleton = get_skeleton(file.joints)
    _require_joints(file, listed, skeleton)
    rows = {video: SourceRows(skeleton.num_keypoints) for video in listed.videos}
    frames = {number: n for each in listed.videos.values() for n, number in enumerate(each)}
    faults, with_joints, num_values = dict[str, str](), False, 0
    for where, value, is_result in _values(file.path):
        number, num_values = _image_of(where, value, listed), num_values + 1
        with_joints = with_joints or "keypoints" in value
        video = listed.images[number].video
        try:
            person = labelled(where, value, skeleton, listed.categories, result=is_result)
        except UnreadablePoses as error:
            faults.setdefault(video, str(error))
            continue
        if person is not None:
            rows[video].add(frames[number], person.joints[None], [person.track])
    if num_values and not with_joints:
        raise UnreadablePoses(f"{file.path}: has {num_values:,} annotations, none with keypoints")
    return {
        video: faults.get(video) or _finish(file.path, listed, video, found)
        for video, found in rows.items()
    }


def _require_joints(file: CocoFile, listed: Listed, skeleton: Skeleton) -> None:
    if listed.joints not in (None, skeleton.keypoints):
        raise UnreadablePoses(
            f"{file.path}: has the joints {', '.join(listed.joints or ())}; expected those of "
            f"{skeleton.name}; others are told by --set joints"
        )


def _values(path: Path) -> Iterator[tuple[str, Any, bool]]:
    """Place and value of each annotation, or of each result, and which it is."""
    for member in read_members(path):
        if member.key in (None, "annotations"):
            for place, value in member.values:
                yield place, value, member.key is None


def _image_of(where: str, value: Any, listed: Listed) -> Any:
    number = value.get("image_id") if isinstance(value, dict) else None
    if isinstance(number, list | dict) or number not in listed.images:
        raise UnreadablePoses(
            f'{where}: expected {{"image_id": ID, "keypoints": [...], ...}} of an image that is '
            f"listed, got the image {brief(number)}"
        )
    return number


def _finish(path: Path, listed: Listed, video: str, rows: SourceRows) -> SourcePoses | str:
    numbers = listed.videos[video]
    sizes = {listed.images[number].size_wh for number in numbers}
    if len(sizes) > 1:
        return (
            f"{path}: the images of {video or 'it'} have {len(sizes)} sizes, such as "
            f"{sorted(sizes)[0]} and {sorted(sizes)[-1]}; expected one; where each is alone give "
            "--set videos=images"
        )
    return replace(rows.finish(len(numbers)), size_wh=sizes.pop())
