"""Rows of all processes that train together, in every one of them, with gradients."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.autograd import Function


def gather_rows(rows: Tensor) -> Tensor:
    """`rows` (B, ...) of every process, (world B, ...) by rank; `rows` itself where there is one.

    The gradient that reaches a row is the sum of those of all processes. So where
    each takes the mean loss of its own rows, and their gradients are averaged as by
    DistributedDataParallel, weights get the gradient of the mean over all rows.

    Every process has to call it, with as many rows.
    """
    if not (dist.is_available() and dist.is_initialized()) or dist.get_world_size() == 1:
        return rows
    gathered: Tensor = _Gather.apply(rows)  # type: ignore[no-untyped-call]
    return gathered


def first_row(num_rows: int) -> int:
    """At which row of `gather_rows` this process's `num_rows` begin."""
    distributed = dist.is_available() and dist.is_initialized()
    return num_rows * dist.get_rank() if distributed else 0


class _Gather(Function):
    """torch.distributed.nn has one, which newer versions of torch warn of as deprecated."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        ctx.num_rows = len(rows)
        parts = [torch.empty_like(rows) for _ in range(dist.get_world_size())]
        dist.all_gather(parts, rows.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        start = first_row(ctx.num_rows)
        return total[start : start + ctx.num_rows]
