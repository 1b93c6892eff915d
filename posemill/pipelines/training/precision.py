"""In which numbers a network computes."""

from __future__ import annotations

import torch

from posemill.pipelines.training.config import Precision

_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def automatic_precision(precision: Precision, device: torch.device) -> torch.autocast:
    """A context in which operations that bear it compute in `precision`; weights stay float32."""
    return torch.autocast(device.type, _DTYPES[precision], enabled=precision != "fp32")


def gradient_scaler(precision: Precision, device: torch.device) -> torch.amp.GradScaler:
    """What keeps float16's gradients from becoming 0; does nothing in other precisions."""
    return torch.amp.GradScaler(device.type, enabled=precision == "fp16")
