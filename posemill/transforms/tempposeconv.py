"""Temporally ordered cubes of pose maps, as PA3D's temporal pose convolution takes them.

A cube is (time, channel, y, x), of joints, part fields or an estimator's features;
the convolution mixes frames, with weights shared by all channels (PA3D, section
3.2). The index sets below say which frames each of its types sees. A cube of ten
clips holds them one after another.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from posemill.schema import Float32, Int64
from posemill.transforms.outputs import require_values


def pick_clip(cube: npt.NDArray[np.generic], number: int, length: int) -> npt.NDArray[np.generic]:
    """Clip `number` (length, ...) of a cube (N length, ...) of N clips; no copy.

    Works on the cube's frame numbers as well.

    Raises:
        ValueError: no such clip, or a cube that is not made of whole clips.
    """
    if length < 1 or len(cube) % length:
        raise ValueError(f"a cube of {len(cube)} frames is not made of clips of {length}")
    num_clips = len(cube) // length
    if not 0 <= number < num_clips:
        raise ValueError(f"the cube has clips 0 to {num_clips - 1}, got {number}")
    return cube[number * length : (number + 1) * length]


def differences(cube: Float32, length: int) -> Float32:
    """(N (T - 1), ...): in each of N clips of T frames (N T, ...), a frame less the one before it.

    Differences between sampled frames (PA3D, section 4.2); none spans two clips.

    Raises:
        ValueError: a cube that is not floating, clips of one frame, or a cube
            that is not made of whole clips.
    """
    require_values("cube", cube, rank=1)
    if length < 2 or len(cube) % length:
        raise ValueError(
            f"differences need whole clips of 2 frames or more, got {len(cube)} frames in clips "
            f"of {length}"
        )
    clips = cube.reshape(-1, length, *cube.shape[1:])
    return (clips[:, 1:] - clips[:, :-1]).reshape(-1, *cube.shape[1:])


def global_index(length: int) -> Int64:
    """(1, T): one convolution that sees all frames."""
    return np.arange(_at_least(length, 1, "a global convolution"))[None]


def dilated_index(length: int, dilation: int = 2) -> Int64:
    """(1, ceil(T / d)): one convolution that sees frames 0, d, 2 d, ...

    The paper leaves the phase open; 0 it is.
    """
    _at_least(dilation, 1, "a dilation")
    return np.arange(0, _at_least(length, 1, "a dilated convolution"), dilation)[None]


def local_index(length: int, width: int = 3) -> Int64:
    """(T - width + 1, width): a window of `width` adjacent frames at every start."""
    _at_least(width, 1, "a window")
    starts = np.arange(_at_least(length, width, "a local convolution") - width + 1)
    return starts[:, None] + np.arange(width)


def _at_least(value: int, least: int, what: str) -> int:
    if value < least:
        raise ValueError(f"{what} needs at least {least}, got {value}")
    return value
