"""Names of BN-Inception's layers in PyTorch conversions of the Caffe release.

As in Cadene/pretrained-models.pytorch (models/bninception.py) and yjxiong/tsn-pytorch,
whose files have normalisations of (1, C) values.
"""

from __future__ import annotations

from torch import nn

from posemill.models.backbones.bn_inception import BnInception

FIRST_LAYER = "early.conv1_7x7_s2.conv.weight"
"""Caffe's pictures are blue, green, red."""
_PARTS = ("early", "late")
_KINDS = {"conv": "", "norm": "_bn"}


def caffe_modules(network: BnInception) -> dict[str, str]:
    """The published name of every layer with weights, by its own name."""
    modules = {}
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d | nn.BatchNorm2d):
            *places, kind = name.split(".")
            published = [place for place in places if place not in _PARTS]
            modules[name] = "_".join(published) + _KINDS[kind]
    return modules
