"""A thin wrapper around the LiteRT interpreter."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import version

import numpy as np

from posemill.errors import MissingDependency
from posemill.schema import Float32

PACKAGE = "ai-edge-litert"


def litert_version() -> str:
    """The installed version of the runtime, e.g. `2.3.0`."""
    return version(PACKAGE)


def sigmoid(logits: Float32) -> Float32:
    """1 / (1 + exp(-x)), without overflow."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logits, -80.0, 80.0))), np.float32)


class Network:
    """A tflite network with one input and outputs told apart by their shape.

    Raises:
        MissingDependency: the runtime is not installed.
        KeyError: the network lacks an output of a wanted shape.
    """

    def __init__(self, content: bytes, threads: int, outputs: tuple[tuple[int, ...], ...]) -> None:
        try:
            litert = import_module("ai_edge_litert.interpreter")
        except ImportError as error:
            raise MissingDependency(PACKAGE, "blazepose", "the estimator blazepose") from error
        with _quiet_stderr():
            self._interpreter = litert.Interpreter(model_content=content, num_threads=threads)
            self._interpreter.allocate_tensors()
        self._input: int = self._interpreter.get_input_details()[0]["index"]
        by_shape = {
            tuple(int(size) for size in entry["shape"]): int(entry["index"])
            for entry in self._interpreter.get_output_details()
        }
        self._outputs = [by_shape[shape] for shape in outputs]

    def __call__(self, batch: Float32) -> list[Float32]:
        """The wanted outputs, copied, for an input of the network's shape."""
        self._interpreter.set_tensor(self._input, batch)
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index) for index in self._outputs]


@contextlib.contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Drop the `INFO:` lines that the runtime writes, past Python, as it starts.

    Its C++ part knows no switch for them. Everything else that reaches the
    file descriptor meanwhile is passed on.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as caught:
        os.dup2(caught.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            caught.seek(0)
            for line in caught:
                if not line.startswith(b"INFO:"):
                    os.write(2, line)
