"""Joints far outside the frame, which some sources tell of and no store holds."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def near_frame(
    xy_px: npt.NDArray[np.floating[Any]], size_wh: tuple[int, int]
) -> npt.NDArray[np.bool_]:
    """(...,) which positions (..., 2) are beside frames of this size by no more than that size.

    What is farther, or is no number, is not. `import` takes a farther joint for a sign of a
    wrong `--size`; of a format that tells the size itself such a joint is not detected.
    """
    position = xy_px / np.array(size_wh, xy_px.dtype)
    inside = (position >= -1.0) & (position <= 2.0)
    return np.asarray(inside[..., 0] & inside[..., 1])  # all(axis=-1) takes thrice the time
