"""Outputs that several recipes have."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from posemill.errors import InputError
from posemill.schema import Float32, UInt8
from posemill.transforms.outputs import OutputSpec

FRAME_INDEX = "frame_index"
PICTURE_INDEX = "picture_index"
FRAMES = "frames"


def frame_index_spec(**sizes: int) -> OutputSpec:
    """Which frames of the clip are shown, along the dimensions `sizes`."""
    return OutputSpec(
        name=FRAME_INDEX,
        dims=tuple(sizes),
        shape=tuple(sizes.values()),
        dtype="int32",
        description="number of each frame in the clip",
    )


def picture_index_spec(**sizes: int) -> OutputSpec:
    """As `frame_index_spec`, of pictures that are of other frames than the poses beside them."""
    return replace(
        frame_index_spec(**sizes),
        name=PICTURE_INDEX,
        description="number of each picture's frame in the clip",
    )


def frames_spec(size_hw: tuple[int, int], description: str, **sizes: int) -> OutputSpec:
    """Pictures of `size_hw`, along the dimensions `sizes`.

    Their sides have names of their own, as maps beside them have other sizes.
    """
    dims = {**sizes, "picture_y": size_hw[0], "picture_x": size_hw[1], "colour": 3}
    return OutputSpec(
        name=FRAMES,
        dims=tuple(dims),
        shape=tuple(dims.values()),
        dtype="uint8",
        description=f"{description}; red, green, blue",
    )


def score_spec(**sizes: int) -> OutputSpec:
    """Scores of joints, along the dimensions `sizes`."""
    return OutputSpec(
        name="score",
        dims=tuple(sizes),
        shape=tuple(sizes.values()),
        dtype="uint8",
        scale_factor=1.0 / 255.0,
        description="of each joint; 0 = missing",
    )


def stored_scores(score: Float32) -> UInt8:
    """Scores as `score_spec` stores them; a detected joint stays so, however faint."""
    steps = np.maximum(np.rint(score * 255.0), score > 0)
    stored: UInt8 = steps.astype(np.uint8)
    return stored


def require_xyz(recipe: str, xyz_m: Float32 | None) -> Float32:
    """True 3-D positions.

    Raises:
        InputError: the clip has none.
    """
    if xyz_m is None:
        raise InputError(
            f"recipe {recipe}: space=3d needs true 3-D poses, and the clip has none; import "
            "poses that have them, or set space=2d"
        )
    return xyz_m
