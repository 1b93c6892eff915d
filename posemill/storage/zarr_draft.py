"""Zarr encodes in memory; what it made is then written as whole objects, and recorded."""

from __future__ import annotations

from zarr.core.buffer import Buffer
from zarr.storage import MemoryStore


class ZarrDraft:
    """A Zarr hierarchy in memory: write to `store`, then take the `files`."""

    def __init__(self) -> None:
        self._buffers: dict[str, Buffer] = {}
        self.store = MemoryStore(self._buffers)

    def files(self) -> dict[str, bytes]:
        """Every object that was written, by its name, sorted."""
        return {name: self._buffers[name].to_bytes() for name in sorted(self._buffers)}
