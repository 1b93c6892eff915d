"""The interface of an export: what it takes of a store, and the writer that takes it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol

import numpy.typing as npt

from posemill.schema import Clip, PoseSequence, Skeleton
from posemill.settings import check_settings
from posemill.storage.catalog import Catalog
from posemill.storage.features import FeatureRow
from posemill.transforms.outputs import OutputSpec


@dataclass(frozen=True, slots=True)
class PoseSource:
    """What there is to know of a pose store before its poses are read."""

    url: str
    skeleton: Skeleton
    has_3d: bool
    """Whether some of its videos have 3-D poses."""
    catalog: Catalog | None = None
    """Whose clips are exported; None where whole videos are."""


@dataclass(frozen=True, slots=True, eq=False)
class PoseItem:
    """A video, or a clip of one, with its poses."""

    id: str
    """Of the clip where there is one, else of the video."""
    video_id: str
    poses: PoseSequence
    """Frames are numbered from 0; their times are those of the video."""
    clip: Clip | None = None


class PoseWriter(Protocol):
    """Takes poses one by one, in the order of the store's plan, and holds few of them."""

    def add(self, item: PoseItem) -> None: ...

    def end_shard(self) -> None:
        """All items of a shard of the store are added."""


@dataclass(frozen=True, slots=True)
class FeatureSource:
    """What there is to know of a feature store before its rows are read."""

    url: str
    configuration: Mapping[str, Any]
    classes: tuple[str, ...]
    specs: tuple[OutputSpec, ...]
    splits: Mapping[str, tuple[str, ...]]
    """Names of splits to names of their subsets."""


@dataclass(frozen=True, slots=True, eq=False)
class FeatureItem:
    """A row of a feature store."""

    number: int
    row: FeatureRow
    is_valid: bool
    arrays: Mapping[str, npt.NDArray[Any]]
    """Of every output, as they are stored."""


class FeatureWriter(Protocol):
    """Takes rows one by one, in order."""

    def add(self, item: FeatureItem) -> None: ...


@dataclass(frozen=True)
class Export(ABC):
    """Writes one kind of file or folder.

    A frozen dataclass of fields made by `settings.setting`. They are checked when it is
    made, which raises InputError. Equal stores and settings give equal bytes.
    """

    kind: ClassVar[str] = "export"
    name: ClassVar[str]
    makes: ClassVar[Literal["file", "folder"]]

    def __post_init__(self) -> None:
        check_settings(self)


class PoseExport(Export):
    """An export of poses: a subclass gives `begin`, and says what it cannot hold."""

    clips: ClassVar[Literal["never", "asked", "always"]] = "never"
    """Whether its items are clips: of a catalog that is given, or must be known."""

    def check(self, source: PoseSource) -> None:
        """Refuse before anything is read what could not be exported.

        Raises:
            InputError: the store or the catalog lacks what this kind tells.
        """

    def unfit(self, item: PoseItem) -> str | None:
        """Why this kind cannot hold an item; None where it can."""

    @abstractmethod
    def begin(self, draft: Path, source: PoseSource) -> AbstractContextManager[PoseWriter]:
        """A writer to `draft`, which is not there if a file is made, and empty if a folder is.

        All is written where the context ends without an error.
        """


class FeatureExport(Export):
    """An export of features: a subclass gives `begin`, and says what it leaves out."""

    keep_invalid: bool
    """Whether rows without features are exported, too."""

    def check(self, source: FeatureSource) -> None:
        """As `PoseExport.check`."""

    def unfit(self, row: FeatureRow) -> str | None:
        """As `PoseExport.unfit`."""

    @abstractmethod
    def begin(self, draft: Path, source: FeatureSource) -> AbstractContextManager[FeatureWriter]:
        """As `PoseExport.begin`."""
