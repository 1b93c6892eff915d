"""Imports torchvision beside a torch that its compiled operators do not fit.

A registry's torchvision is compiled for that registry's CUDA torch. Beside a
CPU-only torch its library of operators is not loaded, and then its import fails:
it adds to operators that nobody has declared. Networks that use none of them
work once they are declared.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from posemill.errors import InputError, MissingDependency

_OPERATORS = ("nms", "qnms")
_SIGNATURE = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


@cache
def import_torchvision(purpose: str, install: str) -> ModuleType:
    """The package torchvision; where its operators are not loaded, they can be named, not called.

    Args:
        purpose: what needs it, for the message.
        install: the command that installs it.

    Raises:
        MissingDependency: torchvision is not installed.
        InputError: it does not fit the torch that is installed.
    """
    if find_spec("torchvision") is None:
        raise MissingDependency("torchvision", "torchvision", purpose, install=install)
    try:
        return import_module("torchvision")
    except RuntimeError as error:
        if f"torchvision::{_OPERATORS[0]} does not exist" not in str(error):
            raise _unfit(purpose, install, error) from error
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]
    _declare_operators()
    try:
        return import_module("torchvision")
    except RuntimeError as error:
        raise _unfit(purpose, install, error) from error


@cache
def _declare_operators() -> object:
    """What is returned keeps the declarations alive, and the cache keeps it."""
    import torch

    library: Any = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    for name in _OPERATORS:
        library.define(f"{name}{_SIGNATURE}")
    return library


def _unfit(purpose: str, install: str, error: Exception) -> InputError:
    return InputError(
        f"{purpose} needs a torchvision that fits torch {version('torch')}, got torchvision "
        f"{version('torchvision')}, whose import fails: {error}; install the one that fits with: "
        f"{install}"
    )
