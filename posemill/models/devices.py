"""Where torch computes, with how many threads, and what its failures mean."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from posemill.errors import DeviceOutOfMemory, EnvironmentFault, InputError
from posemill.schema import UInt8

_NO_MEMORY = re.compile(r"out of memory|can't allocate memory|ALLOC_FAILED", re.IGNORECASE)
"""Of CUDA, of torch's allocator for the CPU, of cuBLAS and cuDNN."""
_DEVICE = re.compile(r"\bCUDA\b|cuDNN|CUDNN_|CUBLAS_|CUFFT_|NCCL", re.IGNORECASE)


def resolve_device(name: str) -> torch.device:
    """The device called `name`: cpu, cuda or cuda:N.

    Raises:
        InputError: no device has that name, or this machine lacks it.
    """
    kind, _, number = name.partition(":")
    count = torch.cuda.device_count() if kind == "cuda" else 1
    known = name == "cpu" or (kind == "cuda" and (not number or number.isdecimal()))
    if not known or int(number or 0) >= count:
        raise InputError(
            f"device {name!r} cannot be used: expected cpu, or cuda:N where this machine has "
            f"one; it has {torch.cuda.device_count()} cuda devices"
        )
    return torch.device(name)


@contextmanager
def torch_settings(threads: int, device: torch.device) -> Iterator[None]:
    """Run with `threads` CPU threads; the process's own and torch's generators are as before."""
    before = torch.get_num_threads()
    devices = [device] if device.type == "cuda" else []
    torch.set_num_threads(threads)
    try:
        with torch.random.fork_rng(devices=devices):
            yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def inference(device: torch.device, *, reproducible: bool) -> Iterator[None]:
    """Compute without gradients; what the device cannot do is told as what it is.

    `reproducible` takes no TensorFloat-32 and only deterministic convolutions.

    Raises:
        DeviceOutOfMemory: the device has no memory for the batch.
        EnvironmentFault: the device fails; its process must not be used any more.
    """
    cudnn = torch.backends.cudnn.flags(
        enabled=True, deterministic=reproducible, allow_tf32=not reproducible
    )
    try:
        with torch.inference_mode(), cudnn:
            yield
    except RuntimeError as error:  # torch has a class of its own for some of them only
        if (fault := _fault_of(error, device)) is None:
            raise
        raise fault from error


def to_device(pictures: UInt8, device: torch.device) -> torch.Tensor:
    """Bytes (B, H, W, 3) on the device as (B, 3, H, W), channels last; through pinned memory,
    which a GPU copies from by itself."""
    tensor = torch.from_numpy(np.ascontiguousarray(pictures))
    if device.type == "cuda":
        tensor = tensor.pin_memory().to(device, non_blocking=True)
    return tensor.permute(0, 3, 1, 2)


def _fault_of(error: RuntimeError, device: torch.device) -> EnvironmentFault | None:
    """What an error says of the device; None where it says nothing of it."""
    if isinstance(error, torch.OutOfMemoryError) or _NO_MEMORY.search(str(error)):
        torch.cuda.empty_cache()
        return DeviceOutOfMemory(f"{device} has no memory for the batch: {_line(error)}")
    if isinstance(error, torch.AcceleratorError) or _DEVICE.search(str(error)):
        return EnvironmentFault(
            f"{device} failed: {_line(error)}; see the device's log, and run the same command again"
        )
    return None


def _line(error: Exception) -> str:
    """The first line: torch adds advice on its own debugging to it."""
    return str(error).strip().partition("\n")[0]
