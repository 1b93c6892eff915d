"""How joints and limbs are drawn: the settings of `transforms.rasterize.draw_joints`."""

from __future__ import annotations

import math
from dataclasses import dataclass

from posemill.transforms.rasterize import MIN_SIGMA_PX, Combine


@dataclass(frozen=True)
class Gaussian:
    """A Gaussian, where it ends, and how people of a frame meet in a pixel.

    Raises:
        ValueError: a sigma or a truncation out of range, or an unknown `combine`.
    """

    sigma: float
    truncate: float = 3.0
    combine: Combine = "max"

    def __post_init__(self) -> None:
        if not (MIN_SIGMA_PX <= self.sigma < math.inf and 0.0 < self.truncate <= 10.0):
            raise ValueError(
                f"sigma must be {MIN_SIGMA_PX} px or more and truncate above 0 and at most 10 "
                f"sigmas, got {self.sigma} and {self.truncate}"
            )
        if self.combine not in ("max", "sum"):
            raise ValueError(f"combine must be 'max' or 'sum', got {self.combine!r}")

    @property
    def reach(self) -> float:
        """Where a Gaussian ends, px."""
        return self.truncate * self.sigma

    @property
    def falloff(self) -> float:
        """a, where exp(-d^2 / (2 sigma^2)) = 2^(-a d^2)."""
        return 1.0 / (2.0 * math.log(2.0) * self.sigma**2)

    def patch_hw(self, size_hw: tuple[int, int]) -> tuple[int, int]:
        """The most pixels of maps of `size_hw` that a joint reaches, along y and x."""
        height, width = (int(min(2.0 * self.reach, size - 1.0)) + 1 for size in size_hw)
        return height, width
