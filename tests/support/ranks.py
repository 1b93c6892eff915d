"""Processes that train together, as torchrun starts them, over gloo on this machine."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any


def run_ranks(work: Callable[[int, int], Any], world: int, folder: Path) -> list[Any]:
    """What `work(rank, world)` returns in each of `world` processes of one group, by rank."""
    with ProcessPoolExecutor(world, get_context("spawn")) as pool:
        started = [pool.submit(_in_group, work, rank, world, folder) for rank in range(world)]
        return [each.result(timeout=120) for each in started]


def _in_group(work: Callable[[int, int], Any], rank: int, world: int, folder: Path) -> Any:
    import torch
    import torch.distributed as dist

    torch.set_num_threads(1)
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    store = dist.FileStore(str(folder / "ranks"), world)
    dist.init_process_group(
        "gloo", store=store, rank=rank, world_size=world, timeout=timedelta(seconds=60)
    )
    try:
        return work(rank, world)
    finally:
        dist.destroy_process_group()
