"""The parameters of `vitpose`, as `--estimator-option KEY=VALUE` gives them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from posemill.errors import InputError

_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
DETECTOR_MULTIPLE = 32


@dataclass(frozen=True, slots=True)
class VitposeSettings:
    """How people are found and looked at.

    Raises:
        InputError: a value outside of its range.
    """

    detector: str = ""
    """A folder of RT-DETR's weights, or a published name; empty takes `detector/` beside the
    weights, or the default that was pulled with them."""
    person_threshold: float = 0.3
    """The least score of a person whom the detector finds."""
    detector_size: int = 640
    """Width and height in pixels of what the detector sees: all of the frame, stretched."""
    padding: float = 1.25
    """How much larger than a person's box the crop is; as the weights were trained."""
    flip: bool = False
    """Whether to average with the heatmaps of the mirrored crop: better, and half as fast."""
    people_per_forward: int = 32
    """The most crops in one pass through the network."""
    dataset_index: int = 0
    """Which experts of vitpose-plus are asked; 0 are those of COCO."""

    def __post_init__(self) -> None:
        rules = {
            "person_threshold": ("between 0 and 1", 0 < self.person_threshold < 1),
            "detector_size": (
                f"a multiple of {DETECTOR_MULTIPLE} from {2 * DETECTOR_MULTIPLE} on",
                self.detector_size % DETECTOR_MULTIPLE == 0 and self.detector_size > 32,
            ),
            "padding": ("from 1 to 4", 1 <= self.padding <= 4),
            "people_per_forward": ("1 or more", self.people_per_forward >= 1),
            "dataset_index": ("0 or more", self.dataset_index >= 0),
        }
        for name, (expected, fits) in rules.items():
            if not fits:
                raise InputError(f"vitpose's {name} must be {expected}, got {getattr(self, name)}")


def parse_settings(parameters: Mapping[str, Any]) -> VitposeSettings:
    """The settings that `parameters` change from their defaults.

    Raises:
        InputError: an unknown name, or a value of another type or outside of its range.
    """
    defaults = {field.name: field.default for field in fields(VitposeSettings)}
    if unknown := sorted(set(parameters) - set(defaults)):
        raise InputError(
            f"vitpose has no parameter {', '.join(map(repr, unknown))}; "
            f"it has: {', '.join(defaults)}"
        )
    given = {name: _parse(name, value, defaults[name]) for name, value in parameters.items()}
    return VitposeSettings(**given)


def _parse(name: str, value: Any, default: Any) -> Any:
    try:
        if isinstance(default, bool):
            return _TRUTH[str(value).lower()]
        return type(default)(value)
    except (KeyError, TypeError, ValueError) as error:
        expected = "true or false" if isinstance(default, bool) else type(default).__name__
        raise InputError(f"vitpose's {name} must be {expected}, got {value!r}") from error
