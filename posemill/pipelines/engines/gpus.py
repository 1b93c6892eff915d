"""Which GPUs of this machine each of its workers sees."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from typing import Self

from posemill.errors import InputError


@dataclass(frozen=True, slots=True)
class GpuShares:
    """The GPUs of a machine, and how many a worker gets, or which part of one.

    Raises:
        InputError: the workers need more than there are.
    """

    gpus: tuple[str, ...]
    """As `CUDA_VISIBLE_DEVICES` names them."""
    per_worker: float
    workers: int

    def __post_init__(self) -> None:
        if self.per_worker and self._places < self.workers:
            raise InputError(
                f"asked for: workers {self.workers}, gpus_per_worker {self.per_worker:g}; GPUs of "
                f"this machine: {len(self.gpus)}, enough for workers: {self._places}. Give fewer"
            )

    @classmethod
    def unassigned(cls) -> Self:
        """Whatever is visible stays so."""
        return cls((), 0, 1)

    @classmethod
    def of_machine(cls, per_worker: float, workers: int) -> Self:
        return cls(machine_gpus() if per_worker else (), per_worker, workers)

    @property
    def _places(self) -> int:
        if self.per_worker >= 1:
            return len(self.gpus) // int(self.per_worker)
        return len(self.gpus) * self._sharers

    @property
    def _sharers(self) -> int:
        """Workers on one GPU; of 0.333 each, three."""
        return int(1 / self.per_worker + 1e-9)

    def of(self, slot: int) -> str | None:
        """`CUDA_VISIBLE_DEVICES` for the worker in a slot; None leaves it as it is."""
        if not self.per_worker:
            return None
        if self.per_worker < 1:
            return self.gpus[slot // self._sharers]
        width = int(self.per_worker)
        return ",".join(self.gpus[slot * width : (slot + 1) * width])


def machine_gpus() -> tuple[str, ...]:
    """The GPUs that this process may use, as `CUDA_VISIBLE_DEVICES` or else `nvidia-smi` tells."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return tuple(each.strip() for each in visible.split(",") if each.strip() not in ("", "-1"))
    command = shutil.which("nvidia-smi")
    if command is None:
        return ()
    listing = subprocess.run(  # noqa: S603 - the driver's own tool
        [command, "--query-gpu=uuid", "--format=csv,noheader"],
        capture_output=True,
        text=True,
        check=False,
    )
    return tuple(listing.stdout.split()) if listing.returncode == 0 else ()
