"""A dataset's annotations and the videos that are there, as a catalog."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from posemill.errors import InputError
from posemill.schema import Video
from posemill.storage.catalog import Catalog
from posemill.storage.datasets.base import Dataset, ListedVideo
from posemill.storage.datasets.tree import FoundVideo, file_uri
from posemill.storage.datasets.video_files import VideoFiles
from posemill.storage.durable import input_faults
from posemill.storage.identity import ABSENT


@dataclass(frozen=True, slots=True)
class Indexed:
    """A catalog, and what of the dataset is not in it."""

    catalog: Catalog
    left_out: Mapping[str, int]
    """As in `Annotations`."""


def index_dataset(dataset: Dataset, annotations: Sequence[Path], videos: str | None) -> Indexed:
    """All that the annotations tell, of videos below `videos`, a folder or a bucket's prefix.

    A video that is not there stays, with the identity `ABSENT`; so do all where no folder is
    given, which are then looked for beside the annotations.

    Raises:
        InputError: annotations that cannot be used, named by file and line, or a video of which
            nothing tells where it is.
        EnvironmentFault: the bucket gives no answer.
    """
    if dataset.needs_annotations and not annotations:
        raise InputError(f"{dataset.name}: no annotations are given. Expected {dataset.files}")
    files = _video_files(dataset, annotations, videos)
    for path in annotations:
        if not path.exists():
            raise InputError(f"{path}: there is no such file or folder. Expected {dataset.files}")
    with input_faults(", ".join(map(str, annotations))):
        found = dataset.read(annotations, files.names())
    if not found.clips:
        raise InputError(
            f"{', '.join(map(str, annotations)) or videos}: tells of no clip of {dataset.title}. "
            f"Expected {dataset.files}"
        )
    there = files.match(listed.path for listed in found.videos)
    try:
        catalog = Catalog(
            name=dataset.name,
            root=files.root,
            videos=tuple(
                _video(
                    files.root, each, files.look(there[each.path]) if each.path in there else None
                )
                for each in found.videos
            ),
            clips=tuple(found.clips),
            classes=tuple(found.classes),
        )
    except ValueError as error:
        raise InputError(f"{', '.join(map(str, annotations))}: {error}") from error
    return Indexed(catalog, found.left_out)


def _video_files(dataset: Dataset, annotations: Sequence[Path], videos: str | None) -> VideoFiles:
    if videos is not None:
        return VideoFiles.below(videos)
    if not annotations:
        raise InputError(
            f"{dataset.name}: the names of the videos are its annotations. Give their folder with "
            "--videos"
        )
    return VideoFiles.nowhere(annotations[0].parent)


def _video(root: str, listed: ListedVideo, seen: FoundVideo | None) -> Video:
    path = PurePosixPath(listed.path + listed.suffix) if seen is None else seen.path
    return Video(
        id=listed.id,
        uri=file_uri(root, path),
        num_bytes=0 if seen is None else seen.num_bytes,
        identity=ABSENT if seen is None else seen.identity,
        start_seconds=listed.start_seconds,
        end_seconds=listed.end_seconds,
    )
