"""How a training view differs from what is stored or rendered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from posemill.settings import check_settings, setting
from posemill.transforms.geometry.boxes import AREA, RATIO


@dataclass(frozen=True)
class Augmentation:
    """What is drawn anew for every training view; lengths are px of the maps.

    The jitter is JMRN's pose-aware augmentation, section 3.2; the random
    resized crop is PoseConv3D's, by its published code.

    Raises:
        InputError: a value outside its range.
    """

    kind: ClassVar[str] = "augmentation"
    name: ClassVar[str] = "of training views"
    prefix: ClassVar[str] = "augmentation."

    flip: float = setting(
        0.5,
        "probability of the mirror image, left and right joints and classes swapped",
        low=0.0,
        high=1.0,
    )
    beta_px: int = setting(0, "greatest shift of everything, 0: none", low=0, high=512, unit="px")
    gamma_px: int = setting(
        0, "greatest shift of each group of joints, 0: none", low=0, high=512, unit="px"
    )
    crop_hw: tuple[int, int] = setting(
        (0, 0), "height and width of a view; 0,0: those of the maps", low=0, high=1024, unit="px"
    )
    area: tuple[float, float] = setting(
        AREA, "share of a cached volume that a view shows, least and most", low=0.01, high=1.0
    )
    aspect: tuple[float, float] = setting(
        RATIO, "width by height of what a view shows of a cached volume", low=0.1, high=10.0
    )
    drop_joint: float = setting(
        0.0,
        "probability that a person in a frame loses one elbow, wrist, knee or ankle; on the fly",
        low=0.0,
        high=1.0,
    )

    def __post_init__(self) -> None:
        check_settings(self)
