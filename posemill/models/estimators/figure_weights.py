"""Reads and writes the `figure` network's weights: plain arrays in an .npz, never a pickle."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from posemill.errors import WeightsUnavailable
from posemill.models.estimators.figure_net import FigureNet

PACKAGED_WEIGHTS = Path(__file__).parent / "packaged" / "figure.npz"

_COUNTER = "num_batches_tracked"


def save_weights(state: Mapping[str, Tensor], path: Path) -> None:
    """Write a state dict: convolutions as float16, everything else as float32."""
    arrays = {
        name: value.detach().float().numpy().astype(np.float16 if value.ndim > 1 else np.float32)
        for name, value in state.items()
        if not name.endswith(_COUNTER)
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    with partial.open("wb") as stream:
        np.savez(stream, **arrays)  # type: ignore[arg-type]
    os.replace(partial, path)  # noqa: PTH105


def _line(error: Exception) -> str:
    """The first line that says something: torch lists every array that does not fit."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


def _counters(net: FigureNet) -> dict[str, Tensor]:
    """Batch counters of the normalisations: needed by torch, of no use to inference."""
    return {name: value for name, value in net.named_buffers() if name.endswith(_COUNTER)}


def load_network(path: Path) -> tuple[FigureNet, str]:
    """The network with the weights of `path`, ready for inference, and the file's sha256.

    Raises:
        WeightsUnavailable: no such file, or not weights of this network.
    """
    if not path.is_file():
        raise WeightsUnavailable(
            f"the weights of figure are not at {path}; give a file with --weights, "
            "or train them: python scripts/train_figure.py"
        )
    net = FigureNet()
    try:
        with np.load(path, allow_pickle=False) as arrays:
            state = {name: torch.from_numpy(arrays[name].astype(np.float32)) for name in arrays}
        net.load_state_dict(_counters(net) | state)
    except (ValueError, OSError, RuntimeError, zipfile.BadZipFile, AttributeError) as error:
        raise WeightsUnavailable(
            f"{path} does not hold weights of figure ({_line(error)}); give an .npz "
            "written by scripts/train_figure.py"
        ) from error
    return net.eval().requires_grad_(False), hashlib.sha256(path.read_bytes()).hexdigest()
