"""What both Inception networks are made of: units, branches side by side, TensorFlow's padding."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


class SamePad(nn.Module):
    """Borders as TensorFlow's padding SAME has them: outputs are ceil(size / stride).

    An odd number of them leaves the greater half behind. PyTorch's own padding, equal
    on both sides, would shift strided layers by half a pixel from the published ones.
    """

    def __init__(self, kernel: Sequence[int], stride: Sequence[int], value: float = 0.0) -> None:
        super().__init__()
        self.kernel, self.stride, self.value = tuple(kernel), tuple(stride), value

    def forward(self, maps: Tensor) -> Tensor:
        sizes = maps.shape[-len(self.kernel) :]
        layers = zip(sizes, self.kernel, self.stride, strict=True)
        borders = [same_border(*layer) for layer in layers]
        # PyTorch takes the last dimension first.
        return functional.pad(maps, [n for ends in borders[::-1] for n in ends], value=self.value)


def same_border(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """What SAME puts before and behind `size` values along one dimension."""
    total = max((math.ceil(size / stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def same_max_pool(kernel: Sequence[int], stride: Sequence[int]) -> nn.Sequential:
    """The maximum of what is there: borders never win. Over 2 or 3 dimensions."""
    kinds: Mapping[int, type[nn.MaxPool2d] | type[nn.MaxPool3d]] = {
        2: nn.MaxPool2d,
        3: nn.MaxPool3d,
    }
    pool = kinds[len(kernel)](tuple(kernel), tuple(stride))
    return nn.Sequential(SamePad(kernel, stride, value=-math.inf), pool)


def unit(
    convolution: nn.Conv2d | nn.Conv3d, eps: float, *, pad: SamePad | None = None
) -> nn.Module:
    """A convolution, perhaps borders before it, its batch normalisation and ReLU."""
    nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
    if convolution.bias is not None:
        nn.init.zeros_(convolution.bias)
    kind = nn.BatchNorm2d if isinstance(convolution, nn.Conv2d) else nn.BatchNorm3d
    layers: dict[str, nn.Module] = {} if pad is None else {"pad": pad}
    layers["conv"] = convolution
    layers["norm"] = kind(convolution.out_channels, eps=eps)
    layers["relu"] = nn.ReLU(inplace=True)
    return nn.Sequential(OrderedDict(layers))


class Branches(nn.ModuleDict):
    """Branches over the same maps (B, C, ...), whose outputs become channels of one."""

    def __init__(self, *branches: Mapping[str, nn.Module]) -> None:
        super().__init__({name: layer for branch in branches for name, layer in branch.items()})
        self._branches = [tuple(branch) for branch in branches]

    def forward(self, maps: Tensor) -> Tensor:
        return self.watched(maps, "")[0]

    def watched(self, maps: Tensor, layer: str) -> tuple[Tensor, Tensor]:
        """The output, and that of the one layer called so; of no layer, `maps`."""
        outputs, seen = [], maps
        for branch in self._branches:
            output = maps
            for name in branch:
                output = self[name](output)
                seen = output if name == layer else seen
            outputs.append(output)
        return torch.cat(outputs, dim=1), seen


def scaled(channels: int, width: float) -> int:
    """Channels of a layer in a network `width` times as wide; at least one."""
    return max(round(channels * width), 1)
