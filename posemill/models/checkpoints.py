"""A network's and its optimizer's state as bytes: tensors and numbers only, no code."""

from __future__ import annotations

import io

import torch
from torch import nn

from posemill.errors import StoreCorrupted


def dump_checkpoint(
    model: nn.Module, optimizer: torch.optim.Optimizer, num_epochs_done: int
) -> bytes:
    """What `load_checkpoint` reads; `torch.load(..., weights_only=True)` does, too."""
    buffer = io.BytesIO()
    state = {
        "epoch": num_epochs_done,
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
    }
    torch.save(state, buffer)
    return buffer.getvalue()


def load_checkpoint(
    content: bytes, model: nn.Module, optimizer: torch.optim.Optimizer | None = None
) -> int:
    """Bring `model`, and `optimizer` if given, to a checkpoint; returns its epochs done.

    Raises:
        StoreCorrupted: the bytes cannot be read, or are of another network.
    """
    try:
        state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        model.load_state_dict(state["model"])
        if optimizer is not None:
            optimizer.load_state_dict(state["optimizer"])
        return int(state["epoch"])
    except Exception as error:  # whatever the unpickler meets, of many types
        raise StoreCorrupted(
            f"a checkpoint of {len(content)} bytes cannot be read, or is of another network: "
            f"{error}; remove the run's folder and train again"
        ) from error
