"""Processes that train together, as torchrun starts them, over gloo on this machine."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from multiprocessing import get_context
from os import environ
from pathlib import Path
from typing import Any
from unittest.mock import patch


def run_ranks(work: Callable[[int, int], Any], world: int, folder: Path) -> list[Any]:
    """What `work(rank, world)` returns in each process of one group, by rank.

    Rank 0 is this process, which has torch already: the others take seconds to load it.
    """
    with ProcessPoolExecutor(world - 1, get_context("spawn")) as pool:
        others = [pool.submit(_in_group, work, rank, world, folder) for rank in range(1, world)]
        here = _in_group(work, 0, world, folder)
        return [here, *(each.result(timeout=120) for each in others)]


def _in_group(work: Callable[[int, int], Any], rank: int, world: int, folder: Path) -> Any:
    import torch.distributed as dist

    with patch.dict(environ, {"GLOO_SOCKET_IFNAME": "lo"}):
        store = dist.FileStore(str(folder / "ranks"), world)
        limit = timedelta(seconds=60)
        dist.init_process_group("gloo", store=store, rank=rank, world_size=world, timeout=limit)
        try:
            return work(rank, world)
        finally:
            dist.destroy_process_group()
