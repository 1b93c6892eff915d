"""Toyota Smarthome (Das et al., ICCV 2019), the trimmed clips: seniors at home, seen by seven
cameras; the names tell activity, person, repetition, video and camera.

Splits and classes are as in code of the makers' group (github.com/YangDi666/2s-AGCN-For-Daily-
Living, and github.com/srijandas07 for Smarthome): cross-subject (cs) has all 31 classes,
cross-view (cv1 and cv2) 19 of them. Read in copies of that code, not in the paper; which clips
of cs the makers hold out of training for validation is not told by the names, and is left to
`train`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from posemill.schema import Clip, TimedLabel
from posemill.storage.datasets.base import Annotations, Dataset, ListedVideo
from posemill.storage.datasets.video_names import (
    OTHER_NAMES,
    NamedVideo,
    PathsOfIds,
    named_videos,
    require_no_annotations,
)

_VIDEO = re.compile(
    r"(?P<id>(?P<label>[A-Za-z.]+)_p(?P<person>\d\d)_r\d\d_v\d\d_c(?P<camera>\d\d))", re.ASCII
)
_CV_CLASSES = (
    *("Cutbread", "Drink.Frombottle", "Drink.Fromcan", "Drink.Fromcup", "Drink.Fromglass"),
    *("Eat.Attable", "Eat.Snack", "Enter", "Getup", "Leave", "Pour.Frombottle", "Pour.Fromcan"),
    *("Readbook", "Sitdown", "Takepills", "Uselaptop", "Usetablet", "Usetelephone", "Walk"),
)
_CLASSES = sorted(
    {
        *_CV_CLASSES,
        *("Cook.Cleandishes", "Cook.Cleanup", "Cook.Cut", "Cook.Stir", "Cook.Usestove"),
        *("Laydown", "Makecoffee.Pourgrains", "Makecoffee.Pourwater", "Maketea.Boilwater"),
        *("Maketea.Insertteabag", "Pour.Fromkettle", "WatchTV"),
    }
)
_CS_TRAIN = frozenset({3, 4, 6, 7, 9, 12, 13, 15, 17, 19, 25})
_CV_SUBSETS = {
    "cv1": {1: "train", 5: "val", 2: "test"},
    "cv2": {**dict.fromkeys((1, 3, 4, 6, 7), "train"), 5: "val", 2: "test"},
}


@dataclass(frozen=True)
class SmarthomeDataset(Dataset):
    """The folder of the trimmed videos."""

    name: ClassVar[str] = "smarthome"
    title: ClassVar[str] = "Toyota Smarthome"
    files: ClassVar[str] = (
        "no file of annotations, the videos' names tell all:\n"
        "  Cook.Cleandishes_p02_r00_v02_c03.mp4"
    )
    needs_annotations: ClassVar[bool] = False

    def read(self, annotations: Sequence[Path], names: Collection[str]) -> Annotations:
        require_no_annotations(self.name, annotations)
        found = named_videos(names, _VIDEO)
        kept = [video for video in found if video["label"] in _CLASSES]
        ids = PathsOfIds()
        for video in kept:
            ids.add(video["id"], video.path)
        left_out = Counter(
            {
                OTHER_NAMES: len(names) - len(found),
                f"videos of none of the {len(_CLASSES)} classes": len(found) - len(kept),
            }
        )
        return Annotations(
            videos=[ListedVideo(video["id"], video.path) for video in kept],
            clips=[_clip(video) for video in kept],
            classes=_CLASSES,
            left_out=+left_out,
        )


def _clip(video: NamedVideo) -> Clip:
    splits = {"cs": "train" if video.number("person") in _CS_TRAIN else "test"}
    if video["label"] in _CV_CLASSES:
        camera = video.number("camera")
        splits |= {
            split: subsets[camera] for split, subsets in _CV_SUBSETS.items() if camera in subsets
        }
    return Clip(
        id=video["id"],
        video_id=video["id"],
        labels=(TimedLabel(video["label"]),),
        splits=splits,
    )
