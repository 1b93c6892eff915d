"""Dense maps as float16."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from posemill.schema import Float32

Float16 = npt.NDArray[np.float16]

GREATEST = float(np.finfo(np.float16).max)  # 65504


def to_halves(maps: Float32) -> Float16:
    """Values beyond +-65504, which float16 has not, become +-65504: they are features far off
    the usual scale, and a video is not lost for them.

    Raises:
        ValueError: a value is not finite. Whether the video or the device is at fault, another
            try and the grey frame tell.
    """
    if not np.isfinite(maps).all():
        count = int((~np.isfinite(maps)).sum())
        raise ValueError(
            f"{count:,} of {maps.size:,} values of the estimator's dense maps are not finite; "
            "expected numbers. Check its weights and the device, or leave out --keep"
        )
    halves: Float16 = np.clip(maps, -GREATEST, GREATEST).astype(np.float16)
    return halves
