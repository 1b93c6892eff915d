"""The uncropped canvas: the whole frame, scaled to fit, at the top left; cropped at load."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from posemill.errors import InputError
from posemill.schema import Float32, Int64, PoseSequence
from posemill.transforms.clips import map_pose
from posemill.transforms.geometry import Box, fit_canvas, frame_box
from posemill.transforms.outputs import OutputSpec
from posemill.transforms.recipes.settings import setting
from posemill.transforms.resample import resize_window
from posemill.transforms.sample import DenseKind, Sample

VALID_HW = OutputSpec(
    name="valid_hw",
    dims=("side",),
    shape=(2,),
    dtype="int16",
    description="height and width, px, of the part of the maps that shows the frame",
)


def canvas_setting() -> Any:
    """Height and width; 64 x 86 shows a frame of 320 x 240 at JMRN's short side of 64."""
    return setting((64, 86), "height and width of the canvas", low=1, high=1024, unit="px")


def place_on_canvas(pose: PoseSequence, canvas_hw: tuple[int, int]) -> PoseSequence:
    """The poses in px of the canvas; their `height` and `width` are those of its valid part."""
    valid_hw = fit_canvas(pose.width, pose.height, canvas_hw)
    return map_pose(pose, frame_box(pose.width, pose.height), valid_hw)


def valid_hw_of(placed: PoseSequence) -> npt.NDArray[np.int16]:
    """The output `valid_hw` of poses on a canvas."""
    return np.array([placed.height, placed.width], np.int16)


def clear_outside(maps: npt.NDArray[Any], placed: PoseSequence) -> None:
    """Put zeros where maps (..., H, W) show nothing of the frame.

    Gaussians reach past the frame's edge; what is cropped and flipped ends there.
    """
    maps[..., placed.height :, :] = 0
    maps[..., placed.width :] = 0


def dense_on_canvas(
    sample: Sample, kind: DenseKind, frames: Int64, num_channels: int, canvas_hw: tuple[int, int]
) -> Float32:
    """The estimator's own maps (F, C, H, W) of `frames` (F,), scaled to the canvas' valid part.

    Raises:
        InputError: the sample has no such maps, not of a frame, or of another
            number of channels.
    """
    if sample.dense is None:
        raise InputError("this recipe needs the estimator's dense maps, and the clip has none")
    maps = sample.dense.kept(kind)
    if maps.shape[1] != num_channels:
        raise InputError(
            f"expected dense {kind} of {num_channels} channels, the estimator gave {maps.shape[1]}"
        )
    rows = np.searchsorted(sample.dense.frame, frames)
    kept = np.append(sample.dense.frame, -1)[rows] == frames
    if not kept.all():
        raise InputError(
            f"the dense maps of frame {frames[~kept][0]} were not kept; they are there for "
            f"{len(sample.dense.frame)} of {sample.pose.num_frames} frames"
        )
    height, width = fit_canvas(sample.pose.width, sample.pose.height, canvas_hw)
    whole = Box(-0.5, -0.5, float(maps.shape[3]), float(maps.shape[2]))
    out = np.zeros((len(frames), num_channels, *canvas_hw), np.float32)
    shown = resize_window(maps[rows], whole, (height, width), beyond="border")
    out[..., :height, :width] = shown
    return out
