"""Dense maps of one video on a disk between the process that estimates and the one that commits.

They can be gigabytes, so the first appends them frame by frame, and the second
gets a handle with its record: how many there are, where, and their checksum.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

import google_crc32c
import numpy as np

from posemill.errors import EnvironmentFault
from posemill.schema import Float32
from posemill.storage.dense.halves import Float16, to_halves
from posemill.storage.dense.scratch import place_in
from posemill.storage.durable import disk_faults, remove_tree
from posemill.transforms.sample import DenseKind


@dataclass(frozen=True, slots=True)
class SpooledMaps:
    """The dense maps of one kind and all frames of a video, in a file; cheap to pickle."""

    path: Path
    shape: tuple[int, int, int, int]
    """Frames, channels, rows and columns."""
    crc32c: int

    @property
    def num_frames(self) -> int:
        return self.shape[0]

    def blocks(self, num_frames: int) -> Iterator[Float16]:
        """The maps in order, `num_frames` at a time (the last may have fewer).

        Raises:
            EnvironmentFault: the file is not there, or not as it was written; told at the end
                at the latest.
        """
        checksum = 0
        with disk_faults(self.path), self.path.open("rb") as file:
            for first in range(0, self.num_frames, num_frames):
                shape = (min(num_frames, self.num_frames - first), *self.shape[1:])
                data = file.read(2 * int(np.prod(shape)))
                checksum = google_crc32c.extend(checksum, data)
                if len(data) != 2 * int(np.prod(shape)):
                    break
                yield np.frombuffer(data, "<f2").reshape(shape)
        if checksum != self.crc32c:
            raise EnvironmentFault(
                f"{self.path}: the maps that were put there are not there as they were written; "
                "expected nobody else to touch that folder. Check the disk, then run the same "
                "command again"
            )


class DenseSpool:
    """Takes the dense maps of a video's frames, in order; a context that closes its files.

    What it holds in memory is one frame's maps. Its folder is removed by
    `Scratch.discard` under the video's id, and by the next spool of that video.
    """

    def __init__(self, scratch: Path, video_id: str) -> None:
        """`scratch` is a worker's `Scratch.path`."""
        self._folder = place_in(scratch, video_id)
        self._files: dict[DenseKind, _File] = {}
        remove_tree(self._folder)  # of a process that was lost over this video

    def append(self, dense: Mapping[DenseKind, Float32]) -> None:
        """The maps (channels, h, w) of the next frame, by kind.

        Raises:
            ValueError: other kinds or shapes than before, or a value that is not finite.
            DiskRefused: the disk is full, or cannot be written.
        """
        if not self._files:
            with disk_faults(self._folder):
                self._folder.mkdir(parents=True)
                self._files = {
                    kind: _File(self._folder / kind, dense[kind].shape) for kind in dense
                }
        if dense.keys() != self._files.keys():
            raise ValueError(
                f"expected dense maps of {sorted(self._files)} of every frame, got {sorted(dense)}"
            )
        for kind, maps in dense.items():
            self._files[kind].append(maps)

    def finish(self) -> dict[DenseKind, SpooledMaps]:
        """Handles of what was appended; none where no frame was.

        Raises:
            DiskRefused: the disk refuses.
        """
        self.close()
        return {kind: file.handle() for kind, file in self._files.items()}

    def close(self) -> None:
        for file in self._files.values():
            file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _File:
    """The maps of one kind."""

    def __init__(self, path: Path, shape: tuple[int, ...]) -> None:
        self._path, self._shape = path, shape
        self._num_frames = self._checksum = 0
        self._stream: BinaryIO = path.open("xb", buffering=0)

    def append(self, maps: Float32) -> None:
        if maps.shape != self._shape:
            raise ValueError(
                f"dense maps of all frames of a video have one shape: got {maps.shape} of frame "
                f"{self._num_frames} after {self._shape}"
            )
        data = np.ascontiguousarray(to_halves(maps), "<f2").tobytes()
        self._checksum = google_crc32c.extend(self._checksum, data)
        with disk_faults(self._path):
            view = memoryview(data)
            while view:
                view = view[self._stream.write(view) :]
        self._num_frames += 1

    def handle(self) -> SpooledMaps:
        channels, rows, columns = self._shape
        return SpooledMaps(self._path, (self._num_frames, channels, rows, columns), self._checksum)

    def close(self) -> None:
        with disk_faults(self._path):
            self._stream.close()
