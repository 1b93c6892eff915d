"""Weights as heat: from dark where they are least to light yellow where they are greatest."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from posemill.pipelines.preview.keys import colour_bar
from posemill.schema import Float32, UInt8

_COLDEST = 50  # of 255: what is darker cannot be told from the ground
_BAR_PX = 14
_FAINTEST, _STRONGEST = 0.2, 0.7
"""Opacity of the least and of the greatest weight over a picture."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The weights that the coldest and the hottest colour stand for."""

    low: float
    high: float

    @classmethod
    def of(cls, weights: Float32) -> Scale:
        """From the least to the greatest of some weights."""
        return cls(float(weights.min()), float(weights.max()))

    def share(self, weights: Float32) -> Float32:
        """How far weights lie from `low` to `high`, in [0, 1]; 0 where these are one."""
        span = np.float32(self.high - self.low)
        if span <= 0:
            return np.zeros_like(weights)
        share: Float32 = ((weights - np.float32(self.low)) / span).clip(0.0, 1.0)
        return share


def heat(shares: Float32) -> UInt8:
    """The colours (..., 3), RGB, of shares (...) in [0, 1]."""
    steps = np.rint(_COLDEST + (255 - _COLDEST) * shares).astype(np.uint8)
    bgr = cv2.applyColorMap(steps.reshape(-1, 1), cv2.COLORMAP_INFERNO)
    return np.asarray(bgr[:, 0, ::-1], np.uint8).reshape(*shares.shape, 3)


def lay_over(picture: UInt8, weights: Float32, scale: Scale) -> UInt8:
    """A map of weights over the picture that it covers, which turns grey.

    Args:
        picture: (H, W, 3), RGB.
        weights: (h, w), of h x w equal parts of the picture; in between they are interpolated.
    """
    height, width = picture.shape[:2]
    size = (width, height)
    fine = np.asarray(cv2.resize(weights, size, interpolation=cv2.INTER_LINEAR), np.float32)
    share = scale.share(fine)
    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.float32)[..., None]
    opacity = (_FAINTEST + (_STRONGEST - _FAINTEST) * share)[..., None]
    mixed = grey * (1.0 - opacity) + heat(share) * opacity
    return np.asarray(np.rint(mixed), np.uint8)


def heat_key(scale: Scale, width_px: int) -> UInt8:
    """The colours between the least and the greatest weight, which are written beside them."""
    span = width_px - 2 * (width_px // 4)
    colours = heat(np.tile(np.linspace(0.0, 1.0, span, dtype=np.float32), (_BAR_PX, 1)))
    least, greatest = f"least weight: {scale.low:.3g}", f"greatest weight: {scale.high:.3g}"
    return colour_bar(colours, least, greatest, width_px)
