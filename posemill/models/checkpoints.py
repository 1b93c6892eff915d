"""A training state as bytes, tensors and numbers only, and weights from one to a network."""

from __future__ import annotations

import io
import pickle
import warnings
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from posemill.errors import InputError, StoreCorrupted

WEIGHTS = "network"
MODEL = "model"
_CLASSIFIER = "classifier."
_PICTURES_ALONE = "rgb"
"""The model whose networks are a backbone and a classifier."""
_REMEDY = "give the last.pt or best.pt of a run, or train again into another folder"


def dump_checkpoint(state: Mapping[str, Any]) -> bytes:
    """What `read_checkpoint` reads; `torch.load(..., weights_only=True)` does, too."""
    buffer = io.BytesIO()
    torch.save(dict(state), buffer)
    return buffer.getvalue()


def read_checkpoint(content: bytes, origin: str) -> dict[str, Any]:
    """The state of a checkpoint, on the CPU; runs no code of it.

    Raises:
        StoreCorrupted: the bytes are no checkpoint.
    """
    state = read_plain(content, origin)
    if not isinstance(state, dict) or MODEL not in state or not _are_weights(state.get(WEIGHTS)):
        raise StoreCorrupted(
            f"{origin}: is no checkpoint of a training run: expected a dictionary with "
            f"{MODEL} and the tensors of a {WEIGHTS}; {_REMEDY}"
        )
    return state


def read_plain(content: bytes, origin: str) -> Any:
    """What torch saved, of tensors and plain values; its own messages advise to run the rest."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of pickles that are not torch's, refused below
            return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise StoreCorrupted(
            f"{origin}: {len(content)} bytes that hold other things than tensors and plain "
            f"values, which might be code and are not read; {_REMEDY}"
        ) from error
    except Exception as error:  # whatever the reader meets, of many types
        raise StoreCorrupted(
            f"{origin}: {len(content)} bytes that cannot be read as a checkpoint "
            f"({type(error).__name__}): cut off, or no file of torch's; {_REMEDY}"
        ) from error


def _are_weights(weights: object) -> bool:
    return isinstance(weights, dict) and all(isinstance(each, Tensor) for each in weights.values())


def load_weights(network: nn.Module, state: Mapping[str, Any], origin: str) -> None:
    """Give `network` all weights of a checkpoint.

    Raises:
        InputError: it is of another network.
    """
    weights, own = state[WEIGHTS], network.state_dict()
    strange = _unlike(own, weights) + sorted(weights.keys() - own.keys())
    if strange:
        raise InputError(
            f"{origin}: is a checkpoint of another network: {len(strange)} tensors differ, as "
            f"{', '.join(strange[:3])}; it was trained as {state[MODEL]}"
        )
    network.load_state_dict(weights)


def fitting_weights(network: nn.Module, state: Mapping[str, Any], origin: str) -> dict[str, Tensor]:
    """The tensors of a checkpoint that fit `network`, which may be one without memory.

    A network that has a backbone of the model `rgb` takes that of a run of it, as VPN's paper
    trains it alone first (section 3.3).

    Raises:
        InputError: another tensor than of the classifier does not fit.
    """
    weights, own = state[WEIGHTS], network.state_dict()
    unlike = _unlike(own, weights)
    strange = [name for name in unlike if not name.startswith(_CLASSIFIER)]
    if strange and not _is_backbone_of(own, state):
        raise InputError(
            f"{origin}: is a checkpoint of another network: {len(strange)} tensors beside the "
            f"classifier's are missing or of another shape, as {strange[0]}; it was trained as "
            f"{state[MODEL]}; train the same model with the same settings"
        )
    return {name: weights[name] for name in own if name not in unlike}


def _is_backbone_of(own: Mapping[str, Tensor], state: Mapping[str, Any]) -> bool:
    """Whether a checkpoint is of pictures alone, by a backbone that a network has, too."""
    backbone = {n: each for n, each in state[WEIGHTS].items() if not n.startswith(_CLASSIFIER)}
    of_pictures = isinstance(state[MODEL], Mapping) and state[MODEL].get("name") == _PICTURES_ALONE
    return of_pictures and not _unlike(backbone, own)


def _unlike(own: Mapping[str, Tensor], weights: Mapping[str, Tensor]) -> list[str]:
    """Names of a network's tensors that a checkpoint lacks or has in another shape."""
    return [
        name
        for name, tensor in own.items()
        if name not in weights or weights[name].shape != tensor.shape
    ]
