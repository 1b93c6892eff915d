"""Two trained models, one of pictures and one of poses, as one that gives the answers of both.

Duan et al., PoseConv3D, CVPR 2022, section 4.3, begin with models trained apart; the
published code appends zeros for the channels that a pathway is told, so that nothing
changes until training gives them weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import pad

from posemill.errors import InputError
from posemill.models.rgbpose.network import RgbPoseNetwork

Weights = Mapping[str, Tensor]
RGB_BACKBONE = "features.trunk."
"""Begins the names of the backbone's tensors in a state of the model rgb."""
POSE_BACKBONE = "features."
"""And in one of the model poseconv3d."""


@dataclass(frozen=True, slots=True)
class MergeReport:
    """What became of the tensors of a merged network."""

    num_taken: int
    """As the two models have them."""
    padded: tuple[str, ...]
    """Names of those with zeros appended, for what the other pathway tells."""
    new: tuple[str, ...]
    """Names of the lateral connections' own, left as they were drawn."""


def merge_pretrained(network: RgbPoseNetwork, rgb: Weights, pose: Weights) -> MergeReport:
    """Give both pathways and classifiers of `network` what two models have learnt.

    In evaluation it then answers as both: `RGB_LOGITS` are those of the model of
    pictures, `POSE_LOGITS` those of the model of poses with all frames kept by its
    last stage, which halves time there, with the same weights.

    Args:
        rgb: a state of the model rgb with the backbone slowonly-r50.
        pose: a state of the model poseconv3d with the backbone slowonly.

    Raises:
        InputError: weights of another architecture, width, depth or number of classes.
    """
    given = _renamed(rgb, "rgb", RGB_BACKBONE) | _renamed(pose, "pose", POSE_BACKBONE)
    own, told = network.state_dict(), network.told_inputs
    new = tuple(name for name in own if name.startswith("laterals."))
    expected = {name: tensor for name, tensor in own.items() if name not in new}
    _require_fit(expected, given, told)
    padded = {name: _padded(given[name], more) for name, more in told.items()}
    network.load_state_dict({**given, **padded}, strict=False)
    return MergeReport(len(given) - len(padded), tuple(padded), new)


def _renamed(weights: Weights, pathway: str, backbone: str) -> dict[str, Tensor]:
    """A model's tensors by the names that they have in a pathway; others keep theirs."""
    parts = {backbone: f"{pathway}.", "classifier.": f"classifier.{pathway}."}
    renamed = {}
    for name, tensor in weights.items():
        start = next((part for part in parts if name.startswith(part)), "")
        renamed[parts.get(start, "") + name.removeprefix(start)] = tensor
    return renamed


def _require_fit(expected: Weights, given: Weights, told: Mapping[str, int]) -> None:
    strange = [
        f"{name} ({_size(given, name)}, expected {_size(expected, name)})"
        for name in sorted(expected.keys() | given.keys())
        if not _fits(expected.get(name), given.get(name), told.get(name, 0))
    ]
    if strange:
        raise InputError(
            f"these models do not make one of the model rgbpose: {len(strange)} tensors differ, "
            f"as {strange[0]}; merge a model rgb with the backbone slowonly-r50 and a model "
            "poseconv3d with the backbone slowonly, of as many classes, and give rgbpose their "
            "widths and blocks"
        )


def _fits(expected: Tensor | None, given: Tensor | None, more: int) -> bool:
    """Whether a tensor is as expected once it has `more` input channels."""
    if expected is None or given is None or given.ndim != expected.ndim:
        return False
    grown = list(given.shape)
    if more:
        grown[1] += more
    return list(expected.shape) == grown


def _size(weights: Weights, name: str) -> str:
    return " x ".join(map(str, weights[name].shape)) or "1" if name in weights else "none"


def _padded(weight: Tensor, more: int) -> Tensor:
    """A weight (out, in, t, y, x) with zeros for `more` input channels."""
    return pad(weight, (0, 0, 0, 0, 0, 0, 0, more))
