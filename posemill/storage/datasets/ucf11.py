"""UCF11, first called UCF YouTube Action (Liu et al., CVPR 2009): clips of eleven classes in
groups, which share a person, a place or a view.

The 25 groups of each class, and which clips the paper takes, are told by the makers' readme.
Evaluation leaves one group out at a time: a split for each, `group01` to `group25`, whose test is
the group's clips of all classes. That is from memory of the paper; the folders and names are as
other people's code has them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from posemill.schema import Clip, TimedLabel
from posemill.settings import setting
from posemill.storage.datasets.base import Annotations, Dataset, ListedVideo
from posemill.storage.datasets.video_names import (
    OTHER_NAMES,
    NamedVideo,
    PathsOfIds,
    named_videos,
    require_no_annotations,
)

_VIDEO = re.compile(
    r"(?P<label>(?!v_[^/]*_\d\d/)[\w -]{1,64})/(?:v_[^/]+_\d\d/)?"
    r"(?P<name>v_[\w -]{1,64}_(?P<group>\d\d)_(?P<clip>\d\d))",
    re.ASCII,
)
_WHOLE_IN_PAPER = ("biking", "walking")
_PAPER_CLIPS = 4


@dataclass(frozen=True)
class Ucf11Dataset(Dataset):
    """The folder of the folders of classes."""

    name: ClassVar[str] = "ucf11"
    title: ClassVar[str] = "UCF11 (YouTube Action)"
    files: ClassVar[str] = (
        "no file of annotations, the videos' folders and names tell all:\n"
        "  basketball/v_shooting_01/v_shooting_01_01.mpg"
    )
    needs_annotations: ClassVar[bool] = False

    clips: Literal["all", "paper"] = setting(
        "all", "all clips, or those of the paper: of most classes the first four of a group"
    )

    def read(self, annotations: Sequence[Path], names: Collection[str]) -> Annotations:
        require_no_annotations(self.name, annotations)
        found, ids = named_videos(names, _VIDEO), PathsOfIds()
        for video in found:
            ids.add(_id(video), video.path)
        kept = [video for video in found if self.clips == "all" or _in_paper(video)]
        groups = sorted({video["group"] for video in kept})
        left_out = Counter(
            {
                OTHER_NAMES: len(names) - len(found),
                "videos that are not in the paper": len(found) - len(kept),
            }
        )
        return Annotations(
            videos=[ListedVideo(_id(video), video.path) for video in kept],
            clips=[_clip(video, groups) for video in kept],
            classes=sorted({video["label"] for video in kept}),
            left_out=+left_out,
        )


def _in_paper(video: NamedVideo) -> bool:
    return video["label"] in _WHOLE_IN_PAPER or video.number("clip") <= _PAPER_CLIPS


def _id(video: NamedVideo) -> str:
    return f"{video['label']}/{video['name']}"


def _clip(video: NamedVideo, groups: Sequence[str]) -> Clip:
    return Clip(
        id=_id(video),
        video_id=_id(video),
        labels=(TimedLabel(video["label"]),),
        splits={
            f"group{group}": "test" if group == video["group"] else "train" for group in groups
        },
    )
