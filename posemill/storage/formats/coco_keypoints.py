"""COCO keypoints with their images: ground truth, or results and a file of images.

::

    {"images": [{"id": 7, "file_name": "wave/0001/000012.jpg", "width": 640, "height": 480}, ...],
     "annotations": [{"image_id": 7, "category_id": 1, "keypoints": [x0, y0, v0, x1, ...],
                      "iscrowd": 0, "track_id": 3}, ...],
     "categories": [{"id": 1, "name": "person", "keypoints": ["nose", ...]}]}
    [{"image_id": 7, "category_id": 1, "keypoints": [x0, y0, c0, x1, ...], "score": 0.9}, ...]

A file may hold many videos. Frames are the images, in the order of the numbers in their names:
also those that nobody is in. See `coco_annotation` for what the numbers mean.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from posemill.errors import UnreadablePoses
from posemill.settings import setting
from posemill.storage.file_tree import files_below
from posemill.storage.formats.base import PoseFormat, Source, SourcePoses
from posemill.storage.formats.coco_file import CocoFile
from posemill.storage.formats.coco_images import VideosBy
from posemill.storage.formats.file_names import file_source, file_sources, part_of, part_uri
from posemill.storage.formats.joint_names import JointsName
from posemill.storage.formats.source_files import FilesSeen, look_at_part

_ENDS = (".json",)


@dataclass(frozen=True)
class CocoKeypointsFormat(PoseFormat):
    """COCO keypoints: annotations with their images, or results and a file of images."""

    name: ClassVar[str] = "coco-keypoints"
    version: ClassVar[int] = 1
    tells_size: ClassVar[bool] = True
    tells_fps: ClassVar[bool] = False

    videos: VideosBy = setting(
        "folders", "images of one video have one folder in file_name, or one name but for a number"
    )
    images: str = setting(
        "", "file that lists the images of results, seen from their folder; none for annotations"
    )
    joints: JointsName = setting("coco-17", "joints of a person in the files")

    @property
    def skeleton(self) -> str:
        return self.joints

    def find(self, root: Path) -> Iterable[Source]:
        """As `PoseFormat.find`; a file that is none is a source, which `read` refuses."""
        if root.is_dir():
            paths = [path for path in files_below(root) if path.suffix == ".json"]
            sources = file_sources(root, paths, _ENDS)
        else:
            sources = [file_source(root, _ENDS)]
        for source in sources:
            path = Path(source.uri)
            if self._images_of(path) != path:
                for video in sorted(self._listed_videos(path)):
                    yield Source(video or source.video_id, part_uri(path, video))

    def files(self, uri: str) -> Sequence[Path]:
        path, _ = part_of(uri)
        images = self._images_of(path)
        return [path] if images is None else [path, images]

    def look(self, uri: str, known: str = "") -> FilesSeen:
        """An even share of the file's bytes."""
        files = self.files(uri)
        num_videos = len(self._listed_videos(files[0]))
        return look_at_part(files, files[0].stat().st_size // num_videos, known)

    def read(self, uri: str) -> SourcePoses:
        path, video = part_of(uri)
        return self._file(path).read(video)

    def _file(self, path: Path) -> CocoFile:
        return CocoFile(path, self._images_of(path), self.videos, self.joints)

    def _images_of(self, path: Path) -> Path | None:
        return path.parent / self.images if self.images else None

    def _listed_videos(self, path: Path) -> Collection[str]:
        """One without a name where nothing is listed, or cannot be read: which `read` tells."""
        try:
            return self._file(path).listed().videos or ("",)
        except UnreadablePoses:
            return ("",)
