"""Northwestern-UCLA Multiview Action 3D (Wang et al., CVPR 2014, arXiv:1405.2941): ten actions
seen by three cameras at once; the names tell action, person, repetition and view.

The names of the actions are those of the dataset's page (wangjiangb.github.io/my_data.html, read
in a copy), in the order of their numbers, of which 7 and 10 are not used. How the folders are
laid out, and the paper's protocol, two views to train on and the third to test, are known from
other people's code alone; most results are on view 3.
"""

from __future__ import annotations

import re
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

_ACTIONS = {
    1: "pick up with one hand",
    2: "pick up with two hands",
    3: "drop trash",
    4: "walk around",
    5: "sit down",
    6: "stand up",
    8: "donning",
    9: "doffing",
    11: "throw",
    12: "carry",
}
_VIEWS = (1, 2, 3)
_ACTION, _TAKE = r"a(?P<action>0[1-689]|1[12])", r"s(?P<person>\d\d)_e(?P<take>\d\d)"
_FORMS = tuple(
    re.compile(form, re.ASCII)
    for form in (
        rf"{_ACTION}_{_TAKE}_v0(?P<view>[123])",
        rf"{_ACTION}/v0(?P<view>[123])_{_TAKE}",
        rf"view_(?P<view>[123])/{_ACTION}_{_TAKE}",
    )
)


@dataclass(frozen=True)
class NUclaDataset(Dataset):
    """The folder of the videos."""

    name: ClassVar[str] = "n-ucla"
    title: ClassVar[str] = "Northwestern-UCLA Multiview Action 3D"
    files: ClassVar[str] = (
        "no file of annotations, the videos' names tell all, in one of three forms:\n"
        "  a01_s01_e00_v01.avi\n"
        "  a01/v01_s01_e00.avi\n"
        "  view_1/a01_s01_e00.avi"
    )
    needs_annotations: ClassVar[bool] = False

    def read(self, annotations: Sequence[Path], names: Collection[str]) -> Annotations:
        require_no_annotations(self.name, annotations)
        found, ids = named_videos(names, *_FORMS), PathsOfIds()
        for video in found:
            ids.add(_id(video), video.path)
        others = len(names) - len(found)
        return Annotations(
            videos=[ListedVideo(_id(video), video.path) for video in found],
            clips=[_clip(video) for video in found],
            classes=[*_ACTIONS.values()],
            left_out={OTHER_NAMES: others} if others else {},
        )


def _id(video: NamedVideo) -> str:
    return "a{action}_s{person}_e{take}_v0{view}".format(**video.parts)


def _clip(video: NamedVideo) -> Clip:
    view = video.number("view")
    return Clip(
        id=_id(video),
        video_id=_id(video),
        labels=(TimedLabel(_ACTIONS[video.number("action")]),),
        splits={f"xview{test}": "test" if view == test else "train" for test in _VIEWS},
    )
