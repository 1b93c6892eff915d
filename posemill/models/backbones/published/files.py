"""Files of published weights: PyTorch's, of which nothing is run, and safetensors."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from posemill.errors import InputError, MissingDependency, StoreCorrupted
from posemill.models.checkpoints import read_plain

_WRAPPERS = ("module.", "backbone.", "base_model.")
"""What training code puts before the names of a backbone's tensors."""
_INSIDE = "state_dict"
_HEADER_AT = 8
"""safetensors begins with the length of its header, then the header, which is JSON."""


def read_published(content: bytes, origin: str) -> dict[str, Tensor]:
    """The tensors of a file, on the CPU, by their names without wrappers.

    Raises:
        MissingDependency: it is a safetensors file, and that package is not installed.
        StoreCorrupted: it is no file of tensors and plain values.
        InputError: it has other things than tensors where the weights should be.
    """
    if content[_HEADER_AT : _HEADER_AT + 1] == b"{":
        return tensors_of(_read_safetensors(content, origin), origin)
    return tensors_of(read_plain(content, origin), origin)


def tensors_of(saved: object, origin: str) -> dict[str, Tensor]:
    """The weights in what a file holds: they themselves, or the `state_dict` in it.

    Raises:
        InputError: there are none.
    """
    state = saved.get(_INSIDE, saved) if isinstance(saved, Mapping) else saved
    if not isinstance(state, Mapping) or not state:
        raise InputError(
            f"{origin}: has no weights: expected tensors by name, or a {_INSIDE} of them, got "
            f"{type(saved).__name__}; save the network's state_dict() into a file"
        )
    strange = [str(name) for name, each in state.items() if not isinstance(each, Tensor)]
    if strange:
        raise InputError(
            f"{origin}: has other things than tensors among its weights, as {strange[0]}; "
            "save the network's state_dict() into a file"
        )
    return {_bare(str(name)): tensor for name, tensor in state.items()}


def _bare(name: str) -> str:
    while wrapper := next((each for each in _WRAPPERS if name.startswith(each)), ""):
        name = name.removeprefix(wrapper)
    return name


def _read_safetensors(content: bytes, origin: str) -> dict[str, Tensor]:
    try:
        import safetensors.torch
    except ImportError as error:
        raise MissingDependency(
            "safetensors", "torch", f"reading {origin}", install="pip install safetensors"
        ) from error
    try:
        tensors: dict[str, Tensor] = safetensors.torch.load(content)
    except safetensors.SafetensorError as error:
        raise StoreCorrupted(
            f"{origin}: {len(content)} bytes that cannot be read as safetensors ({error}): cut "
            "off, perhaps; fetch the file again"
        ) from error
    return tensors
