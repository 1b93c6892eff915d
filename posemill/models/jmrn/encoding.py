"""JMRN's input of what a store holds: p itself, or the potion recipe's U and what it was."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from posemill.transforms.potion import PEAK_DELTA


def motion_maps(values: Mapping[str, Tensor]) -> Tensor:
    """p (B, J, C, H, W), or (B, J, 2 C, H, W) where a person and the others are apart.

    Args:
        values: `p` of the recipe jmrn, else `u`, `maximum` and `num_frames` of
            the recipe potion; maps (B, J, C, H, W), or (B, 2, J, C, H, W).
    """
    p = values["p"] if "p" in values else derive_p(**{name: values[name] for name in DERIVED_FROM})
    return stack_roles(p) if p.ndim == 6 else p


DERIVED_FROM = ("u", "maximum", "num_frames")
"""Arrays of the recipe potion from which `derive_p` makes p."""


def stack_roles(p: Tensor) -> Tensor:
    """A person's maps and then the others' as channels: (B, J, 2 C, H, W) of (B, 2, J, C, H, W).

    The other people are the context of what one person does (supplement, on AVA).
    """
    return p.transpose(1, 2).flatten(2, 3)


def derive_p(u: Tensor, maximum: Tensor, num_frames: Tensor) -> Tensor:
    """p = S / sum_t o_c(t) with S = U (max_xy S + 1e-4), on the device of `u`.

    The same as `transforms.potion.jmrn_p` of `recover_s`; channels that no frame
    reaches (T <= 1) are 0.

    Args:
        u: (B, ..., C, H, W) in [0, 1), perhaps cropped.
        maximum: (B, ..., C), of the whole maps S.
        num_frames: (B,), T of the whole clips.
    """
    longest = longest_stay(num_frames, u.shape[-3])
    share = torch.where(longest > 0, 1.0 / longest, 0.0).to(u.dtype)  # (B, C)
    share = share.reshape(len(u), *[1] * (maximum.ndim - 2), -1)  # (B, ..., C)
    scale: Tensor = (maximum + float(PEAK_DELTA)) * share
    return u * scale[..., None, None]


def longest_stay(num_frames: Tensor, num_channels: int) -> Tensor:
    """sum_t o_c(t) (B, C), float64: what a joint of full confidence that rests reaches.

    With n = T - 1, m = C - 1 and v = t m / n, PoTion's o_c(t) = max(0, 1 - |v - c|)
    is a second difference of ramps, r_c-1 - 2 r_c + r_c+1 with r_k = max(0, v - k),
    and n sum_t r_k is a sum of whole numbers, so that nothing loops over frames.
    """
    frames = num_frames.to(torch.int64)[:, None]  # (B, 1)
    n, m = (frames - 1).clamp(min=1), num_channels - 1
    k = torch.arange(-1, num_channels + 1, device=frames.device)  # (C + 2,)
    # The last frame that r_k does not reach; r_-1 reaches all, r_C none.
    before = torch.div(k * n, m, rounding_mode="floor").clamp(min=-1)
    before = torch.minimum(before, n)
    ramps = m * (n * (n + 1) - before * (before + 1)) // 2 - k * n * (n - before)
    stays = (ramps[:, :-2] - 2 * ramps[:, 1:-1] + ramps[:, 2:]).double() / n
    first = torch.arange(num_channels, device=frames.device) == 0
    few = (first * frames.clamp(min=0)).double()  # one frame is all first channel
    return torch.where(frames > 1, stays, few)
