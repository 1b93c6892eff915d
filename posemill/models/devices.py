"""Where torch computes, and with how many threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from posemill.errors import InputError


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
