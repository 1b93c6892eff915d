"""Where a Kinect 2 sees, about, what of it only positions in metres are known."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from posemill.schema import Float32

VIEW_WH = (1920, 1080)
"""Pixels of its colour camera."""
_FOCAL_PX = 1064.4
"""Of a pinhole whose view is as wide as Microsoft's "Kinect for Windows v2" tells the colour
camera's: 84.1 degrees of 1920 px, 53.8 of 1080."""
_BESIDE_M = 0.052  # the colour camera from the depth camera, in whose space positions are
_NEAREST_M = 0.1


def project(xyz_m: Float32) -> tuple[Float32, npt.NDArray[np.bool_]]:
    """(..., 2) pixels of positions (..., 3), y down, and (...,) which of them are in front of it.

    No camera is such a pinhole exactly: NTU RGB+D's own pixels are some tens of them away.
    """
    depth = xyz_m[..., 2]
    seen = depth > _NEAREST_M
    away = np.where(seen, depth, 1)
    x = VIEW_WH[0] / 2 + _FOCAL_PX * (xyz_m[..., 0] + _BESIDE_M) / away
    y = VIEW_WH[1] / 2 + _FOCAL_PX * xyz_m[..., 1] / away
    return np.stack([x, y], axis=-1).astype(np.float32), seen
