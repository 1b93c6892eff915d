"""What is compared, how large it is and how long it learns: set before the first result.

All learn from equal clips, with one optimiser and for as many steps; where a picture
and its poses are mirrored, they are so together. Widths are about an eighth of the
published ones, on pictures of 48 or 64 px. What was looked at for these sizes are times,
and how fast clips of other seeds, 97 to 99, are learnt and told, in 12 or 16 epochs: the
networks of one modality came to 71 to 77%, which is what it can tell and chance; RGBPose
to 97% and more, but by late fusion alone to 89 and 99%; PARNet to 99% and more; VPN to 75 to
99%, coupled or dissociated, on one seed and one learning rate or on another.

Every network of one modality is its joint network's own part, or reads the same
arrays: `rgb` the pictures of `rgbpose`, though by more blocks; the SlowOnly of
`poseconv3d` is its pathway of poses, which halves time at its end; `vpn-rgb`,
`parnet-tmp` and `parnet-sa` are settings of VPN and PARNet. VPN has no classifier of
poses; what poses tell is told by the other two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Settings = Mapping[str, str]
Reads = Literal["pictures", "poses", "both"]

LEARNING_RATE = 5e-3  # of Adam, at the peak of one cycle
BATCH_SIZE = 8
FLIP = 0.5


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is made, learnt and drawn at random."""

    seeds: tuple[int, ...] = (0, 1, 2)
    """Each makes clips of its own, for training and for the test, and weights of its own."""
    train_per_class: int = 40
    test_per_class: int = 100
    epochs: int = 12


@dataclass(frozen=True, slots=True)
class Features:
    """A recipe and its settings; clips have 48 frames, of which a cache keeps all in equal bins."""

    recipe: str
    settings: Settings
    cached: Settings
    """Settings for training clips alone."""
    tested: Settings
    """Settings for test clips alone."""
    crops: bool = False
    """Whether it is training that would crop what is stored, and not the recipe."""


_CACHE, _TEST = {"draw": "cache"}, {"draw": "test"}
_WHOLE = {"area": "1,1", "aspect": "1,1"}
FEATURES: Mapping[str, Features] = {
    "rgbpose": Features(
        "rgbpose",
        {"length_rgb": "2", "length": "8", "candidates_rgb": "3", "candidates": "6",
         "max_people": "1", "size": "64", "crop": "64", **_WHOLE},
        _CACHE, _TEST,
    ),
    "volume": Features(
        "volume", {"length": "8", "size_hw": "16,16", "sigma": "0.7"},
        {**_CACHE, "views": "3"}, _TEST, crops=True,
    ),
    "vpn-crops": Features(
        "vpn-crops",
        {"pictures": "16", "size": "48", "windows": "1", "views": "1", "length": "16",
         "candidates": "3"},
        _CACHE, _TEST,
    ),
    "parnet-frames": Features(
        "parnet-frames",
        {"length": "8", "candidates": "6", "max_people": "1", "short_side": "48", "crop": "48",
         "canvas_hw": "48,48", "scale": "1,1"},
        _CACHE, _TEST,
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Contender:
    """A model and its input."""

    name: str
    reads: Reads
    model: str
    settings: Settings
    features: str


_WIDTH, _BASE, _PATHWAY = {"width": "0.125", "dropout": "0"}, "8", "1,1,1"
_RGBPOSE = {"rgb_base": _BASE, "rgb_blocks": "1,1,1,1", "pose_base": _BASE}
_RGBPOSE |= {"pose_blocks": _PATHWAY, "dropout": "0"}
_I3D = {**_WIDTH, "backbone": "i3d", "skeleton": "coco-17", "pose_dropout": "0"}
_PARNET = {**_WIDTH, "hidden": "32"}
_ALONE = {"attention": "none", "embedding": "none"}


def _rgbpose(name: str, lateral: str) -> Contender:
    return Contender(name, "both", "rgbpose", {**_RGBPOSE, "lateral": lateral}, "rgbpose")


def _vpn(name: str, reads: Reads = "both", **settings: str) -> Contender:
    return Contender(name, reads, "vpn", {**_I3D, **settings}, "vpn-crops")


def _parnet(name: str, reads: Reads, modules: str) -> Contender:
    return Contender(name, reads, "parnet", {**_PARNET, "modules": modules}, "parnet-frames")


CONTENDERS: tuple[Contender, ...] = (
    Contender("rgb", "pictures", "rgb", {**_WIDTH, "backbone": "slowonly-r50"}, "rgbpose"),
    Contender(
        "poseconv3d", "poses", "poseconv3d",
        {"base": _BASE, "blocks": _PATHWAY, "dropout": "0"}, "volume",
    ),
    _rgbpose("rgbpose", "both"),
    _rgbpose("rgbpose-rgb-to-pose", "rgb-to-pose"),
    _rgbpose("rgbpose-pose-to-rgb", "pose-to-rgb"),
    _rgbpose("rgbpose-late", "none"),
    _vpn("vpn-rgb", "pictures", **_ALONE),
    _vpn("vpn"),
    _vpn("vpn-dissociated", attention="dissociated"),
    _parnet("parnet-tmp", "poses", "tmp"),
    _parnet("parnet-sa", "pictures", "sa"),
    _parnet("parnet-tmp+sa", "both", "tmp+sa"),
    _parnet("parnet", "both", "full"),
)  # fmt: skip

SINGLE = tuple(each.name for each in CONTENDERS if each.reads != "both")
JOINT = tuple(each.name for each in CONTENDERS if each.reads == "both")


def chosen(names: tuple[str, ...]) -> tuple[Contender, ...]:
    """Those of these names; all where there are none.

    Raises:
        ValueError: a name that no contender has.
    """
    known = [each.name for each in CONTENDERS]
    if unknown := sorted(set(names) - set(known)):
        raise ValueError(
            f"no contender is called {', '.join(unknown)}; there are: {', '.join(known)}"
        )
    return tuple(each for each in CONTENDERS if not names or each.name in names)
