"""Checks of settings that several recipes share; each raises InputError."""

from __future__ import annotations

from typing import get_args

from posemill.transforms.rasterize import MIN_SIGMA_PX, Combine
from posemill.transforms.recipes.settings import require

MAX_SIDE_PX = 1024
MAX_LENGTH = 4096
MAX_SIGMA_PX = 100.0


def check_length(recipe: str, key: str, length: int) -> None:
    """A number of frames."""
    require(recipe, 1 <= length <= MAX_LENGTH, key, length, f"from 1 to {MAX_LENGTH} frames")


def check_maps(
    recipe: str, size_key: str, size_hw: tuple[int, int], sigma: float, combine: str
) -> None:
    """The size of maps, the sigma of the Gaussians on them, and how people meet."""
    check_choice(recipe, "combine", combine, get_args(Combine))
    sides_fit = len(size_hw) == 2 and all(1 <= side <= MAX_SIDE_PX for side in size_hw)
    expected = f"height and width from 1 to {MAX_SIDE_PX} px, like 64,86"
    require(recipe, sides_fit, size_key, size_hw, expected)
    require(
        recipe,
        MIN_SIGMA_PX <= sigma <= MAX_SIGMA_PX,
        "sigma",
        sigma,
        f"from {MIN_SIGMA_PX} to {MAX_SIGMA_PX} px",
    )


def check_choice(recipe: str, key: str, value: str, choices: tuple[str, ...]) -> None:
    """One of a few words."""
    require(recipe, value in choices, key, value, " or ".join(choices))
