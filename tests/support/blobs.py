"""Untruncated Gaussians, drawn plainly, as a reference for what is done to maps."""

from __future__ import annotations

import numpy as np


def blobs(
    xy_px: np.ndarray, score: np.ndarray, size_hw: tuple[int, int], sigma: float
) -> np.ndarray:
    """Maps (K, P, H, W) float64: score exp(-d^2 / (2 sigma^2)) of joint k of row p; 0 if missing.

    Args:
        xy_px: (P, K, 2); score: (P, K).
        size_hw: height and width of the maps.
        sigma: of the Gaussians, px.
    """
    height, width = size_hw
    seen = np.where((score > 0)[..., None], xy_px, 0.0)[..., None, None]  # (P, K, 2, 1, 1)
    x, y = np.arange(width), np.arange(height)[:, None]
    squared = (x - seen[:, :, 0]) ** 2 + (y - seen[:, :, 1]) ** 2
    maps = score[..., None, None] * np.exp(-0.5 * squared / sigma**2)
    return np.swapaxes(maps, 0, 1)
