"""Models by name: what each reads from a feature store and how to build it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from torch import Tensor, nn

from posemill.errors import InputError
from posemill.models.potion_cnn import PotionCNN, potion_channels, potion_planes


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One model: the recipes that feed it, and the way from a stored array to logits."""

    name: str
    recipes: tuple[str, ...]
    """Names of the recipes whose feature stores it can read."""
    array: str
    """The stored array that it reads, (B, J, C, H, W) once in a batch."""
    in_channels: Callable[[int, int], int]
    """Planes of its input, from J joints and C time channels."""
    planes: Callable[[Tensor], Tensor]
    """The array's values, on the device, to the network's input (B, in_channels, H, W)."""
    network: Callable[[int, int, int, float], nn.Module]
    """Builds the network from `(in_channels, num_classes, width, dropout)`."""


MODELS: Mapping[str, ModelSpec] = MappingProxyType(
    {
        "potion": ModelSpec(
            name="potion",
            recipes=("potion",),
            array="u",
            in_channels=potion_channels,
            planes=potion_planes,
            network=PotionCNN,
        )
    }
)


def get_model(name: str) -> ModelSpec:
    """The model called `name`.

    Raises:
        InputError: no model has that name.
    """
    if name not in MODELS:
        raise InputError(f"no model is called {name!r}; there are: {', '.join(MODELS)}")
    return MODELS[name]


def create_model(
    name: str,
    num_keypoints: int,
    num_time_channels: int,
    num_classes: int,
    width: int = 128,
    dropout: float = 0.25,
) -> nn.Module:
    """The network of the model `name`, for maps of J joints and C time channels.

    Raises:
        InputError: no model has that name.
        ValueError: a size below 1, or a dropout outside [0, 1).
    """
    spec = get_model(name)
    in_channels = spec.in_channels(num_keypoints, num_time_channels)
    return spec.network(in_channels, num_classes, width, dropout)
