"""Imports openpifpaf, whose last release is older than the libraries beside it.

openpifpaf is AGPL-3.0, optional, and imported only when asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from posemill.errors import MissingDependency
from posemill.models.estimators.torchvision_import import import_torchvision

PURPOSE = "the estimator 'openpifpaf'"
INSTALL = "make install-openpifpaf (docs/openpifpaf.md says what it does)"


@cache
def import_openpifpaf() -> ModuleType:
    """The package openpifpaf, with its networks; takes seconds.

    Raises:
        MissingDependency: it, or torchvision, is not installed.
        InputError: torchvision does not fit torch.
    """
    installed_folder()
    import_torchvision(PURPOSE, INSTALL)
    with _matplotlib_with_get_cmap():
        module = import_module("openpifpaf")
    load_operators()
    return module


@cache
def load_operators() -> None:
    """Load openpifpaf's compiled decoder alone, without its Python code.

    Raises:
        MissingDependency: openpifpaf is not installed.
    """
    import torch

    operators: Any = torch.ops
    operators.load_library(str(installed_folder() / "_cpp.so"))
    # It tells on stderr of every buffer that it makes.
    operators.openpifpaf.set_quiet(True)


def installed_folder() -> Path:
    """Where openpifpaf is, without importing it.

    Raises:
        MissingDependency: it is not installed.
    """
    spec = find_spec("openpifpaf")
    if spec is None or not spec.submodule_search_locations:
        raise MissingDependency("openpifpaf", "openpifpaf", PURPOSE, install=INSTALL)
    return Path(spec.submodule_search_locations[0])


@contextmanager
def _matplotlib_with_get_cmap() -> Iterator[None]:
    """openpifpaf's import calls `matplotlib.cm.get_cmap`, which matplotlib 3.9 took away."""
    maps: Any = import_module("matplotlib.cm") if find_spec("matplotlib") else None
    if maps is None or hasattr(maps, "get_cmap"):
        yield
        return
    maps.get_cmap = import_module("matplotlib").colormaps.get_cmap
    try:
        yield
    finally:
        del maps.get_cmap
