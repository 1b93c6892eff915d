"""What the rasterisers ask of their arguments; each error names one and its value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from posemill.schema import Float32, Int64
from posemill.transforms.arguments import real_array, real_number, shown
from posemill.transforms.rasterize.kernels import rows_in_order

Combine = Literal["max", "sum"]
Limbs = Sequence[tuple[int, int]] | npt.NDArray[np.integer[Any]]
Maps = npt.NDArray[Any]

# Below, neighbouring pixels differ by more than float64 can tell.
MIN_SIGMA_PX = 0.1
MAX_SIGMA_PX = 1e6
# A Gaussian is below 2e-22 there.
MAX_TRUNCATE = 10.0


class People(NamedTuple):
    """People as the kernels take them: of one dtype and layout each, and writeable.

    numba compiles anew for any other dtype or layout.
    """

    xy: Float32
    score: Float32
    ptr: Int64

    @property
    def num_keypoints(self) -> int:
        return int(self.score.shape[1])

    @property
    def num_frames(self) -> int:
        return len(self.ptr) - 1

    def only(self, k: int) -> People:
        """The same with joint k alone."""
        one = slice(k, k + 1)
        return People(self.xy[:, one].copy(), self.score[:, one].copy(), self.ptr)


class Gaussian(NamedTuple):
    """A Gaussian's sigma and how far from its middle it is drawn, px."""

    sigma: float
    reach: float


def checked_people(xy_px: Float32, score: Float32, frame_ptr: Int64) -> People:
    """The arrays that say where people are, copied only where kernels need that."""
    xy_px, score = real_array("xy_px", xy_px), real_array("score", score)
    frame_ptr = real_array("frame_ptr", frame_ptr)
    if score.ndim != 2:
        raise ValueError(f"score must be (P, K), got shape {score.shape}")
    if xy_px.shape != (*score.shape, 2):
        num_rows, num_keypoints = score.shape
        raise ValueError(
            f"xy_px must be (P, K, 2) = ({num_rows}, {num_keypoints}, 2), as score is "
            f"({num_rows}, {num_keypoints}); got shape {xy_px.shape}"
        )
    if frame_ptr.ndim != 1 or len(frame_ptr) == 0 or frame_ptr.dtype.kind not in "iu":
        raise ValueError(
            f"frame_ptr must be integers (T + 1,), got {frame_ptr.dtype} of shape {frame_ptr.shape}"
        )
    ptr = _owned(frame_ptr, np.int64)
    if not rows_in_order(ptr, len(score)):
        raise ValueError(
            f"frame_ptr must not decrease and must stay from 0 to the {len(score)} rows of score, "
            f"got {np.array2string(ptr, threshold=16)}"
        )
    scores = _singles(score)
    _check_greatest(scores)
    return People(_singles(xy_px), scores, ptr)


def checked_weights(weights: Float32, num_frames: int, num_channels: int) -> Float32:
    """Weights (T, C)."""
    weights = real_array("weights", weights)
    if weights.shape != (num_frames, num_channels):
        raise ValueError(
            f"weights must be (T, C) = ({num_frames}, {num_channels}), as frame_ptr and out say; "
            f"got shape {weights.shape}"
        )
    return _singles(weights)


def checked_limbs(limbs: Limbs, num_keypoints: int) -> Int64:
    """Limbs (L, 2), of two different joints each."""
    pairs = real_array("limbs", limbs)
    if pairs.ndim != 2 or pairs.shape[1] != 2 or not len(pairs) or pairs.dtype.kind not in "iu":
        raise ValueError(
            f"limbs must be one or more pairs of joint numbers, got {pairs.dtype} "
            f"of shape {pairs.shape}"
        )
    wrong = (pairs < 0) | (pairs >= num_keypoints) | (pairs[:, :1] == pairs[:, 1:])
    if wrong.any():
        number = int(wrong.any(axis=1).argmax())
        raise ValueError(
            f"limbs must join two different joints from 0 to {num_keypoints - 1}, "
            f"got {tuple(pairs[number].tolist())} as number {number}"
        )
    return _owned(pairs, np.int64)


def check_out(
    out: Maps, shape: tuple[int | None, ...], names: str, dtypes: tuple[np.dtype[Any], ...]
) -> None:
    """An array to draw into; None in `shape` stands for any length but 0."""
    if not isinstance(out, np.ndarray):
        raise ValueError(f"out must be an array {names}, got {shown(out)}")
    fits = len(out.shape) == len(shape) and all(
        have > 0 and want in (None, have) for have, want in zip(out.shape, shape, strict=True)
    )
    if not fits:
        sides = ", ".join("1 or more" if side is None else str(side) for side in shape)
        raise ValueError(f"out must be {names} = ({sides}), none of them 0; got shape {out.shape}")
    if out.dtype not in dtypes:
        raise ValueError(f"out must be {' or '.join(map(str, dtypes))}, got {out.dtype}")
    if not out.flags.carray:
        flags = out.flags
        state = "read-only" if flags.c_contiguous and flags.aligned else f"strides {out.strides}"
        raise ValueError(f"out must be C-contiguous, aligned and writeable, got {state}")


def checked_gaussian(sigma: float, truncate: float) -> Gaussian:
    """Sigma in px, and the truncation in sigmas."""
    if not MIN_SIGMA_PX <= real_number("sigma", sigma) <= MAX_SIGMA_PX:
        raise ValueError(f"sigma must be from {MIN_SIGMA_PX} to {MAX_SIGMA_PX:.0f} px, got {sigma}")
    if not 0.0 < real_number("truncate", truncate) <= MAX_TRUNCATE:
        raise ValueError(
            f"truncate must be above 0 and at most {MAX_TRUNCATE:.0f} sigmas, got {truncate}"
        )
    return Gaussian(float(sigma), float(truncate) * float(sigma))


def checked_half_width(half_width: float) -> float:
    """Half the width of a limb's support, px."""
    if not 0.0 < real_number("half_width", half_width) < float("inf"):
        raise ValueError(f"half_width must be above 0 px and finite, got {half_width}")
    return float(half_width)


def adds(combine: str, out: Maps) -> bool:
    """Whether people are summed."""
    if combine not in get_args(Combine):
        raise ValueError(f"combine must be 'max' or 'sum', got {combine!r}")
    if combine == "sum" and out.dtype == np.uint8:
        raise ValueError(
            "combine must be 'max' where out is uint8, got 'sum': sums may exceed 1; "
            "draw them into float16 or float32"
        )
    return combine == "sum"


def _check_greatest(score: Float32) -> None:
    """Raise ValueError where finite scores are above 1, perhaps of another unit."""
    if np.fmax.reduce(score, axis=None, initial=0.0) > 1.0:
        greatest = np.max(score, where=np.isfinite(score), initial=0.0)
        if greatest > 1.0:
            raise ValueError(f"score must lie in [0, 1], got {greatest}")


def _singles(array: npt.NDArray[Any]) -> Float32:
    if array.dtype == np.float32:
        return _owned(array, np.float32)
    with np.errstate(over="ignore"):  # what float32 cannot hold is off every map, too
        return _owned(array, np.float32)


def _owned(array: npt.NDArray[Any], dtype: type[np.generic]) -> npt.NDArray[Any]:
    if array.dtype == dtype and array.flags.carray:  # contiguous, aligned and writeable
        return array
    return np.require(array, dtype, ["C", "A", "W"])
