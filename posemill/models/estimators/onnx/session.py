"""A network of an ONNX file, run by ONNX Runtime: where, and with how many threads. ONNX Runtime is
imported where it is asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from posemill.errors import InputError, MissingDependency, WeightsUnavailable
from posemill.models.estimators.onnx.failures import runtime_failures
from posemill.schema import Float32

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"

_FLOATS: Mapping[str, type[np.floating[Any]]] = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
}
_ONLY_FATAL = 4  # what fails is raised: no need to tell it on stderr, too


@dataclass(frozen=True, slots=True)
class Compute:
    """Where and how a network runs."""

    device: str
    """cpu, cuda or cuda:N."""
    threads: int
    reproducible: bool
    """Only kernels that give equal bits again, without TensorFloat-32."""


@dataclass(frozen=True, slots=True)
class PictureInput:
    """The network's input (batch, 3, height, width); None is a size that may be anything."""

    name: str
    dtype: type[np.floating[Any]]
    batch: int | None
    height: int | None
    width: int | None


class Network:
    """A loaded network; built by `load_network`."""

    def __init__(self, session: Any, picture: PictureInput, sha256: str, provider: str) -> None:
        self._session = session
        self.picture = picture
        self.sha256 = sha256
        self.provider = provider
        self.metadata: Mapping[str, str] = session.get_modelmeta().custom_metadata_map
        self.output_names: tuple[str, ...] = tuple(out.name for out in session.get_outputs())

    def run(self, pictures: Float32) -> list[Float32]:
        """Pictures (B, 3, H, W) of `picture.dtype` to the outputs.

        Raises:
            DeviceOutOfMemory: the device has no memory for the batch.
            EnvironmentFault: the device, or the network on these pictures, fails.
        """
        with runtime_failures(self.provider):
            outputs = self._session.run(None, {self.picture.name: pictures})
        return [np.asarray(output, np.float32) for output in outputs]


def load_network(path: Path, compute: Compute) -> Network:
    """The network of one ONNX file. What is hashed is what is run.

    Raises:
        MissingDependency: ONNX Runtime is not installed.
        InputError: the device is not there.
        WeightsUnavailable: no such file, no ONNX file, one whose weights lie in other
            files, with operators of others, or that takes no pictures.
    """
    if find_spec("onnxruntime") is None:
        raise MissingDependency("onnxruntime", "onnx", "an estimator that is an ONNX file")
    provider, provider_options = _provider(compute)
    content = _content(path)
    session = _session(path, content, compute, (provider, provider_options))
    if session.get_providers()[0] != provider:
        raise InputError(
            f"device {compute.device!r} cannot be used: onnxruntime has {provider} and could not "
            "start it; see that the CUDA and cuDNN it was built for are installed, or take "
            "--device cpu"
        )
    return Network(session, _picture(path, session), hashlib.sha256(content).hexdigest(), provider)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise WeightsUnavailable(
            f"the weights {path} cannot be read: {error.strerror}; expected an ONNX file"
        ) from error


def _provider(compute: Compute) -> tuple[str, dict[str, str]]:
    import onnxruntime

    kind, _, number = compute.device.partition(":")
    providers = onnxruntime.get_available_providers()
    if compute.device == "cpu":
        return CPU, {}
    if kind != "cuda" or not (number or "0").isdecimal() or CUDA not in providers:
        raise InputError(
            f"device {compute.device!r} cannot be used: expected cpu, or cuda:N where onnxruntime "
            f"has {CUDA}; it has {', '.join(providers)}. For a GPU install onnxruntime-gpu "
            "in place of onnxruntime"
        )
    if hasattr(onnxruntime, "preload_dlls"):
        onnxruntime.preload_dlls()  # finds the CUDA libraries that pip installed
    return CUDA, {"device_id": number or "0", **_cuda_options(reproducible=compute.reproducible)}


def _cuda_options(*, reproducible: bool) -> dict[str, str]:
    """A search for the fastest convolution may end differently each time."""
    if reproducible:
        return {"use_tf32": "0", "cudnn_conv_algo_search": "DEFAULT"}
    return {"cudnn_conv_algo_search": "HEURISTIC"}


def _session(
    path: Path, content: bytes, compute: Compute, provider: tuple[str, dict[str, str]]
) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = compute.threads
    options.inter_op_num_threads = 1
    options.use_deterministic_compute = compute.reproducible
    options.log_severity_level = _ONLY_FATAL
    # Waiting threads would take the cores from the decoders.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # There is no folder below a file: weights that are not in the file, and so not in its
    # hash, are never found.
    options.add_session_config_entry(
        "session.model_external_initializers_file_folder_path", str(path / "none")
    )
    with runtime_failures(provider[0], path):
        return onnxruntime.InferenceSession(
            content, options, providers=[provider], enable_fallback=False
        )


def _picture(path: Path, session: Any) -> PictureInput:
    inputs = [(entry.name, entry.type, entry.shape) for entry in session.get_inputs()]
    outputs = [entry.type for entry in session.get_outputs()]
    takes_pictures = (
        len(inputs) == 1
        and inputs[0][1] in _FLOATS
        and len(inputs[0][2]) == 4
        and (inputs[0][2][1] == 3 or not isinstance(inputs[0][2][1], int))
    )
    if not takes_pictures or not all(kind in _FLOATS for kind in outputs):
        told = ", ".join(f"{name} {kind} {shape}" for name, kind, shape in inputs)
        raise WeightsUnavailable(
            f"{path} is no pose network: it takes {told} and gives {', '.join(outputs)}; "
            "expected one picture (batch, 3, height, width) and outputs of float or float16"
        )
    name, kind, shape = inputs[0]
    batch, _, height, width = (size if isinstance(size, int) else None for size in shape)
    return PictureInput(name, _FLOATS[kind], batch, height, width)
