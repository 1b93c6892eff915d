"""Several processes that train one network together, as torchrun starts them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from time import sleep

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from posemill.errors import InputError
from posemill.models.devices import resolve_device
from posemill.pipelines.training.meter import EpochTotals

_FROM_TORCHRUN = ("RANK", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")


_SETTLING_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Processes:
    """This process among those of a run."""

    rank: int
    world_size: int
    device: torch.device

    @property
    def is_first(self) -> bool:
        """Whether it is the one that writes and tells."""
        return self.rank == 0

    def share(
        self, network: nn.Module, *, compiled: bool, all_used: bool
    ) -> Callable[..., dict[str, Tensor]]:
        """The network with gradients averaged over all processes, and perhaps compiled.

        Args:
            network: on this process's device.
            compiled: whether torch.compile translates it.
            all_used: whether the loss reaches all weights that are trained.
        """
        shared = network
        if self.world_size > 1:
            devices = [self.device] if self.device.type == "cuda" else None
            shared = DistributedDataParallel(
                network, device_ids=devices, find_unused_parameters=not all_used
            )
        return torch.compile(shared) if compiled else shared

    def from_first(self, numbers: Tensor) -> Tensor:
        """`numbers` as the first process has them."""
        if self.world_size > 1:
            dist.broadcast(numbers, src=0)
        return numbers

    def total(self, totals: EpochTotals) -> EpochTotals:
        """The sums over all processes."""
        if self.world_size == 1:
            return totals
        numbers = torch.tensor(astuple(totals), dtype=torch.float64, device=self.device)
        dist.all_reduce(numbers)
        return EpochTotals(*numbers.tolist())

    def wait(self) -> None:
        """Until all processes are here."""
        if self.world_size > 1:
            dist.barrier()


@contextmanager
def joined_processes(device: str) -> Iterator[Processes]:
    """This process on `device`; with the others, each on a GPU of its own, below torchrun.

    Raises:
        InputError: a device that there is not, one GPU by number for several processes, or
            an environment that is not torchrun's.
    """
    world_size = _world_size()
    if world_size == 1:
        yield Processes(0, 1, resolve_device(device))
        return
    if ":" in device:
        raise InputError(
            f"{world_size} processes cannot share the device {device}; give --device cuda, and "
            "each takes the GPU of its own number"
        )
    local = f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if device == "cuda" else device
    place = resolve_device(local)
    if place.type == "cuda":
        torch.cuda.set_device(place)
    dist.init_process_group("nccl" if place.type == "cuda" else "gloo")
    try:
        yield Processes(dist.get_rank(), world_size, place)
    finally:
        # Gloo's threads drop the tensors of the last exchange, for which they need Python's lock;
        # the end of the group waits for these threads, and holds it. A sleep lets them have it.
        sleep(_SETTLING_SECONDS)
        dist.destroy_process_group()


def _world_size() -> int:
    """How many processes train together, as torchrun says; 1 without it.

    Raises:
        InputError: no number, or several without what else torchrun says.
    """
    told = os.environ.get("WORLD_SIZE", "1")
    if not told.isdecimal() or told == "0":
        raise InputError(
            f"WORLD_SIZE must be the number of processes that train together, got {told!r}; start "
            "them by torchrun, or unset it"
        )
    lacking = [name for name in _FROM_TORCHRUN if not os.environ.get(name)]
    if int(told) > 1 and lacking:
        raise InputError(
            f"WORLD_SIZE={told} says that {told} processes train together, and "
            f"{', '.join(lacking)} {'is' if len(lacking) == 1 else 'are'} not set; start them by "
            f"torchrun --nproc-per-node {told} -m posemill train ..., or unset WORLD_SIZE"
        )
    return int(told)
