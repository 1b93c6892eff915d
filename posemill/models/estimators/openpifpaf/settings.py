"""What a user can set of openpifpaf, with the values that its published accuracy stands on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from posemill.errors import InputError

DTYPES = ("auto", "float32", "float16", "bfloat16")
_MIN_LONG_EDGE = 33


@dataclass(frozen=True, slots=True)
class PifPafSettings:
    """Size of the network's input, precision of its trunk, and the decoder's thresholds.

    Raises:
        InputError: a threshold outside [0, 1), a long edge that is too small, another dtype.
    """

    long_edge: int = 641
    """Frames are resized to this long edge in pixels. The published checkpoints were evaluated at
    641, and cells of stride s lie on the pixels of a size of n s + 1, so it takes no padding."""
    dtype: str = "auto"
    """Of the trunk; the heads are always float32. auto: float16 on a GPU, float32 elsewhere."""
    seed_threshold: float = 0.2
    """Least confidence of a joint that a person is grown from."""
    keypoint_threshold: float = 0.15
    """Least score of a joint."""
    instance_threshold: float = 0.15
    """Least score of a person."""

    def __post_init__(self) -> None:
        for name in ("seed_threshold", "keypoint_threshold", "instance_threshold"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise InputError(f"{name} must lie in [0, 1), got {getattr(self, name)}")
        if self.long_edge < _MIN_LONG_EDGE:
            raise InputError(f"long_edge must be {_MIN_LONG_EDGE} or more, got {self.long_edge}")
        if self.dtype not in DTYPES:
            raise InputError(f"dtype must be one of {', '.join(DTYPES)}, got {self.dtype!r}")

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, Any]) -> Self:
        """From values that may be text.

        Raises:
            InputError: an unknown parameter, or a value that cannot be.
        """
        known = {name: type(value) for name, value in asdict(cls()).items()}
        unknown = sorted(set(parameters) - set(known))
        if unknown:
            raise InputError(
                f"openpifpaf has no parameter {', '.join(map(repr, unknown))}; "
                f"it has: {', '.join(known)}"
            )
        try:
            return cls(**{name: known[name](value) for name, value in parameters.items()})
        except (TypeError, ValueError) as error:
            raise InputError(
                f"openpifpaf's parameters must be numbers, but for dtype: {error}"
            ) from error
