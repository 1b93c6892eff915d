"""What ONNX Runtime's errors mean."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from posemill.errors import DeviceOutOfMemory, EnvironmentFault, WeightsUnavailable

_OUT_OF_MEMORY = ("failed to allocate memory", "out of memory", "alloc_failed", "bad_alloc")
_GPU = ("cuda", "cudnn", "cublas")


@contextmanager
def runtime_failures(provider: str, loading: Path | None = None) -> Iterator[None]:
    """Raise ONNX Runtime's errors as ours; those of `loading` a file are the file's, unless
    they speak of the GPU.

    Raises:
        DeviceOutOfMemory: no memory for the batch.
        WeightsUnavailable: ONNX Runtime cannot load the file.
        EnvironmentFault: anything else.
    """
    try:
        yield
    except _runtime_errors() as error:
        line = str(error).strip().partition("\n")[0]
        if any(sign in str(error).lower() for sign in _OUT_OF_MEMORY):
            raise DeviceOutOfMemory(f"{provider} has no memory for the batch: {line}") from error
        if loading is not None and not any(sign in line.lower() for sign in _GPU):
            raise WeightsUnavailable(_unusable(loading, line)) from error
        raise EnvironmentFault(
            f"{provider} failed: {line}; see the device's log, and run the same command again"
        ) from error


def _runtime_errors() -> tuple[type[Exception], ...]:
    """They have no root of their own, and some are Python's."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    own = (kind for kind in vars(state).values() if isinstance(kind, type))
    return (RuntimeError, *(kind for kind in own if issubclass(kind, Exception)))


def _unusable(path: Path, line: str) -> str:
    where = "its weights lie in other files: put all into one, by onnx.save(onnx.load(PATH), NEW)"
    what = "expected one ONNX file, without operators of other libraries"
    advice = where if "external data" in line.lower() else what
    return f"{path} cannot be run by onnxruntime: {line}; {advice}"
