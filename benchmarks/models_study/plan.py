"""What is compared, how large it is and how long it learns: set before the first result.

All contenders have one budget and one optimiser, and where they are jittered,
one jitter. Widths give about as many parameters, 90 to 140 thousand, and with
the epochs were cut so that two cores do it all in about 20 minutes; the
published sizes are far out of reach here (24, 130 and 742 ms a training sample
for PA3D, JMRN and SlowOnly). What was looked at for that are times, and how
fast the training clips of another seed are learnt: jittered on such small
maps, PA3D and PoseConv3D had learnt a third of them in 16 epochs, so both are
there without jitter, too, and what is asked of four models is asked without.

Other choices, equal for all: Gaussians of .6 px; no flip, as either side acts
already; no random resized crop, which PoseConv3D alone would have; no dropout.
PoTion and JMRN see a whole clip as one image. PA3D is trained on a random one
of its ten windows of consecutive frames, and tested on all ten. PoseConv3D
sees frames drawn from the whole clip, in training and, once, in tests. The
contrast needs two views of a clip, and so twice the computation of a step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Settings = Mapping[str, str]

CANVAS = "24,24"
VOLUME = "20,20"
VOLUME_FRAMES = "16"
WINDOW_FRAMES = "8"
WIDTH = "16"
SIGMA = "0.6"

BETA_PX, GAMMA_PX = 2, 1
CONTRAST, TEMPERATURE = 0.1, 0.3
LEARNING_RATE = 5e-3  # of Adam, at the peak of one cycle
BATCH_SIZE = 16

DROPS = (1 / 8, 1 / 4, 1 / 2, 1.0)
"""Probabilities that a person in a frame has lost an elbow, wrist, knee or ankle, in a test."""

TEST = "test"
PROBE = "first test clips"
"""As `TEST`, but of those clips alone that are tested otherwise, too."""
WITH_CUE, AGAINST_CUE = "bystander on the class's side", "bystander on the other side"


def dropped(probability: float) -> str:
    """Name of the test where a joint is lost with this probability."""
    return f"joint lost p={probability:g}"


Training = Literal["plain", "misled"]
"""The clips that are learnt from, see `actions.PLAIN` and `actions.MISLEADING`."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is made, learnt and drawn at random."""

    seeds: tuple[int, ...] = (0, 1, 2, 3)
    """Each makes clips of its own, for training and for the test, and weights of its own."""
    train_per_class: int = 40
    test_per_class: int = 100
    probe_per_class: int = 25
    """The first of the test clips: those tested with joints lost, and with a bystander on the
    class's side and on the other."""
    epochs: int = 16


@dataclass(frozen=True, slots=True)
class Contender:
    """A model, its input, and whether its training views are jittered."""

    name: str
    model: str
    model_settings: Settings
    recipe: str
    recipe_settings: Settings
    test_settings: Settings = field(default_factory=dict)
    """Of the recipe, in tests, where they differ."""
    jitter: bool = True
    contrast: float = 0.0


_ON_CANVAS = {"canvas_hw": CANVAS, "sigma": SIGMA}
_POTION = {"width": WIDTH, "dropout": "0"}
_JMRN = {"width": WIDTH, "cdim": WIDTH, "dropout": "0", "contrast": "false"}
_PA3D = {"width": WIDTH, "dropout": "0"}
_GLOBAL = {**_PA3D, "temporal": "global", "outputs": "12"}
_DILATED = {**_PA3D, "temporal": "global+dilated", "outputs": "6"}
_CUBE = {**_ON_CANVAS, "length": WINDOW_FRAMES, "span": "windows"}
_SLOWONLY = {"base": "8", "blocks": "1,4,3", "dropout": "0"}
_VOLUME = {"size_hw": VOLUME, "length": VOLUME_FRAMES, "sigma": SIGMA, "area": "1,1"}
_VOLUME |= {"aspect": "1,1", "draw": "train"}
_WHOLE = {"draw": "test"}

CONTENDERS: tuple[Contender, ...] = (
    Contender("PoTion", "potion", _POTION, "potion", _ON_CANVAS, jitter=False),
    Contender("PoTion + jitter", "potion", _POTION, "potion", _ON_CANVAS),
    Contender("deeper PoTion + jitter", "potion", {**_POTION, "depth": "3"}, "potion", _ON_CANVAS),
    Contender("JMRN", "jmrn", _JMRN, "jmrn", _ON_CANVAS, jitter=False),
    Contender("JMRN + jitter", "jmrn", _JMRN, "jmrn", _ON_CANVAS),
    Contender(
        "JMRN + jitter, no selector", "jmrn", {**_JMRN, "selector": "none"}, "jmrn", _ON_CANVAS
    ),
    Contender(
        "JMRN + jitter + contrast", "jmrn", {**_JMRN, "contrast": "true"}, "jmrn", _ON_CANVAS,
        contrast=CONTRAST,
    ),
    Contender("PA3D global + jitter", "pa3d", _GLOBAL, "tempposeconv-j", _CUBE),
    Contender("PA3D global+dilated", "pa3d", _DILATED, "tempposeconv-j", _CUBE, jitter=False),
    Contender("PA3D global+dilated + jitter", "pa3d", _DILATED, "tempposeconv-j", _CUBE),
    Contender("PoseConv3D", "poseconv3d", _SLOWONLY, "volume", _VOLUME, _WHOLE, jitter=False),
    Contender("PoseConv3D + jitter", "poseconv3d", _SLOWONLY, "volume", _VOLUME, _WHOLE),
)  # fmt: skip

MAIN = ("PoTion", "JMRN", "PA3D global+dilated", "PoseConv3D")
"""Those that are misled by a bystander, too, and lose joints in tests."""


def trainings() -> list[tuple[Contender, Training]]:
    """What is trained, for every seed."""
    misled = [contender for contender in CONTENDERS if contender.name in MAIN]
    return [*((each, "plain") for each in CONTENDERS), *((each, "misled") for each in misled)]


def list_tests(contender: Contender, training: Training) -> list[str]:
    """What it is tested on once it is trained."""
    if contender.name not in MAIN:
        return [TEST]
    cues = [WITH_CUE, AGAINST_CUE]
    return [TEST, *map(dropped, DROPS), *cues] if training == "plain" else cues
