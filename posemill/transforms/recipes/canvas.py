"""The uncropped canvas: the whole frame, scaled to fit, at the top left; cropped at load."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from posemill.errors import InputError
from posemill.schema import Float32, Int64, PoseSequence
from posemill.settings import setting
from posemill.transforms.geometry import Box, fit_canvas, frame_box
from posemill.transforms.outputs import OutputSpec
from posemill.transforms.placed import PlacedPoses, place_pose
from posemill.transforms.resample import resize_window
from posemill.transforms.sample import DenseKind, FrameMaps, Sample

VALID_HW = OutputSpec(
    name="valid_hw",
    dims=("side",),
    shape=(2,),
    dtype="int32",
    description="height and width, px, of the part of the maps that shows the frame",
)


def canvas_setting() -> Any:
    """Height and width; 64 x 86 shows 320 x 240 at JMRN's short side of 64."""
    return setting(
        (64, 86),
        "height and width of the canvas; 64,114 keeps 16:9 at a short side of 64",
        low=1,
        high=1024,
        unit="px",
    )


def valid_part(pose: PoseSequence, canvas_hw: tuple[int, int]) -> tuple[int, int]:
    """Height and width, px, of the part of the canvas that shows the frame."""
    return fit_canvas(pose.width, pose.height, canvas_hw)


def place_on_canvas(
    pose: PoseSequence, canvas_hw: tuple[int, int], frames: Int64 | None = None
) -> PlacedPoses:
    """The people of `frames`, or of all, on the canvas."""
    whole = frame_box(pose.width, pose.height)
    return place_pose(pose, whole, canvas_hw, valid_part(pose, canvas_hw), frames)


def valid_hw_array(valid_hw: tuple[int, int]) -> npt.NDArray[np.int32]:
    """The output `valid_hw`."""
    return np.array(valid_hw, np.int32)


def clear_outside(maps: npt.NDArray[Any], valid_hw: tuple[int, int]) -> None:
    """Put zeros where maps (..., H, W) show nothing of the frame.

    Gaussians reach past the frame's edge; what is cropped and flipped ends there.
    """
    height, width = valid_hw
    maps[..., height:, :] = 0
    maps[..., width:] = 0


def kept_maps(sample: Sample, kind: DenseKind, num_channels: int) -> FrameMaps:
    """The estimator's own maps (D, C, h, w) of the frames `sample.dense.frame`, not read yet.

    Raises:
        InputError: the sample has no such maps, or of another number of channels.
    """
    if sample.dense is None:
        raise InputError("this recipe needs the estimator's dense maps, and the clip has none")
    maps = sample.dense.kept(kind)
    if maps.shape[1] != num_channels:
        raise InputError(
            f"expected dense {kind} of {num_channels} channels, the estimator gave {maps.shape[1]}"
        )
    return maps


def dense_maps_of(
    sample: Sample, kind: DenseKind, frames: Int64, num_channels: int
) -> npt.NDArray[Any]:
    """The estimator's own maps (F, C, h, w) of `frames` (F,); no others are read.

    Raises:
        InputError: as `kept_maps`, or not of a frame.
    """
    maps = kept_maps(sample, kind, num_channels)
    return np.asarray(maps[_dense_rows(sample, frames)])


def all_dense_maps(sample: Sample, kind: DenseKind, num_channels: int) -> FrameMaps:
    """The estimator's own maps (T, C, h, w) of all frames, in order, not read yet.

    Raises:
        InputError: as `kept_maps`, not of a frame, or of more frames than the clip has.
    """
    maps, num_frames = kept_maps(sample, kind, num_channels), sample.pose.num_frames
    _dense_rows(sample, np.arange(num_frames))
    if len(maps) != num_frames:
        raise InputError(f"expected dense {kind} of {num_frames} frames, got {len(maps)}")
    return maps


def _dense_rows(sample: Sample, frames: Int64) -> Int64:
    """Rows of the sample's dense maps that are of these frames.

    Raises:
        InputError: there are none of a frame.
    """
    held = np.empty(0, np.int64) if sample.dense is None else sample.dense.frame
    rows = np.searchsorted(held, frames)
    kept = np.append(held, -1)[rows] == frames
    if not kept.all():
        raise InputError(
            f"the dense maps of frame {frames[~kept][0]} were not kept; they are there for "
            f"{len(held)} of {sample.pose.num_frames} frames"
        )
    return rows


def scale_to_canvas(
    maps: npt.NDArray[Any], valid_hw: tuple[int, int], canvas_hw: tuple[int, int]
) -> Float32:
    """Maps (..., h, w) of a whole frame in the valid part of a canvas, (..., H, W).

    Raises:
        InputError: a value that is not finite.
    """
    if not np.isfinite(maps).all():
        raise InputError("the estimator's dense maps must be finite, and some values are not")
    whole = Box(-0.5, -0.5, float(maps.shape[-1]), float(maps.shape[-2]))
    out = np.zeros((*maps.shape[:-2], *canvas_hw), np.float32)
    height, width = valid_hw
    out[..., :height, :width] = resize_window(maps, whole, valid_hw, beyond="border")
    return out
