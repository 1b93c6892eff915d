"""Engines by name; each adapter is imported only when it is asked for."""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import cast

from posemill.errors import InputError
from posemill.pipelines.engines.base import Engine, EngineOptions

ENGINES = MappingProxyType(
    {
        "local": "posemill.pipelines.engines.local:LocalEngine",
        "beam": "posemill.pipelines.engines.beam:BeamEngine",
        "ray": "posemill.pipelines.engines.ray:RayEngine",
    }
)


def create_engine(name: str, options: EngineOptions) -> Engine:
    """The engine called `name`, which nothing has been started of.

    Raises:
        InputError: no engine has that name, or it does not know one of its parameters.
        MissingDependency: its package is not installed.
    """
    if name not in ENGINES:
        raise InputError(f"no engine is called {name!r}; there is: {', '.join(ENGINES)}")
    module, _, attribute = ENGINES[name].partition(":")
    return cast(Engine, getattr(import_module(module), attribute)(options))
