"""The interface of a model: a published architecture and its settings, which builds networks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal

from torch import Tensor, nn

from posemill.errors import InputError
from posemill.models.losses import classification_loss
from posemill.settings import check_settings

LOGITS = "logits"
"""Of the classes (B, M), in what every network returns."""
EMBEDDINGS = "embeddings"
"""Unit vectors (B, J, D) of the joints, of networks that a contrastive loss can train."""
ATTENTION = "attention/"
"""Begins the names of weights (B, ...) by which a network looks, for pictures of them."""

Consensus = Literal["mean", "max"]

ViewShapes = Mapping[str, tuple[int, ...]]
"""The arrays of one view, by name, and their shapes without the batch."""


class PoseNetwork(nn.Module, ABC):
    """A network over the arrays of a recipe.

    Its last layer is called `classifier`: a linear probe trains that alone, and
    weights of another set of classes leave it out.
    """

    classifier: nn.Module

    @property
    def gives_embeddings(self) -> bool:
        """Whether it returns `EMBEDDINGS` while it is trained."""
        return False

    @abstractmethod
    def forward(self, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What the network makes of a batch of views.

        Args:
            values: arrays (B, ...) by the names of the recipe's outputs; scaled
                ones are float32 values on the network's device.

        Returns:
            `LOGITS` (B, M), whatever else its loss takes, and perhaps weights by which it looks,
            whose names begin with `ATTENTION`.
        """

    def loss(self, outputs: Mapping[str, Tensor], labels: Tensor) -> Tensor:
        """The loss (), nats, of a batch of training views, without a contrast of joints.

        That of the classes; papers that train on more say so here.

        Args:
            outputs: of `forward`.
            labels: (B,) classes, or (B, M) 0 or 1 where clips have any number of them.
        """
        return classification_loss(outputs[LOGITS], labels)


@dataclass(frozen=True)
class Model(ABC):
    """A published architecture: a frozen dataclass of settings, see `posemill.settings`."""

    kind: ClassVar[str] = "model"
    prefix: ClassVar[str] = "model."
    """Of its settings, where a command takes those of other things as well."""
    name: ClassVar[str]
    recipes: ClassVar[tuple[str, ...]]
    """Names of the recipes whose arrays it reads."""
    consensus: ClassVar[Consensus] = "mean"
    """What becomes of the probabilities of a clip's test views."""

    def __post_init__(self) -> None:
        check_settings(self)

    @abstractmethod
    def network(self, shapes: ViewShapes, num_classes: int) -> PoseNetwork:
        """A new network, its weights drawn from torch's generator.

        Raises:
            InputError: views that the architecture does not take.
        """

    def configuration(self) -> dict[str, Any]:
        """Name and all settings, as JSON has them; decides what a checkpoint fits."""
        return {"name": self.name, "settings": asdict(self)}


def view_shape(model: Model, shapes: ViewShapes, name: str, dims: tuple[str, ...]) -> list[int]:
    """Sizes of the array `name` along `dims`.

    Raises:
        InputError: there is no such array, or it has another number of dimensions.
    """
    if name not in shapes or len(shapes[name]) != len(dims):
        held = ", ".join(f"{each} {shape}" for each, shape in shapes.items())
        raise InputError(
            f"the model {model.name} reads {name} ({', '.join(dims)}), and a view has: {held}; "
            f"use features of the recipe {' or '.join(model.recipes)}"
        )
    return list(shapes[name])


def require_size(model: Model, size_hw: tuple[int, int], least: int) -> None:
    """Raise InputError unless maps are at least `least` px high and wide."""
    if min(size_hw) < least:
        raise InputError(
            f"maps of {size_hw[0]} x {size_hw[1]} px are too small for the model {model.name}; "
            f"expected at least {least} px a side: render larger ones, or crop less"
        )
