"""The interface of a dataset: which clips its annotations tell of, and in which videos they lie.

A dataset reads its own files only. Where the videos are on this machine, and which
of them are not, `assemble.index_dataset` finds out.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from posemill.schema import Clip
from posemill.settings import check_settings, setting
from posemill.storage.datasets.text_rows import Encoding


@dataclass(frozen=True, slots=True)
class ListedVideo:
    """A video that annotations tell of, wherever it lies."""

    id: str
    """As `Video.id`."""
    path: str
    """Where it is expected below the folder of the videos, `/` between folders; what of it ends
    in the name of a file that is there, whatever its suffix, is found too."""
    start_seconds: float = 0.0
    """Of the part to decode."""
    end_seconds: float | None = None
    suffix: str = ".mp4"
    """With which it is looked for later where it is not there now."""


@dataclass(frozen=True, slots=True)
class Annotations:
    """All that the annotations of a dataset tell."""

    videos: Sequence[ListedVideo]
    clips: Sequence[Clip]
    classes: Sequence[str]
    """In the order of the dataset's own numbers, where it has them; else sorted."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """What was not taken, and how much: `{"clips without a skeleton": 302}`."""


@dataclass(frozen=True)
class Dataset(ABC):
    """Reads the annotations of one dataset.

    A frozen dataclass, equal by its settings: fields made by `settings.setting`.
    They are checked when it is made, which raises InputError.
    """

    kind: ClassVar[str] = "dataset"
    name: ClassVar[str]
    title: ClassVar[str]
    """As people call it, in a line of help: `Kinetics-400, 600 and 700`."""
    files: ClassVar[str]
    """What `posemill index NAME --help` shows: the files that are expected, and a line of each,
    exactly as the dataset's makers write them."""
    needs_annotations: ClassVar[bool] = True
    """Whether it has files of annotations; else the names of the videos tell all."""

    encoding: Encoding = setting("utf-8", "of the files of text")

    def __post_init__(self) -> None:
        check_settings(self)

    @abstractmethod
    def read(self, annotations: Sequence[Path], names: Collection[str]) -> Annotations:
        """What the files, and the files in the folders, of `annotations` tell.

        `names` are the paths of all videos that are there, below their folder, without suffix;
        only a dataset whose videos' names are its annotations looks at them.

        Raises:
            InputError: names the file and the line, what is there, and what was expected.
            OSError: a file cannot be read.
        """
