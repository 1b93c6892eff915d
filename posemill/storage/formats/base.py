"""The interface of a pose format: which videos' poses there are in files, and what they tell.

A format only tells what is in its files. What no file tells, such as the size of
the frames, and what all poses need, such as tracks, the stage `import` adds.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

from posemill.schema import Float32, Int64
from posemill.settings import check_settings
from posemill.storage.formats.source_files import FilesSeen, look_at_files


@dataclass(frozen=True, slots=True)
class Source:
    """Where the poses of one video are."""

    video_id: str
    """From the path below the folder that was given, as an index of the videos makes it."""
    uri: str
    """An absolute path; a format may add what it needs to find one of several videos there."""


@dataclass(frozen=True, slots=True, eq=False)
class SourcePoses:
    """What the files tell of one video: P person-frames of K joints.

    Shapes and values are checked when a `PoseSequence` is made of it.
    """

    xy_px: Float32  # (P, K, 2)
    score: Float32  # (P, K), 0 = not detected
    frame: Int64  # (P,) number of the frame, from 0, never falling
    num_frames: int
    """Also those at the end in which nobody is."""
    track: Int64 | None
    """(P,) number of the person through time; None where the files do not follow people."""
    size_wh: tuple[int, int] | None = None
    """Of the frames, in pixels; None where the files do not tell it."""
    fps: float | None = None
    """Frames per second; None where the files do not tell them."""
    xyz_m: Float32 | None = None
    """(P, K, 3) as in `PoseSequence`."""
    of_frame: bool = False
    """Whether `xy_px` is in parts of the frame instead: 0 is the centre of its first pixel, 1 that
    of its last one."""


@dataclass(frozen=True)
class PoseFormat(ABC):
    """Finds and reads the pose files of one format.

    A frozen dataclass, equal by its settings: fields made by `settings.setting`.
    They are checked when it is made, which raises InputError. A subclass gives
    `skeleton`, `find` and `read`, and `files` where a source is not one file.
    """

    kind: ClassVar[str] = "format"
    name: ClassVar[str]
    version: ClassVar[int]
    """Raised with every change of the poses read from equal files with equal settings."""
    tells_size: ClassVar[bool]
    """Whether every source tells the size of its frames."""
    tells_fps: ClassVar[bool]
    """Whether every source tells its frames per second."""

    def __post_init__(self) -> None:
        check_settings(self)

    @property
    @abstractmethod
    def skeleton(self) -> str:
        """Name of the skeleton of all poses."""

    @abstractmethod
    def find(self, root: Path) -> Iterable[Source]:
        """Every video of which there are poses at or below an absolute path.

        Raises:
            UnreadablePoses: a file that holds those of many cannot be looked through.
            OSError: a folder cannot be looked into.
        """

    @abstractmethod
    def read(self, uri: str) -> SourcePoses:
        """What the files of a source tell.

        Raises:
            UnreadablePoses: of what they hold; names the file and the place in it.
            OSError: they cannot be read, or are not there.
        """

    def files(self, uri: str) -> Sequence[Path]:
        """The files of a source, in order.

        Raises:
            OSError: a folder cannot be looked into, or is not there.
        """
        return [Path(uri)]

    def look(self, uri: str, known: str = "") -> FilesSeen:
        """Size and identity of a source; `known` is one that it had and may have still.

        Of one of several videos in a file it is the size of its own part.

        Raises:
            OSError: as `read`.
        """
        return look_at_files(self.files(uri), known)

    def configuration(self) -> dict[str, Any]:
        """What decides the poses, for the store."""
        return {"name": self.name, "version": self.version, "settings": asdict(self)}
