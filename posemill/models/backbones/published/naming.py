"""How public releases name the tensors of a backbone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import nn

from posemill.models.backbones.bn_inception import BnInception
from posemill.models.backbones.i3d import I3d
from posemill.models.backbones.layers3d import Backbone
from posemill.models.backbones.published.bn_inception import FIRST_LAYER, caffe_modules
from posemill.models.backbones.published.i3d import pytorch_i3d_modules
from posemill.models.backbones.published.resnet import (
    MMACTION,
    TORCHVISION,
    is_residual_network,
    residual_modules,
)


@dataclass(frozen=True, slots=True)
class Naming:
    """The names of one release."""

    source: str
    """Whose they are, in messages."""
    names: Mapping[str, str]
    """Of every tensor of the backbone: the name in the file."""
    blue_first: str = ""
    """The tensor that reads pictures, where it reads them blue, green, red."""


def namings(module: nn.Module) -> list[Naming]:
    """Those in which weights of `module` are published; none for another kind of module."""
    if isinstance(module, I3d):
        return [_naming("pytorch-i3d", module, pytorch_i3d_modules(module))]
    if isinstance(module, BnInception):
        return [_naming("Caffe's BN-Inception", module, caffe_modules(module), FIRST_LAYER)]
    if isinstance(module, Backbone) and is_residual_network(module):
        return [
            _naming("MMAction2", module, residual_modules(module, MMACTION)),
            # Hara's 3-D networks keep the names of torchvision's 2-D ones.
            _naming("torchvision", module, residual_modules(module, TORCHVISION)),
        ]
    return []


def _naming(
    source: str, module: nn.Module, modules: Mapping[str, str], blue_first: str = ""
) -> Naming:
    names = {}
    for tensor in module.state_dict():
        layer, _, kind = tensor.rpartition(".")
        names[tensor] = f"{modules[layer]}.{kind}"
    return Naming(source, names, blue_first)
