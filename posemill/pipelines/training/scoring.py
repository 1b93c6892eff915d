"""A network's answers for clips, each seen in one view or in several."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from posemill.errors import InputError
from posemill.models.base import ATTENTION, LOGITS, Consensus
from posemill.pipelines.data import Batch, Loader, dequantise
from posemill.schema import Float32
from posemill.transforms.outputs import OutputSpec

_VIEWS_AT_ONCE = 64
"""Of a batch that go through the network together, for a bound on memory."""


@dataclass(frozen=True, slots=True)
class Scores:
    """What a network answers for N clips, in the order of the data set."""

    logits: Float32  # (N, M), means over views
    probabilities: Float32  # (N, M), means over views, or their greatest
    empty: npt.NDArray[np.bool_]  # (N,) the clip's arrays are all 0
    num_views: int
    attention: Mapping[str, Float32] = field(default_factory=dict)
    """(N, V, ...) of every view, by names without `ATTENTION`; where they were asked for."""


def score_clips(
    network: nn.Module,
    loader: Loader,
    specs: Sequence[OutputSpec],
    device: torch.device,
    *,
    multi_label: bool,
    consensus: Consensus = "mean",
    attention: bool = False,
) -> Scores:
    """Logits and probabilities of each clip, over its views; leaves `network` in eval mode.

    Probabilities are of the softmax, or each class's own sigmoid with `multi_label`. By the
    consensus "max" (VPN, section 4.1) each class has its greatest of all views; those of one
    label are then scaled to a sum of 1. With `attention` the weights are kept by which the
    network looks, if it tells any.

    Raises:
        InputError: answers that are not finite, of a training that diverged.
    """
    network.eval()
    logits, probabilities, empty, num_views = [], [], [], 1
    looks: list[dict[str, Tensor]] = []
    with torch.inference_mode():
        for batch in loader:
            num_views = next(iter(batch.arrays.values())).shape[1]
            outputs = _view_outputs(network, batch, specs, device, attention=attention)
            each = outputs.pop(LOGITS)  # (B, V, M)
            looks.append(outputs)
            shares = each.sigmoid() if multi_label else each.softmax(dim=2)
            logits.append(each.mean(dim=1).cpu())
            probabilities.append(_joined(shares, consensus, multi_label=multi_label).cpu())
            empty.append(batch.empty)
    _require_finite(torch.cat(logits))
    return Scores(
        logits=torch.cat(logits).numpy(),
        probabilities=torch.cat(probabilities).numpy(),
        empty=torch.cat(empty).numpy(),
        num_views=num_views,
        attention={
            name.removeprefix(ATTENTION): torch.cat([look[name] for look in looks]).numpy()
            for name in looks[0]
        },
    )


def _joined(shares: Tensor, consensus: Consensus, *, multi_label: bool) -> Tensor:
    """(B, M) of probabilities (B, V, M) of views."""
    if consensus == "mean":
        return shares.mean(dim=1)
    greatest = shares.amax(dim=1)
    return greatest if multi_label else greatest / greatest.sum(dim=1, keepdim=True)


def _require_finite(logits: Tensor) -> None:
    lacking = int((~logits.isfinite().all(dim=1)).sum())
    if lacking:
        raise InputError(
            f"the network's answers for {lacking} of {len(logits)} clips are not finite: training "
            "diverged; train again at a lower --set optimizer.learning_rate, into another folder"
        )


def _view_outputs(
    network: nn.Module,
    batch: Batch,
    specs: Sequence[OutputSpec],
    device: torch.device,
    *,
    attention: bool,
) -> dict[str, Tensor]:
    """Logits (B, V, M) and, on the CPU, weights (B, V, ...), float32, of arrays (B, V, ...)."""
    flat = {name: array.flatten(0, 1) for name, array in batch.arrays.items()}
    num_clips, num_views = next(iter(batch.arrays.values())).shape[:2]
    parts: dict[str, list[Tensor]] = defaultdict(list)
    for first in range(0, num_clips * num_views, _VIEWS_AT_ONCE):
        some = {name: array[first : first + _VIEWS_AT_ONCE] for name, array in flat.items()}
        for name, values in network(dequantise(some, specs, device)).items():
            if name == LOGITS:
                parts[name].append(values.float())
            elif attention and name.startswith(ATTENTION):
                parts[name].append(values.float().cpu())
    return {
        name: torch.cat(values).reshape(num_clips, num_views, *values[0].shape[1:])
        for name, values in parts.items()
    }
