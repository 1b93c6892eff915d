"""Published weights into a network's backbone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from posemill.errors import InputError
from posemill.models.backbones.published.naming import Naming, namings
from posemill.models.backbones.published.report import Report, shown

_CLASSIFIERS = ("cls_head.", "fc.", "fc_action.", "last_linear.", "logits.", "new_fc.")
_COUNTER = "num_batches_tracked"
_REMEDY = (
    "give weights of the network's own backbone, of the published width, or choose the "
    "backbone that they are of"
)


def fitting_published(
    network: nn.Module, state: Mapping[str, Tensor], origin: str
) -> tuple[dict[str, Tensor], Report]:
    """The weights of a file for the backbone in `network`, which may be one without memory.

    Filters over pictures become filters over time as Carreira and Zisserman (CVPR 2017,
    section 2.4.1) make them: the same at each of n times, divided by n, so that a video
    of one picture gives the picture's features.

    Args:
        network: a backbone of this package, or a network with one.
        state: as of `read_published`.
        origin: where they are from, in messages.

    Returns:
        tensors by the network's own names, and what became of the file's.

    Raises:
        InputError: weights of another architecture, or a network without such a backbone.
    """
    place, backbone = _backbone(network, origin)
    fits = [_fit(backbone, naming, state) for naming in namings(backbone)]
    best = max(fits, key=lambda fit: len(fit.tensors))
    if best.missing or best.other:
        raise InputError(_refusal(best, origin))
    report = Report(
        origin=origin,
        source=best.naming.source,
        fitted=tuple(best.naming.names[name] for name in best.tensors),
        inflated=best.inflated,
        left_out=tuple(sorted(name for name in state if name.startswith(_CLASSIFIERS))),
        kept=best.counters,
    )
    prefix = f"{place}." if place else ""
    return {prefix + name: tensor for name, tensor in best.tensors.items()}, report


@dataclass(frozen=True, slots=True)
class _Fit:
    """A file's tensors in one naming."""

    naming: Naming
    tensors: dict[str, Tensor]
    """As the backbone takes them, by its own names."""
    inflated: tuple[str, ...]
    missing: tuple[str, ...]
    """Not in the file, or of another shape, as the file would name them."""
    counters: tuple[str, ...]
    """Of batches, which are not in the file and change nothing."""
    other: tuple[str, ...]
    """In the file, and neither of the backbone nor of a classifier."""


def _backbone(network: nn.Module, origin: str) -> tuple[str, nn.Module]:
    """The one module of `network` whose weights are published, and where it is."""
    found = [(name, module) for name, module in network.named_modules() if namings(module)]
    if len(found) != 1:
        raise InputError(
            f"{origin}: holds published weights, for a network with one backbone that such "
            f"weights are known of, and this one has {len(found) or 'none'}; give the last.pt "
            "or best.pt of a run"
        )
    return found[0]


def _fit(backbone: nn.Module, naming: Naming, state: Mapping[str, Tensor]) -> _Fit:
    tensors: dict[str, Tensor] = {}
    inflated: list[str] = []
    missing: list[str] = []
    counters: list[str] = []
    for own, tensor in backbone.state_dict().items():
        name = naming.names[own]
        if name not in state:
            (counters if own.endswith(_COUNTER) else missing).append(name)
            continue
        fitting = _as_shaped(state[name], tensor.shape)
        if fitting is None:
            missing.append(f"{name} {tuple(state[name].shape)} for {tuple(tensor.shape)}")
            continue
        tensors[own] = fitting.flip(1) if own == naming.blue_first else fitting
        if fitting.ndim == state[name].ndim + 1:
            inflated.append(name)
    used = set(naming.names.values())
    other = [name for name in state if name not in used and not name.startswith(_CLASSIFIERS)]
    lists = (inflated, missing, counters, sorted(other))
    return _Fit(naming, tensors, *(tuple(names) for names in lists))


def _as_shaped(tensor: Tensor, shape: tuple[int, ...]) -> Tensor | None:
    """A file's tensor in a backbone's shape; None where it cannot be."""
    if tensor.shape == shape:
        return tensor
    if len(shape) == 5 and tensor.shape == shape[:2] + shape[3:]:
        return tensor.unsqueeze(2).expand(shape) / shape[2]
    if tensor.shape == (1, *shape):
        return tensor[0]
    return None


def _refusal(fit: _Fit, origin: str) -> str:
    without = f"; missing or of another shape: {shown(fit.missing)}" if fit.missing else ""
    beside = f"; in the file and not in the backbone: {shown(fit.other)}" if fit.other else ""
    return (
        f"{origin}: are weights of another architecture: {len(fit.tensors)} tensors fit of the "
        f"{len(fit.naming.names) - len(fit.counters)} that the backbone has, by the names of "
        f"{fit.naming.source}{without}{beside}; {_REMEDY}"
    )
