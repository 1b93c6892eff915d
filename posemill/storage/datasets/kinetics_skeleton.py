"""Kinetics-skeleton (Yan et al., AAAI 2018, arXiv:1801.07455): labels of the clips of Kinetics-400
whose poses ST-GCN's authors publish, without any video.

::

    kinetics_train_label.json
        {"---QUuC4vJs": {"has_skeleton": true, "label": "testifying", "label_index": 354}, ...}

An id is that which `posemill import kinetics-skeleton` gives in the folder of both subsets:
`kinetics_train/---QUuC4vJs`. As in feeder/feeder_kinetics.py of yysijie/st-gcn, clips that have
no skeleton are left out.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from posemill.errors import InputError
from posemill.schema import Clip, TimedLabel, require_id
from posemill.settings import setting
from posemill.storage.datasets.annotation_files import files_of
from posemill.storage.datasets.base import Annotations, Dataset, ListedVideo
from posemill.storage.datasets.json_file import read_json
from posemill.storage.datasets.tree import SPLIT

_FILE = re.compile(r"kinetics_(?P<subset>train|val)_label\.json")
_FIELDS = {"has_skeleton": bool, "label": str, "label_index": int}
_EXPECTED = '{"has_skeleton": true, "label": TEXT, "label_index": NUMBER FROM 0}'


@dataclass(frozen=True)
class KineticsSkeletonDataset(Dataset):
    """The two files of labels."""

    name: ClassVar[str] = "kinetics-skeleton"
    title: ClassVar[str] = "Kinetics-skeleton of ST-GCN"
    files: ClassVar[str] = (
        "kinetics_train_label.json and kinetics_val_label.json, or the folder of them:\n"
        '  {"---QUuC4vJs": {"has_skeleton": true, "label": "testifying", "label_index": 354}}\n'
        "videos: kinetics_train/---QUuC4vJs.mp4, where there are any: poses are of the same names"
    )

    without_skeleton: bool = setting(False, "whether clips that have no skeleton are taken too")

    def read(self, annotations: Sequence[Path], names: Collection[str]) -> Annotations:  # noqa: ARG002
        clips, classes, left_out = list[Clip](), dict[int, str](), 0
        for place, subset, key, told in _entries(annotations):
            if classes.setdefault(told["label_index"], told["label"]) != told["label"]:
                raise InputError(
                    f"{place}: label_index {told['label_index']} is of {told['label']!r}, and of "
                    f"{classes[told['label_index']]!r} elsewhere. Correct one of them."
                )
            if told["has_skeleton"] or self.without_skeleton:
                clips.append(_clip(f"kinetics_{subset}/{key}", told["label"], subset))
            else:
                left_out += 1
        return Annotations(
            videos=[ListedVideo(clip.id, clip.id) for clip in clips],
            clips=clips,
            classes=[classes[number] for number in sorted(classes)],
            left_out={"clips without a skeleton": left_out} if left_out else {},
        )


def _entries(annotations: Sequence[Path]) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """Place, subset, key and checked content of each clip that the files list."""
    for path in files_of(annotations, "kinetics_train_label.json", "kinetics_val_label.json"):
        match = _FILE.fullmatch(path.name)
        if match is None:
            raise InputError(f"{path}: is not called kinetics_train_label.json or ..._val_...")
        listed = read_json(path)
        if not isinstance(listed, dict):
            raise InputError(f"{path}: expected {{ID: {_EXPECTED}, ...}}. Give another file.")
        for key, told in listed.items():
            place = f"{path}, {key[:60]!r}"
            _require_entry(place, key, told)
            yield place, match["subset"], key, told


def _require_entry(place: str, key: str, told: Any) -> None:
    """Raises:
    InputError: it is none.
    """
    if not isinstance(told, dict) or not all(
        type(told.get(name)) is kind for name, kind in _FIELDS.items()
    ):
        raise InputError(f"{place}: expected {_EXPECTED}, got {str(told)[:60]}. Correct it.")
    if not (told["label"] and told["label_index"] >= 0):
        raise InputError(f"{place}: expected {_EXPECTED}, got {str(told)[:60]}. Correct it.")
    try:
        require_id("clip", f"kinetics_train/{key}")
    except ValueError as error:
        raise InputError(f"{place}: {error}. Correct it.") from error


def _clip(clip_id: str, label: str, subset: str) -> Clip:
    return Clip(id=clip_id, video_id=clip_id, labels=(TimedLabel(label),), splits={SPLIT: subset})
