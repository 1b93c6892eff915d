"""What torch's failures mean."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from posemill.errors import DeviceOutOfMemory, EnvironmentFault, InputError  # noqa: E402
from posemill.models.devices import inference, resolve_device  # noqa: E402

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB.\nSee the manual"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"),
    ],
)
def test_a_batch_that_is_too_large_is_told_as_such(error: Exception) -> None:
    with (
        pytest.raises(DeviceOutOfMemory, match="cpu has no memory for the batch"),
        inference(CPU, reproducible=False),
    ):
        raise error


@pytest.mark.parametrize(
    "text",
    [
        "CUDA error: an illegal memory access was encountered",
        "cuDNN error: CUDNN_STATUS_EXECUTION_FAILED",
        "CUBLAS_STATUS_EXECUTION_FAILED when calling cublasSgemm",
    ],
)
def test_a_device_that_fails_is_no_videos_fault(text: str) -> None:
    with (
        pytest.raises(EnvironmentFault, match=r"cpu failed: .*run the same command") as caught,
        inference(CPU, reproducible=False),
    ):
        raise RuntimeError(text)
    assert not isinstance(caught.value, DeviceOutOfMemory)


def test_other_errors_stay_what_they_are() -> None:
    with (
        pytest.raises(RuntimeError, match="shapes cannot be multiplied"),
        inference(CPU, reproducible=False),
    ):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")


def test_a_real_allocation_that_fails_is_recognised() -> None:
    with pytest.raises(DeviceOutOfMemory), inference(CPU, reproducible=False):
        torch.empty(2**60, dtype=torch.uint8)


@pytest.mark.parametrize("name", ["tpu", "cuda:x", "cuda:99"])
def test_a_device_that_is_not_there_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=f"device '{name}' cannot be used"):
        resolve_device(name)
