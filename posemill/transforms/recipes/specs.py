"""Outputs that several recipes have."""

from __future__ import annotations

from posemill.transforms.outputs import OutputSpec

FRAME_INDEX = "frame_index"


def frame_index_spec(**sizes: int) -> OutputSpec:
    """Which frames of the clip are shown, along the dimensions `sizes`."""
    return OutputSpec(
        name=FRAME_INDEX,
        dims=tuple(sizes),
        shape=tuple(sizes.values()),
        dtype="int32",
        description="number of each frame in the clip",
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
