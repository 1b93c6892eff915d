"""What a recipe's output looks like on disk: its dimensions, dtype and scale.

Stored integers q stand for the values `q * scale_factor + add_offset` (the CF
conventions' packing, which xarray undoes by itself).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from posemill.schema import Float32
from posemill.transforms.compiled import compiled

DTYPES = ("bool", "uint8", "uint16", "int16", "int32", "int64", "float16", "float32", "float64")


@dataclass(frozen=True, slots=True)
class OutputSpec:
    """One named array of a clip.

    Raises:
        ValueError: dims and shape that disagree, a repeated dimension, a size
            below 1, an unknown dtype, or a scale that is not a positive number.
    """

    name: str
    dims: tuple[str, ...]
    """Singular names, without the leading `clip`."""
    shape: tuple[int, ...]
    dtype: str
    scale_factor: float | None = None
    add_offset: float | None = None
    description: str = ""

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("an output needs a name")
        if len(self.dims) != len(self.shape) or len(set(self.dims)) != len(self.dims):
            raise ValueError(
                f"output {self.name}: dims {self.dims} must be distinct and as many as the sizes "
                f"{self.shape}"
            )
        if any(size < 1 for size in self.shape):
            raise ValueError(f"output {self.name}: sizes must be at least 1, got {self.shape}")
        if self.dtype not in DTYPES:
            raise ValueError(
                f"output {self.name}: dtype must be one of {', '.join(DTYPES)}, got {self.dtype!r}"
            )
        if self.scale_factor is not None and not 0.0 < self.scale_factor < float("inf"):
            raise ValueError(
                f"output {self.name}: scale_factor must be a positive number, "
                f"got {self.scale_factor}"
            )
        if self.add_offset is not None and not np.isfinite(self.add_offset):
            raise ValueError(
                f"output {self.name}: add_offset must be finite, got {self.add_offset}"
            )

    @property
    def packed(self) -> bool:
        """Whether stored numbers differ from the values that they stand for."""
        return self.scale_factor is not None or self.add_offset is not None

    @property
    def precision(self) -> str:
        """How far a stored number may be from the value that it stands for, within its range."""
        dtype = np.dtype(self.dtype)
        if dtype.kind == "f":
            return f"within 2^-{np.finfo(dtype).nmant + 1} of the value"
        if self.scale_factor is None:
            return "exact"
        return f"within {self.scale_factor / 2:.3g}"

    def zeros(self) -> npt.NDArray[Any]:
        """An array of this shape and dtype whose values are all 0."""
        return quantise(np.zeros(self.shape, np.float32), self)


def quantise(values: npt.NDArray[Any], spec: OutputSpec) -> npt.NDArray[Any]:
    """`values` as `spec` stores them: rounded to the nearest step, clipped to the dtype.

    The shape is the caller's: any number of leading dimensions may stand
    before those of `spec`. Arrays of the very dtype are taken as stored numbers
    already, and returned as they are.

    Raises:
        ValueError: a value that is not finite, where `spec` stores integers.
    """
    dtype = np.dtype(spec.dtype)
    if values.dtype == dtype:
        return values
    if dtype.kind == "b":
        return _cast(values, dtype)
    if dtype.kind == "f":
        limit = np.finfo(dtype).max
        return _cast(np.clip(_pack(values, spec), -limit, limit), dtype)
    info = np.iinfo(dtype)
    if values.dtype.kind in "iu" and not spec.packed:
        return _cast(np.clip(values, info.min, info.max), dtype)
    stored = np.empty(values.shape, dtype)
    # float32 is exact up to 2^24, which is more than 16-bit integers need.
    narrow = dtype.itemsize <= 2 and values.dtype != np.float64
    wide = np.require(values, np.float32 if narrow else np.float64, ["C", "W"])
    number = wide.dtype.type
    scale = number(1.0 if spec.scale_factor is None else spec.scale_factor)
    offset = number(0.0 if spec.add_offset is None else spec.add_offset)
    if not _round_into(wide.reshape(-1), scale, offset, *_limits(info, number), stored.reshape(-1)):
        raise ValueError(f"output {spec.name}: {spec.dtype} cannot hold a value that is not finite")
    return stored


def dequantise(stored: npt.NDArray[Any], spec: OutputSpec) -> Float32:
    """The float32 values that `stored`, of any leading dimensions, stands for."""
    values = stored.astype(np.float32)
    if spec.scale_factor is not None:
        values *= np.float32(spec.scale_factor)
    if spec.add_offset is not None:
        values += np.float32(spec.add_offset)
    return values


def require_values(name: str, maps: npt.NDArray[Any], rank: int) -> None:
    """Raise ValueError unless maps are floating, of `rank` or more dimensions, and not empty.

    What a store holds in integers are steps, not values: arithmetic on them wraps round.
    """
    if maps.dtype.kind != "f":
        raise ValueError(
            f"{name} must be floating values, got {maps.dtype}; make values of what a store "
            "holds with outputs.dequantise"
        )
    if maps.ndim < rank or maps.size == 0:
        raise ValueError(f"{name} must have {rank} dimensions or more, got shape {maps.shape}")


def quantise_all(
    values: Mapping[str, npt.NDArray[Any]], specs: tuple[OutputSpec, ...]
) -> dict[str, npt.NDArray[Any]]:
    """Every output of `specs`, quantised.

    Raises:
        ValueError: an output that is missing, unknown, or of another shape.
    """
    names = [spec.name for spec in specs]
    if set(values) != set(names):
        raise ValueError(f"outputs must be {sorted(names)}, got {sorted(values)}")
    for spec in specs:
        if values[spec.name].shape != spec.shape:
            raise ValueError(
                f"output {spec.name} must have shape {spec.shape}, got {values[spec.name].shape}"
            )
    return {spec.name: quantise(values[spec.name], spec) for spec in specs}


def _limits(info: np.iinfo[Any], number: type[np.floating[Any]]) -> tuple[Any, Any]:
    """The least and the greatest float whose integer part the dtype holds."""
    low, high = number(info.min), number(info.max)
    return low, high if int(high) <= info.max else np.nextafter(high, number(0.0))


@compiled
def _round_into(values, scale, offset, low, high, out):  # type: ignore[no-untyped-def]
    """Pack N values; False where one is not finite."""
    finite = True
    for i in range(len(values)):
        packed = (values[i] - offset) / scale
        finite &= abs(packed) < np.inf
        out[i] = out.dtype.type(min(max(np.rint(packed), low), high))
    return finite


def _pack(values: npt.NDArray[Any], spec: OutputSpec) -> npt.NDArray[np.floating[Any]]:
    wide = spec.dtype == "float64" or values.dtype == np.float64
    packed: npt.NDArray[Any] = values.astype(np.float64 if wide else np.float32)
    if spec.add_offset is not None:
        np.subtract(packed, packed.dtype.type(spec.add_offset), out=packed)
    if spec.scale_factor is not None:
        np.divide(packed, packed.dtype.type(spec.scale_factor), out=packed)
    return packed


def _cast(values: npt.NDArray[Any], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    cast: npt.NDArray[Any] = values.astype(dtype)
    return cast
