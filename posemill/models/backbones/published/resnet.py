"""Names of residual networks' layers: torchvision's, which Hara's keep, and MMAction2's.

torchvision (pytorch/vision, models/resnet.py) and kenshohara/3D-ResNets-PyTorch
(models/resnext.py): conv1, bn1, layer1.0.conv1, layer1.0.bn1, ..., layer1.0.downsample.0
and .1. MMAction2 and PYSKL (kennymckormick/pyskl, models/cnns/resnet3d.py): conv1.conv,
conv1.bn, layer1.0.conv1.conv, layer1.0.conv1.bn, ..., layer1.0.downsample.conv and .bn.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from posemill.models.backbones.layers3d import Backbone, Residual


@dataclass(frozen=True, slots=True)
class Style:
    """Names of a convolution and its normalisation, {} being its number in the block."""

    pair: tuple[str, str]
    shortcut: tuple[str, str]


TORCHVISION = Style(("conv{}", "bn{}"), ("downsample.0", "downsample.1"))
MMACTION = Style(("conv{}.conv", "conv{}.bn"), ("downsample.conv", "downsample.bn"))


def is_residual_network(backbone: Backbone) -> bool:
    """Whether it is a convolution, its normalisation, and then blocks, as ResNets are."""
    layers = list(backbone)
    starts = [type(layer) for layer in layers[:2]] == [nn.Conv3d, nn.BatchNorm3d]
    return starts and isinstance(layers[-1], Residual)


def residual_modules(backbone: Backbone, style: Style) -> dict[str, str]:
    """The published name of every layer with weights of such a network, by its own name.

    A stage begins with every block around which the shortcut is a layer, too.
    """
    modules = _pair(("0", "1"), style.pair, "", 1)
    stage = block = 0
    for name, layer in backbone.named_children():
        if not isinstance(layer, Residual):
            continue
        begins = not isinstance(layer.shortcut, nn.Identity)
        stage, block = (stage + 1, 0) if begins else (stage, block + 1)
        prefix = f"layer{stage}.{block}."
        for number, (conv, norm) in enumerate(_convolutions(layer.branch), start=1):
            own = (f"{name}.branch.{conv}", f"{name}.branch.{norm}")
            modules |= _pair(own, style.pair, prefix, number)
        if begins:
            own = (f"{name}.shortcut.0", f"{name}.shortcut.1")
            modules |= _pair(own, style.shortcut, prefix, 0)
    return modules


def _pair(
    own: tuple[str, str], published: tuple[str, str], prefix: str, number: int
) -> dict[str, str]:
    return {
        name: prefix + template.format(number)
        for name, template in zip(own, published, strict=True)
    }


def _convolutions(branch: nn.Sequential) -> list[tuple[int, int]]:
    """Where a branch has its convolutions, and the normalisations after them."""
    places = [place for place, layer in enumerate(branch) if isinstance(layer, nn.Conv3d)]
    return [(place, place + 1) for place in places]
