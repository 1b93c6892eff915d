"""NTU RGB+D (Shahroudy et al., CVPR 2016, arXiv:1604.02808) and NTU RGB+D 120 (Liu et al., TPAMI
2019, arXiv:1905.04757): clips whose names tell setup, camera, performer, replication and action.

Names, classes, the one-shot protocol and the lists of samples without a skeleton are as in the
makers' repository, github.com/shahroudy/NTURGB-D; both lists begin with two lines of prose. The
other splits are the papers', checked in OpenMMLab's tools alone.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections import Counter
from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from posemill.errors import InputError
from posemill.schema import Clip, TimedLabel
from posemill.storage.datasets.annotation_files import files_of
from posemill.storage.datasets.base import Annotations, Dataset, ListedVideo
from posemill.storage.datasets.ntu_actions import ACTIONS
from posemill.storage.datasets.text_rows import Row, read_lines
from posemill.storage.datasets.video_names import OTHER_NAMES, PathsOfIds, named_videos

_SAMPLE = re.compile(
    r"(?P<id>S(?P<setup>\d{3})C(?P<camera>\d{3})P(?P<performer>\d{3})"
    r"R(?P<replication>\d{3})A(?P<action>\d{3}))",
    re.ASCII,
)
_VIDEO = re.compile(_SAMPLE.pattern + "(?:_rgb)?", re.ASCII)
_SKELETONS = ".skeleton"
_XSUB_60 = frozenset({1, 2, 4, 5, 8, 9, *range(13, 20), 25, 27, 28, 31, 34, 35, 38})
_XSUB_120 = _XSUB_60 | {
    *(45, 46, 47, 49, 50, *range(52, 60), 70, 74, 78, *range(80, 87)),
    *(89, *range(91, 96), 97, 98, 100, 103),
}
_FILES = (
    "the videos' names tell all:\n"
    "  S001C002P003R002A013_rgb.avi\n"
    "if wanted, a folder of *.skeleton files: samples whose videos may be absent;\n"
    "and lists of samples to leave out, *missing_skeletons*.txt:\n"
    "  S001C002P005R002A008"
)


@dataclass(frozen=True, slots=True)
class Sample:
    """What a name tells."""

    id: str
    setup: int
    camera: int
    performer: int
    replication: int
    action: int

    @classmethod
    def of(cls, parts: Mapping[str, str]) -> Sample:
        """From the groups of a match."""
        numbers = {name: int(text) for name, text in parts.items() if name != "id"}
        return cls(parts["id"], **numbers)


@dataclass(frozen=True)
class NtuDataset(Dataset):
    """What both have in common."""

    files: ClassVar[str] = _FILES
    needs_annotations: ClassVar[bool] = False
    num_setups: ClassVar[int]
    num_classes: ClassVar[int]

    @staticmethod
    @abstractmethod
    def splits(sample: Sample) -> dict[str, str]:
        """Its subset in each split."""

    def read(self, annotations: Sequence[Path], names: Collection[str]) -> Annotations:
        left_out = Counter[str]()
        missing, found = set[str](), dict[str, Sample]()
        paths = self._videos(names, found)
        left_out[OTHER_NAMES] = len(names) - len(paths)
        for path in files_of(annotations, f"*{_SKELETONS}", "*missing_skeletons*.txt"):
            if path.suffix == _SKELETONS:
                sample = _of_skeleton(path)
                found[sample.id] = sample
                paths.setdefault(sample.id, f"{sample.id}_rgb")
            else:
                missing |= _missing(path, self)
        samples = [sample for _, sample in sorted(found.items())]
        known = [sample for sample in samples if self._knows(sample)]
        kept = [sample for sample in known if sample.id not in missing]
        left_out[f"samples that are not of {self.title}"] = len(samples) - len(known)
        left_out["samples without a skeleton"] = len(known) - len(kept)
        return Annotations(
            videos=[ListedVideo(sample.id, paths[sample.id], suffix=".avi") for sample in kept],
            clips=[
                Clip(
                    id=sample.id,
                    video_id=sample.id,
                    labels=(TimedLabel(ACTIONS[sample.action - 1]),),
                    splits=self.splits(sample),
                )
                for sample in kept
            ],
            classes=ACTIONS[: self.num_classes],
            left_out=+left_out,
        )

    def _knows(self, sample: Sample) -> bool:
        return 1 <= sample.setup <= self.num_setups and 1 <= sample.action <= self.num_classes

    @staticmethod
    def _videos(names: Collection[str], found: dict[str, Sample]) -> dict[str, str]:
        """Paths by sample, which are added to `found`."""
        ids = PathsOfIds()
        paths: dict[str, str] = {}
        for video in named_videos(names, _VIDEO):
            sample = Sample.of(video.parts)
            ids.add(sample.id, video.path)
            found[sample.id], paths[sample.id] = sample, video.path
        return paths


@dataclass(frozen=True)
class Ntu60Dataset(NtuDataset):
    """NTU RGB+D: setups 1 to 17, actions 1 to 60."""

    name: ClassVar[str] = "ntu60"
    title: ClassVar[str] = "NTU RGB+D"
    num_setups: ClassVar[int] = 17
    num_classes: ClassVar[int] = 60

    @staticmethod
    def splits(sample: Sample) -> dict[str, str]:
        """xsub, by performer, and xview: camera 1 is the test."""
        return {
            "xsub": _subset(train=sample.performer in _XSUB_60),
            "xview": _subset(train=sample.camera != 1),
        }


@dataclass(frozen=True)
class Ntu120Dataset(NtuDataset):
    """NTU RGB+D 120: setups 1 to 32, actions 1 to 120."""

    name: ClassVar[str] = "ntu120"
    title: ClassVar[str] = "NTU RGB+D 120"
    num_setups: ClassVar[int] = 32
    num_classes: ClassVar[int] = 120

    @staticmethod
    def splits(sample: Sample) -> dict[str, str]:
        """xsub, by performer; xset: even setups train; and oneshot.

        Of oneshot the auxiliary classes are `train`, and of the twenty new ones a single sample
        each is `exemplar` and all others are `test`.
        """
        return {
            "xsub": _subset(train=sample.performer in _XSUB_120),
            "xset": _subset(train=sample.setup % 2 == 0),
            "oneshot": _one_shot(sample),
        }


def _one_shot(sample: Sample) -> str:
    if sample.action % 6 != 1:
        return "train"
    setup = 1 if sample.action <= Ntu60Dataset.num_classes else 18
    exemplar = (setup, 3, 8, 1)
    taken = (sample.setup, sample.camera, sample.performer, sample.replication)
    return "exemplar" if taken == exemplar else "test"


def _subset(*, train: bool) -> str:
    return "train" if train else "test"


def _of_skeleton(path: Path) -> Sample:
    match = _SAMPLE.fullmatch(path.stem)
    if match is None:
        raise InputError(
            f"{path}: expected a name such as S001C002P003R002A013{_SKELETONS}. "
            "Move other files out of the folder."
        )
    return Sample.of(match.groupdict())


def _missing(path: Path, dataset: NtuDataset) -> Set[str]:
    """The samples of a list, which may begin with prose.

    Raises:
        InputError: a line after the first name that is none, or no name at all.
    """
    ids = set[str]()
    for number, text in read_lines(path, dataset.encoding):
        if _SAMPLE.fullmatch(text):
            ids.add(text)
        elif ids:
            Row(path, number, {}).refuse(
                f"expected a name such as S001C002P005R002A008, got {text!r}"
            )
    if not ids:
        raise InputError(
            f"{path}: names no sample. Expected a list of those without a skeleton, such as "
            "S001C002P005R002A008, one a line."
        )
    return ids
