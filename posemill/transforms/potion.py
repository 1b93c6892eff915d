"""PoTion: the joints' way through time as coloured maps, and what is made of them.

With o_c(t) the share of channel c at frame t and H_k^t the map of joint k,

    S_k,c = sum_t H_k^t o_c(t)          U = S / (max_xy S + 1e-4)
    I = sum_c U                         N = U / (I + 1)

(Choutas et al., PoTion, CVPR 2018, section 3), and JMRN's p_c = S_c / sum_t o_c(t).
"""

from __future__ import annotations

import numpy as np

from posemill.schema import Float32, Int64, UInt8
from posemill.transforms.arguments import height_width, real_array
from posemill.transforms.outputs import require_values
from posemill.transforms.rasterize import Combine, accumulate_joints
from posemill.transforms.sample import FrameMaps

PEAK_DELTA = np.float32(1e-4)
INTENSITY_EPSILON = np.float32(1.0)
_FRAMES_AT_ONCE = 64
"""Of maps that are read from a store when they are indexed."""


def time_encoding(num_frames: int, num_channels: int) -> Float32:
    """o (T, C): each row sums to 1 and moves from the first channel to the last.

    v = t (C - 1) / (T - 1), b = min(floor(v), C - 2), o_b = 1 - (v - b) and
    o_{b+1} = v - b; a single frame is all first channel.

    Raises:
        ValueError: fewer than 0 frames or 2 channels.
    """
    if num_frames < 0 or num_channels < 2:
        raise ValueError(
            f"the time encoding needs 2 channels or more, got {num_channels} "
            f"for {num_frames} frames"
        )
    frame = np.arange(num_frames)
    steps, span = frame * (num_channels - 1), max(num_frames - 1, 1)
    low = np.minimum(steps // span, num_channels - 2)
    share = (steps - low * span) / span
    encoding = np.zeros((num_frames, num_channels), np.float32)
    encoding[frame, low] = 1.0 - share
    encoding[frame, low + 1] = share
    return encoding


def potion_s(
    xy_px: Float32,
    score: Float32,
    frame_ptr: Int64,
    *,
    num_channels: int,
    sigma: float,
    size_hw: tuple[int, int],
    truncate: float = 3.0,
    combine: Combine = "max",
) -> Float32:
    """S (K, C, H, W) of all frames; persons of a frame are combined first.

    Args:
        xy_px: (P, K, 2) in px of the maps; score: (P, K); frame_ptr: (T + 1,).
        num_channels: C.
        sigma: of the joints' Gaussians, px.
        size_hw: H, W.
        truncate, combine: see `rasterize.draw_joints`.

    Raises:
        ValueError: as `time_encoding` and `rasterize.accumulate_joints`.
    """
    score, frame_ptr = real_array("score", score), real_array("frame_ptr", frame_ptr)
    if score.ndim != 2 or len(frame_ptr) == 0:
        raise ValueError(
            f"score must be (P, K) and frame_ptr (T + 1,), got {score.shape} and {frame_ptr.shape}"
        )
    out = np.zeros((score.shape[1], num_channels, *height_width("size_hw", size_hw)), np.float32)
    weights = time_encoding(len(frame_ptr) - 1, num_channels)
    accumulate_joints(
        xy_px, score, frame_ptr, weights, out, sigma=sigma, truncate=truncate, combine=combine
    )
    return out


def encode_maps(maps: FrameMaps, num_channels: int) -> Float32:
    """S (K, C, H, W) of an estimator's own heatmaps (T, K, H, W), some frames at a time.

    Raises:
        ValueError: maps of another rank, or as `time_encoding`.
    """
    if maps.ndim != 4:
        raise ValueError(f"maps must be (T, K, H, W), got shape {maps.shape}")
    num_frames, num_keypoints, *size_hw = maps.shape
    encoding = time_encoding(num_frames, num_channels)
    s = np.zeros((num_keypoints, num_channels, *size_hw), np.float32)
    for first in range(0, num_frames, _FRAMES_AT_ONCE):
        some = slice(first, first + _FRAMES_AT_ONCE)
        for frame, shares in zip(maps[some], encoding[some], strict=True):
            for channel in np.flatnonzero(shares):
                s[:, channel] += shares[channel] * frame.astype(np.float32)
    return s


def potion_u(s: Float32) -> tuple[Float32, Float32]:
    """U (..., H, W), in [0, 1), and the greatest value of each map of S, (...).

    Raises:
        ValueError: maps that are not floating, of another rank, or empty.
    """
    require_values("s", s, rank=2)
    maximum = s.max(axis=(-2, -1))
    return s / (maximum[..., None, None] + PEAK_DELTA), maximum


def recover_s(u: Float32, maximum: Float32) -> Float32:
    """S (..., H, W) from U and the greatest value (...) of each of its maps.

    Raises:
        ValueError: U that is not floating, of another rank, or of other maps than `maximum`.
    """
    require_values("u", u, rank=2)
    if maximum.shape != u.shape[:-2]:
        raise ValueError(f"maximum must be {u.shape[:-2]}, one for each map, got {maximum.shape}")
    return u * (maximum[..., None, None] + PEAK_DELTA)


def potion_i(u: Float32) -> Float32:
    """I (..., H, W), in [0, C], of U (..., C, H, W); errors as `potion_u`."""
    require_values("u", u, rank=3)
    total: Float32 = u.sum(axis=-3)
    return total


def potion_n(u: Float32) -> Float32:
    """N (..., C, H, W), in [0, 1/2], of U (..., C, H, W); errors as `potion_u`."""
    return u / (potion_i(u)[..., None, :, :] + INTENSITY_EPSILON)


def derive_potion(u: Float32) -> Float32:
    """The PoTion network's input (K (2 C + 1), H, W): all of U, then I, then N.

    U and N are stacked joint by joint, so channel c of joint k is number k C + c
    of its part.

    Args:
        u: (K, C, H, W) in [0, 1], perhaps cropped; of a store by `outputs.dequantise`.

    Raises:
        ValueError: as `potion_u`.
    """
    require_values("u", u, rank=4)
    size_hw = u.shape[-2:]
    parts = (u, potion_i(u), potion_n(u))
    return np.concatenate([part.reshape(-1, *size_hw) for part in parts]).astype(
        np.float32, copy=False
    )


def jmrn_p(s: Float32, num_frames: int) -> Float32:
    """JMRN's p (..., C, H, W): S over the greatest value that it could have reached.

    A joint of full confidence that never moves reaches sum_t o_c(t) ("normalised
    by the maximum possible value", JMRN, section 3.1). Channels that no frame
    reaches (T <= 1) are 0.

    Args:
        s: (..., C, H, W); of people combined by "max" p lies in [0, 1].
        num_frames: T of the whole clip.

    Raises:
        ValueError: as `potion_u`.
    """
    require_values("s", s, rank=3)
    possible = time_encoding(num_frames, s.shape[-3]).sum(axis=0)
    reached = possible > 0
    scale = np.where(reached, 1.0 / np.where(reached, possible, 1.0), 0.0).astype(np.float32)
    return s * scale[:, None, None]


def stack_roles(p: Float32) -> Float32:
    """JMRN's input on AVA, (K, 2 C, H, W): a person's p and then the others', of (2, K, C, H, W).

    The other people are the context of what one person does (JMRN, supplement, on AVA).

    Raises:
        ValueError: another shape.
    """
    if p.ndim != 5 or len(p) != 2:
        raise ValueError(f"p must be (2, K, C, H, W), the person and the others, got {p.shape}")
    person, others = p
    return np.concatenate([person, others], axis=1)


def colour_potion(maps: Float32) -> UInt8:
    """A picture (H, W, 3), RGB, of U or S (K, C, H, W): time runs from red over green to blue.

    Each joint is scaled to its greatest value, and the brightest joint of a pixel shows.
    """
    colours = _time_colours(maps.shape[1])
    peak = maps.max(axis=(1, 2, 3), keepdims=True)
    scaled = maps / np.where(peak > 0, peak, 1.0)
    rgb = np.einsum("kcyx,cr->kyxr", scaled, colours).clip(0.0, 1.0).max(axis=0)
    picture: UInt8 = np.rint(rgb * 255.0).astype(np.uint8)
    return picture


def _time_colours(num_channels: int) -> Float32:
    """(C, 3): from red over green to blue at full brightness."""
    at = np.linspace(0.0, 2.0, num_channels)
    channels = [np.clip(2.0 - 2.0 * np.abs(at - peak), 0.0, 1.0) for peak in (0.0, 1.0, 2.0)]
    return np.stack(channels, axis=1).astype(np.float32)
