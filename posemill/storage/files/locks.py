"""Locks on files that end with the process that holds them, however it ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import sleep

from posemill.storage.durable import disk_faults

_WAIT_SECONDS = 0.05


@contextmanager
def locked(path: Path, name: str, beat: Callable[[str], None]) -> Iterator[None]:
    """Alone with `path`, which is made and never removed; `beat` hears of the wait for it.

    Raises:
        EnvironmentFault: the disk refuses.
    """
    with disk_faults(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        while not try_lock(descriptor):
            beat(f"waiting for another process that fetches {name}")
            sleep(_WAIT_SECONDS)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def process_lock(path: Path) -> Iterator[bool]:
    """Whether this process is alone with `path`, which is made and never removed.

    Processes that it forks have no part in the lock, and so do not keep it when it is killed.

    Raises:
        EnvironmentFault: the disk refuses.
    """
    with disk_faults(path):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        yield _try_process_lock(descriptor, path)
    finally:
        os.close(descriptor)


def _try_process_lock(descriptor: int, path: Path) -> bool:
    with disk_faults(path):
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):  # which of both is up to the system
            return False
    return True


def hold(path: Path) -> int | None:
    """A descriptor with a shared lock on a file, marked as used now; None where it is absent."""
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            return None
        fcntl.flock(descriptor, fcntl.LOCK_SH)  # soon had: others hold it to remove the file
        if is_at(descriptor, path):
            os.utime(descriptor)
            return descriptor
        os.close(descriptor)


def remove_unused(path: Path) -> bool:
    """Remove a file unless somebody has locked it; whether it is gone."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return True
    try:
        if not try_lock(descriptor):
            return False
        if is_at(descriptor, path):
            path.unlink()
        return True
    finally:
        os.close(descriptor)


def try_lock(descriptor: int) -> bool:
    """Lock a file for oneself, unless others have."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_at(descriptor: int, path: Path) -> bool:
    """Whether the open file is still the one of that name."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
