"""What reads the poses: graph convolutions and a small 2-D network, or the ablation's LSTM.

Both give h* (B, `POSE_FEATURES`), and by name what there is to look at.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from posemill.models.base import ATTENTION
from posemill.models.vpn.graph import GraphConvolutions

JOINTS = ATTENTION + "joints"
"""(B, K, t_p): how strongly a joint's graph convolution answers in a pose (figure 5a)."""
POSE_FEATURES = 128
"""Of h*."""
POOLED = 4
"""Positions along poses, and along joints, of which pooling leaves one."""
_GRAPH_FEATURES = 64
_CHANNELS = (64, 64, 128)
_HIDDEN = 256
_LSTM_LAYERS = 3


class GcnPoseBackbone(nn.Module):
    """Graph convolutions, the joints beside them, three convolutions over poses and joints.

    That the joints stand beside the graph convolutions' features (3 + 64 channels), where
    the paper speaks of a residual connection, what follows the convolutions, and their
    kernels of 3 x 3, are the published code's: a maximum over 2 x 2 after the second and
    after the third, a dropout, and layers of 256 and 128 features. Without the maxima 20
    poses of 25 joints give the first of these 16.4 M weights, more than I3D has; with them
    it has .98 M.

    Args:
        adjacency: (K, K), normalised.
        num_poses: t_p.
        pooling: whether the maxima are taken; K and t_p must then be `POOLED` or more.
        dropout: after the convolutions.
    """

    def __init__(self, adjacency: Tensor, num_poses: int, *, pooling: bool, dropout: float) -> None:
        super().__init__()
        first, second, third = _CHANNELS
        pool = nn.MaxPool2d(2) if pooling else nn.Identity()
        self.graphs = GraphConvolutions(adjacency, num_poses, _GRAPH_FEATURES)
        self.convolutions = nn.Sequential(
            *_convolution(_GRAPH_FEATURES + 3, first),
            *_convolution(first, second),
            pool,
            *_convolution(second, third),
            pool,
            nn.Dropout(dropout),
        )
        shrunk = POOLED if pooling else 1
        positions = (num_poses // shrunk) * (len(adjacency) // shrunk)
        self.gather = nn.Sequential(
            *_gathering(third * positions, _HIDDEN), *_gathering(_HIDDEN, POSE_FEATURES)
        )

    def forward(self, poses: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """h* (B, 128), and `JOINTS`, of poses (B, 3, K, t_p)."""
        graphs: Tensor = self.graphs(poses)  # (B, 64, t_p, K)
        beside = torch.cat([graphs, poses.transpose(2, 3)], dim=1)  # (B, 67, t_p, K)
        maps: Tensor = self.convolutions(beside)  # (B, 128, t_p / 4, K / 4)
        activation = graphs.detach().abs().mean(dim=1).transpose(1, 2)  # (B, K, t_p)
        return self.gather(maps.flatten(1)), {JOINTS: activation}


class LstmPoseBackbone(nn.Module):
    """Three stacked LSTMs, whose last output is h*, as the ablation takes them (table 2).

    The paper has them "following" separable STA (Das et al., Toyota Smarthome, ICCV
    2019), whose authors' code reads the last step of three; their sizes are not told:
    here they are those of the other backbone's h*. STA trains them alone first, and
    leaves them so; here they are trained with all else, as the other backbone is.
    """

    def __init__(self, num_joints: int) -> None:
        super().__init__()
        self.layers = nn.LSTM(3 * num_joints, POSE_FEATURES, _LSTM_LAYERS, batch_first=True)
        _begin_open(self.layers)

    def forward(self, poses: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """h* (B, 128) of poses (B, 3, K, t_p), and nothing to look at."""
        steps = poses.permute(0, 3, 2, 1).flatten(2)  # (B, t_p, K 3)
        outputs, _ = self.layers(steps)  # (B, t_p, 128)
        return outputs[:, -1], {}


def _begin_open(layers: nn.LSTM) -> None:
    """First weights as the authors' framework has them: torch's pass on a fifth as much."""
    for name, weight in layers.named_parameters():
        if name.startswith("weight_ih"):
            nn.init.xavier_uniform_(weight)
        elif name.startswith("weight_hh"):
            nn.init.orthogonal_(weight)
        else:
            nn.init.zeros_(weight)
        if name.startswith("bias_ih"):
            _, forget, *_ = weight.detach().chunk(4)  # gates in torch's order
            forget.fill_(1.0)


def _convolution(in_channels: int, out_channels: int) -> list[nn.Module]:
    layer = nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False)
    return [layer, nn.BatchNorm2d(out_channels), nn.ReLU(inplace=True)]


def _gathering(in_features: int, out_features: int) -> list[nn.Module]:
    """A layer whose first weights keep the size of values, as nothing normalises them."""
    layer = nn.Linear(in_features, out_features)
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    nn.init.zeros_(layer.bias)
    return [layer, nn.ReLU(inplace=True)]
