"""PA3D: temporal pose convolutions over pose maps in temporal order, then a 2-D network.

Yan et al., "PA3D: Pose-Action 3D Machine for Video Recognition", CVPR 2019,
sections 3.2 and 3.3. Duan et al., "Revisiting Skeleton-based Action
Recognition", CVPR 2022, table 10, count 4.81 M parameters and 0.65 G
multiply-accumulates on 56 x 56 pixels, which 17 joints with N = M = 6 have here.

What the paper leaves open: M is N; a filter has no bias; the dropout of its table
1 is .5, there alone; the local type is one filter of three weights at every start,
whose T - 2 maps are as many as the N = 6 of the others for its T = 8 (section 4.1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from posemill.errors import InputError
from posemill.models.backbones.action_cnn import MIN_SIZE_PX, action_trunk
from posemill.models.base import LOGITS, Model, PoseNetwork, ViewShapes, require_size, view_shape
from posemill.schema import Int64
from posemill.settings import option, setting
from posemill.transforms.tempposeconv import dilated_index, global_index, local_index

Temporal = Literal[
    "global",
    "local",
    "dilated",
    "global+local",
    "global+dilated",
    "global+dilated+local",
]
"""The types of table 3; those joined by + run side by side."""

MODALITIES = (
    "joints",
    "parts",
    "features",
    "joint_differences",
    "part_differences",
    "feature_differences",
)
"""J, P, F and the differences of each, as recipes name their cubes (T, C, H, W)."""

_LOCAL_WIDTH = 3


@dataclass(frozen=True)
class Pa3dModel(Model):
    """PA3D: one network a modality, whose scores are fused; or one over several.

    With fusion=scores a view has one of `MODALITIES`, and what is trained on each
    is fused afterwards (the union of table 5). With fusion=channels a view has
    several of the same clip, frames, crop and flip; each gets convolutions of its
    own, and one network reads all their maps (the paper's circled plus).
    """

    name: ClassVar[str] = "pa3d"
    recipes: ClassVar[tuple[str, ...]] = (
        "tempposeconv-j",
        "tempposeconv-p",
        "tempposeconv-f",
        "tempposeconv-jdiff",
        "tempposeconv-pdiff",
        "tempposeconv-fdiff",
    )

    temporal: Temporal = setting("global+dilated", "types of temporal pose convolution")
    outputs: int = setting(6, "N, global maps of each channel", low=1, high=256)
    dilated_outputs: int = setting(0, "M, dilated maps of each channel; 0: N", low=0, high=256)
    dilation: int = setting(2, "d, frames from one to the next of a dilated one", low=2, high=64)
    local_outputs: int = setting(
        1, "local filters, each of which makes T - 2 maps of each channel", low=1, high=256
    )
    fusion: Literal["scores", "channels"] = setting("scores", "one modality, or several stacked")
    width: int = setting(128, "channels of the first block", low=1, high=1024)
    dropout: float = setting(0.5, "before the classifier", low=0.0, high=0.95)

    def network(self, shapes: ViewShapes, num_classes: int) -> Pa3dNetwork:
        cubes = {name: self._cube(shapes, name) for name in self._modalities(shapes)}
        self._require_one_size(cubes)
        convolutions = {
            name: TemporalPoseConvolutions(self._filters(length))
            for name, (length, _, _, _) in cubes.items()
        }
        in_channels = sum(
            channels * convolutions[name].maps for name, (_, channels, _, _) in cubes.items()
        )
        return Pa3dNetwork(convolutions, in_channels, num_classes, self.width, self.dropout)

    def _require_one_size(self, cubes: Mapping[str, tuple[int, int, int, int]]) -> None:
        sizes = sorted({(height, width) for _, _, height, width in cubes.values()})
        if len(sizes) > 1:
            raise InputError(
                f"the model {self.name} stacks maps of one size, and {', '.join(cubes)} are of "
                f"{' and '.join(f'{height} x {width} px' for height, width in sizes)}; render "
                "them on equal canvases, and crop them alike"
            )

    def _modalities(self, shapes: ViewShapes) -> list[str]:
        """Names of the cubes that the network reads, in the order of `MODALITIES`."""
        found = [name for name in MODALITIES if name in shapes]
        if self.fusion == "scores" and len(found) > 1:
            raise InputError(
                f"a view has {' and '.join(found)}: train the model {self.name} on each and fuse "
                f"their scores, or stack them by --set {option(self, 'fusion')}=channels"
            )
        if self.fusion == "channels" and len(found) < 2:
            raise InputError(
                f"the model {self.name} with fusion=channels stacks two modalities or more of "
                f"{', '.join(MODALITIES)}, and a view has {', '.join(shapes)}; render several with "
                f"--recipe A,B, or join stores by --with, or leave out {option(self, 'fusion')}"
            )
        return found or list(MODALITIES[:1])  # what is missing is told where it is read

    def _cube(self, shapes: ViewShapes, name: str) -> tuple[int, int, int, int]:
        """T, C, H and W."""
        length, channels, *size_hw = view_shape(self, shapes, name, ("time", "channel", "y", "x"))
        require_size(self, (size_hw[0], size_hw[1]), MIN_SIZE_PX)
        if "local" in self.temporal and length < _LOCAL_WIDTH:
            raise InputError(
                f"the model {self.name} with temporal={self.temporal} needs {_LOCAL_WIDTH} frames "
                f"or more, and {name} have {length}; use features of a greater length, or set "
                f"{option(self, 'temporal')}=global+dilated"
            )
        return length, channels, size_hw[0], size_hw[1]

    def _filters(self, length: int) -> list[tuple[int, Int64]]:
        """How many filters see which frames, of the types that `temporal` names."""
        dilated_outputs = self.dilated_outputs or self.outputs
        makers = {
            "global": lambda: (self.outputs, global_index(length)),
            "dilated": lambda: (dilated_outputs, dilated_index(length, self.dilation)),
            "local": lambda: (self.local_outputs, local_index(length, _LOCAL_WIDTH)),
        }
        return [makers[kind]() for kind in self.temporal.split("+")]


class TemporalPoseConvolution(nn.Module):
    """Filters over time at one pixel, shared by all channels (equations 1 and 2).

    Theta of `global_index`, Phi of `dilated_index`; slid along `local_index`.
    """

    index: Tensor

    def __init__(self, outputs: int, index: Int64) -> None:
        super().__init__()
        self.starts, length = index.shape
        self.register_buffer("index", torch.from_numpy(index.reshape(-1)), persistent=False)
        self.weight = nn.Parameter(torch.empty(outputs, length))
        nn.init.xavier_uniform_(self.weight)

    def forward(self, cube: Tensor) -> Tensor:
        """Maps (B, starts N, C, H, W) of a cube (B, T, C, H, W)."""
        batch, _, *map_sizes = cube.shape
        frames = cube.flatten(2).index_select(1, self.index)  # (B, starts L, C H W)
        windows = frames.view(batch, self.starts, -1, frames.shape[2])
        maps = torch.einsum("nl,bslp->bsnp", self.weight, windows)
        return maps.reshape(batch, -1, *map_sizes)


class TemporalPoseConvolutions(nn.ModuleList):
    """Convolutions of several types side by side, their maps stacked."""

    def __init__(self, filters: list[tuple[int, Int64]]) -> None:
        super().__init__(TemporalPoseConvolution(*each) for each in filters)
        self.maps = sum(outputs * len(index) for outputs, index in filters)
        """Of each channel: N + M + ..., the paper's R over C."""

    def forward(self, cube: Tensor) -> Tensor:
        """Maps (B, R, H, W) of a cube (B, T, C, H, W)."""
        return torch.cat([convolution(cube).flatten(1, 2) for convolution in self], dim=1)


class Pa3dNetwork(PoseNetwork):
    """Temporal pose convolutions of each modality, PoTion's trunk, an average, a classifier."""

    def __init__(
        self,
        convolutions: Mapping[str, TemporalPoseConvolutions],
        in_channels: int,
        num_classes: int,
        width: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.convolutions = nn.ModuleDict(convolutions)
        self.features = action_trunk(in_channels, width, dropout=0.0)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(4 * width, num_classes)
        nn.init.xavier_uniform_(self.classifier.weight)
        nn.init.zeros_(self.classifier.bias)

    def forward(self, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Logits of cubes (B, T, C, H, W)."""
        encoded = [encode(values[name]) for name, encode in self.convolutions.items()]
        maps: Tensor = self.features(torch.cat(encoded, dim=1))  # (B, 4 width, H/8, W/8)
        return {LOGITS: self.classifier(self.dropout(maps.mean(dim=(2, 3))))}
