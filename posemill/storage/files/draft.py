"""A file that is being written into the cache, and the room that it needs there."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep

from posemill.errors import EnvironmentFault, UnreadableVideo
from posemill.storage.durable import disk_faults
from posemill.storage.files.locks import is_at, locked, remove_unused, try_lock

_STEP_BYTES = 64 << 20
"""Room that is asked for at once where the size is unknown."""
_WAIT_SECONDS = 0.2
_PATIENCE_SECONDS = 600.0

Beat = Callable[[str], None]
"""Hears of every step of something long."""


class Draft:
    """A locked file in `drafts/` of a cache; its reserved room counts as taken."""

    def __init__(
        self, folder: Path, limit_bytes: int, name: str, path: Path, fd: int, beat: Beat
    ) -> None:
        self.name, self.path, self.fd = name, path, fd
        self.num_bytes = 0
        """Written so far."""
        self._folder, self._limit, self._beat = folder, limit_bytes, beat
        self._reserved = 0

    @classmethod
    def create(cls, folder: Path, limit_bytes: int, name: str, suffix: str, beat: Beat) -> Draft:
        """A new one.

        Raises:
            EnvironmentFault: the disk refuses.
        """
        with disk_faults(folder):
            (folder / "drafts").mkdir(parents=True, exist_ok=True)
            while True:
                path = folder / "drafts" / f"{uuid.uuid4().hex}{suffix}"
                fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
                # Another process may have taken it for a dead writer's before it was locked.
                if try_lock(fd) and is_at(fd, path):
                    return cls(folder, limit_bytes, name, path, fd, beat)
                os.close(fd)

    def rewind(self) -> None:
        """Write from the start again; what was reserved stays so."""
        self.num_bytes = 0
        os.lseek(self.fd, 0, os.SEEK_SET)

    def write(self, data: bytes) -> None:
        """Raises:
        UnreadableVideo: it grows larger than the cache may.
        EnvironmentFault: the disk refuses, or the cache is in use.
        """
        self.num_bytes += len(data)
        if self.num_bytes > self._reserved:
            more = max(self._reserved + _STEP_BYTES, self.num_bytes)
            self.reserve(self.num_bytes if more > self._limit else more)
        with disk_faults(self.path):
            view = memoryview(data)
            while view:
                view = view[os.write(self.fd, view) :]
        self._beat(f"fetching, {self.num_bytes:,} bytes so far")

    def finish(self) -> None:
        """What was reserved and not written is free again."""
        with disk_faults(self.path):
            os.truncate(self.fd, self.num_bytes)

    def discard(self) -> None:
        """Remove it, unless it has another name by now, and unlock it."""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)
        os.close(self.fd)

    def reserve(self, num_bytes: int) -> None:
        """Take so much room, removing files that nobody uses; waits for those in use.

        Raises:
            UnreadableVideo: that is more than the whole cache.
            EnvironmentFault: it is in use for too long, or the disk refuses.
        """
        if num_bytes > self._limit:
            raise UnreadableVideo(
                f"{self.name}: has {num_bytes:,} bytes or more, and fetched files may have "
                f"{self._limit:,} together. Raise POSEMILL_CACHE_BYTES if it is to be read, or "
                "leave it out of the catalog."
            )
        late_at = monotonic() + _PATIENCE_SECONDS
        while not self._take(num_bytes):
            if monotonic() > late_at:
                raise EnvironmentFault(
                    f"{self._folder}: all of its {self._limit:,} bytes are in use, for "
                    f"{_PATIENCE_SECONDS:.0f} s; expected room for {num_bytes:,} bytes more. Raise "
                    "POSEMILL_CACHE_BYTES, or run fewer workers."
                )
            self._beat("waiting for room among the fetched files")
            sleep(_WAIT_SECONDS)
        self._reserved = num_bytes

    def _take(self, num_bytes: int) -> bool:
        lock = self._folder / "locks" / "room"
        with locked(lock, self.name, self._beat), disk_faults(self._folder):
            if not _make_room(self._folder, self._limit - num_bytes, besides=self.path):
                return False
            os.truncate(self.fd, num_bytes)
            return True


def _make_room(folder: Path, allowed_bytes: int, besides: Path) -> bool:
    """Remove unused files, drafts of dead writers and the least lately used first.

    Whether all but `besides` have at most `allowed_bytes` then.
    """
    found = sorted(_files(folder / "drafts")) + sorted(_files(folder / "files"))
    sizes = {path: size for _, size, path in found if path != besides}
    total = sum(sizes.values())
    for path, size in sizes.items():
        is_draft = path.parent.name == "drafts"
        if (is_draft or total > allowed_bytes) and remove_unused(path):
            total -= size
    return total <= allowed_bytes


def _files(folder: Path) -> Iterator[tuple[int, int, Path]]:
    """Time in ns, size and path of each."""
    with suppress(FileNotFoundError):
        for entry in os.scandir(folder):
            with suppress(FileNotFoundError):
                info = entry.stat()
                yield info.st_mtime_ns, info.st_size, Path(entry.path)
