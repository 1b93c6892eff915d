"""Where a worker's processes put what is too large to be held until a shard is committed.

::

    <cache>/scratch/<32 hex>.lock   held by the worker, so that its death frees it
    <cache>/scratch/<32 hex>/       its folder

The cache's folder, because that is where the user has put gigabytes already
(`POSEMILL_CACHE`): a temporary folder is often memory, and a store may be in a
bucket. What a killed worker left behind is removed when another one begins.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import uuid
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from posemill.cache_folder import cache_folder
from posemill.storage.durable import disk_faults, remove_tree
from posemill.storage.files.locks import is_at, try_lock

_LOCK = ".lock"


class Scratch:
    """A folder that is gone when it is closed, or else when the next one is created."""

    def __init__(self, path: Path, lock: Path, descriptor: int) -> None:
        """Use `create`."""
        self.path = path
        self._lock, self._descriptor = lock, descriptor

    @classmethod
    def create(cls, parent: Path | None = None) -> Scratch:
        """A new one in `parent`, by default `scratch` of posemill's cache; dead ones are removed.

        Raises:
            DiskRefused: nothing can be written there.
        """
        folder = cache_folder() / "scratch" if parent is None else parent
        with disk_faults(folder):
            folder.mkdir(parents=True, exist_ok=True)
            _sweep(folder)
            while True:
                lock = folder / f"{uuid.uuid4().hex}{_LOCK}"
                descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
                # A sweeper may have taken it for a dead worker's before it was locked.
                if try_lock(descriptor) and is_at(descriptor, lock):
                    break
                os.close(descriptor)
            path = lock.with_suffix("")
            path.mkdir()
        return cls(path, lock, descriptor)

    def discard(self, names: Iterable[str]) -> None:
        """Remove what is kept under these names; what cannot be removed stays until `close`."""
        for name in names:
            remove_tree(place_in(self.path, name))

    def close(self) -> None:
        """Remove the folder; what cannot be removed is left to the next worker."""
        remove_tree(self.path)
        with suppress(OSError):
            self._lock.unlink()
        os.close(self._descriptor)


def place_in(scratch: Path, name: str) -> Path:
    """The folder of something of any name, such as a video's id."""
    return scratch / hashlib.sha256(name.encode()).hexdigest()[:32]


def _sweep(folder: Path) -> None:
    """Remove what dead workers left; a folder is made after its lock and removed before it."""
    for lock in folder.glob(f"*{_LOCK}"):
        with suppress(FileNotFoundError):
            descriptor = os.open(lock, os.O_RDWR)
            try:
                if try_lock(descriptor) and is_at(descriptor, lock):
                    shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
                    lock.unlink()
            finally:
                os.close(descriptor)
