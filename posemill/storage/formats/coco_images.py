"""The images and categories that a file of COCO keypoints lists, and the images' videos."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any, Literal, TypeGuard

from posemill.errors import UnreadablePoses
from posemill.schema import require_id
from posemill.storage.formats.coco_annotation import PERSON
from posemill.storage.formats.frame_numbers import by_numbers, without_number
from posemill.storage.formats.json_stream import read_members
from posemill.storage.formats.json_text import brief

VideosBy = Literal["folders", "names", "images", "file"]
_MAX_EDGE_PX = 65_536
_IMAGE = '{"id": NUMBER, "file_name": TEXT, "width": NUMBER, "height": NUMBER}'


@dataclass(frozen=True, slots=True)
class Image:
    video: str
    """Its id; none where all images of the file are one."""
    path: PurePosixPath
    size_wh: tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Listed:
    """What a file lists; equal to itself alone."""

    images: Mapping[Any, Image]
    """By id."""
    videos: Mapping[str, tuple[Any, ...]]
    """Ids of each one's images, ordered by the numbers in their names; a frame each."""
    categories: frozenset[Any]
    """Ids of those that have joints."""
    joints: tuple[str, ...] | None
    """Names of theirs, where they are told."""


def list_images(path: Path, videos_by: VideosBy) -> Listed | None:
    """None of a list of results, which tells no images.

    Raises:
        UnreadablePoses: it is no such file; names the place.
        OSError: it cannot be read.
    """
    info = path.stat()
    return _list_images(path, videos_by, info.st_size, info.st_mtime_ns)


# A file of many videos is asked for each of them.
@lru_cache(maxsize=4)
def _list_images(path: Path, videos_by: VideosBy, _num_bytes: int, _mtime_ns: int) -> Listed | None:
    images, categories, keys = dict[Any, Image](), dict[Any, tuple[str, ...]](), set[str | None]()
    for member in read_members(path):
        keys.add(member.key)
        if member.key == "images":
            for place, value in member.values:
                _add_image(images, place, value, videos_by)
        elif member.key == "categories":
            categories.update(
                pair for place, value in member.values for pair in _categories(place, value)
            )
    if None in keys:
        return None
    if not {"images", "annotations"} <= keys:
        got = ", ".join(sorted(map(str, keys)))
        raise UnreadablePoses(
            f'{path}: expected COCO\'s {{"images": [...], "annotations": [...]}} or a list of '
            f"results, got an object of {brief(got)}"
        )
    names = Counter(image.path for image in images.values())
    if len(names) < len(images):
        raise UnreadablePoses(f"{path}: lists the image {names.most_common(1)[0][0]} twice")
    if len(set(categories.values())) > 1:
        raise UnreadablePoses(f"{path}: its categories have different joints; expected one kind")
    return Listed(
        images,
        _videos(images),
        frozenset(categories or {PERSON}),
        next(iter(categories.values()), None),
    )


def _add_image(images: dict[Any, Image], place: str, value: Any, videos_by: VideosBy) -> None:
    fields = value if isinstance(value, dict) else {}
    number, name = fields.get("id"), fields.get("file_name")
    width, height = fields.get("width"), fields.get("height")
    if not (
        type(number) in (int, str)
        and isinstance(name, str)
        and _is_edge(width)
        and _is_edge(height)
    ):
        raise UnreadablePoses(f"{place}: expected {_IMAGE}, got {brief(value)}")
    if number in images:
        raise UnreadablePoses(f"{place}: has the id {brief(number)}, as an image before it has")
    path = PurePosixPath(name.replace("\\", "/").lstrip("/"))
    video = _video_of(path, videos_by)
    try:
        require_id("video", video or "x")
    except ValueError as error:
        raise UnreadablePoses(f"{place}: {error}") from error
    images[number] = Image(video, path, (width, height))


def _is_edge(value: Any) -> TypeGuard[int]:
    return type(value) is int and 0 < value <= _MAX_EDGE_PX


def _video_of(path: PurePosixPath, videos_by: VideosBy) -> str:
    match videos_by:
        case "folders":
            found = path.parent
        case "names":
            found = path.parent / without_number(path.stem)
        case "images":
            found = path.with_suffix("") if path.name else path
        case "file":
            found = PurePosixPath()
    return str(found) if found.parts else ""


def _categories(place: str, value: Any) -> Iterator[tuple[Any, tuple[str, ...]]]:
    """Id and names of the joints of a category that has any."""
    if not isinstance(value, dict) or type(value.get("id")) is not int:
        raise UnreadablePoses(f'{place}: expected {{"id": NUMBER, ...}}, got {brief(value)}')
    names = value.get("keypoints")
    if isinstance(names, list) and names:
        words = (str(name).strip().lower().replace(" ", "_").replace("-", "_") for name in names)
        yield value["id"], tuple(words)


def _videos(images: Mapping[Any, Image]) -> dict[str, tuple[Any, ...]]:
    members = defaultdict[str, list[Any]](list)
    for number, image in images.items():
        members[image.video].append(number)
    return {
        video: tuple(sorted(numbers, key=lambda number: _order(images[number].path)))
        for video, numbers in members.items()
    }


def _order(path: PurePosixPath) -> tuple[str, list[int | str]]:
    return str(path.parent), by_numbers(path)
