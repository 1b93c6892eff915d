"""Writes the features of one pose shard, block by block; a commit makes them count.

A block is a whole shard of every output, so that no object is written twice
and no more than a block is in memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from posemill.storage.commits import FileRecord, record_files
from posemill.storage.feature_arrays import (
    check_rows,
    output_files,
    valid_files,
)
from posemill.storage.feature_attempts import WriteAttempt
from posemill.storage.objects import Objects
from posemill.transforms.outputs import OutputSpec

Bools = npt.NDArray[np.bool_]
Block = tuple[Mapping[str, npt.NDArray[Any]], Bools]
"""Arrays (n, ...) of n clips that follow each other, by output, and which of them are valid."""

BLOCK_BYTES = 256 * 2**20


def clips_per_block(bytes_per_clip: int, wanted: int) -> int:
    """At most `wanted` clips, as many as 256 MiB hold before compression, and at least one."""
    return max(1, min(wanted, BLOCK_BYTES // bytes_per_clip))


class ShardWriter:
    """Writes the rows `[start, stop)` of a pose shard of `num_clips` clips.

    One that `overwrites` an earlier generation declares the rows invalid first. Every
    object is encoded before the `attempt` is asked whether it may still be written.
    """

    def __init__(
        self,
        objects: Objects,
        specs: Sequence[OutputSpec],
        rows: tuple[int, int],
        num_clips: int,
        clips_per_block: int,
        attempt: WriteAttempt,
        *,
        overwrites: bool,
    ) -> None:
        self._objects = objects
        self._specs = specs
        self._rows = rows
        self._valid = np.zeros(num_clips, np.bool_)
        self._clips_per_block = clips_per_block
        self._attempt = attempt
        self._overwrites = overwrites
        self._num_written = 0
        self._files: dict[str, FileRecord] = {}

    def write(self, block: Block) -> None:
        """Write the next clips.

        Raises:
            Overtaken: somebody else has committed the rows.
            ValueError: they are not as many as should follow, or not of the
                declared outputs, shapes and dtypes; nothing is touched.
            OSError: the disk refuses.
        """
        arrays, valid = block
        done = self._num_written
        num_clips = min(self._clips_per_block, len(self._valid) - done)
        if num_clips == 0:
            raise ValueError(f"expected {len(self._valid)} clips, got another block after them")
        check_rows(self._specs, arrays, valid, num_clips)
        for spec in self._specs:
            start = self._rows[0] + done
            self._write(output_files(spec, self._clips_per_block, start, arrays[spec.name]))
        self._valid[done : done + num_clips] = valid
        self._num_written += num_clips

    def finish(self) -> dict[str, FileRecord]:
        """Declare the rows valid, last of all; every object that was written, by its path.

        Raises:
            Overtaken: somebody else has committed the rows.
            ValueError: blocks are missing.
            OSError: the disk refuses.
        """
        if self._num_written < len(self._valid):
            raise ValueError(f"expected {len(self._valid)} clips, got {self._num_written}")
        self._write(_valid_files(self._rows, self._clips_per_block, self._valid))
        return self._files

    def _write(self, files: Mapping[str, bytes]) -> None:
        if not self._attempt.has_begun:
            self._attempt.begin()
            if self._overwrites:
                invalidate(self._objects, self._rows, self._clips_per_block)
        self._attempt.require_first(must_finish=self._overwrites)
        # Recorded as made: what a writer of another state puts there instead is then found.
        self._objects.write_all(files)
        self._files.update(record_files(files))


def invalidate(objects: Objects, rows: tuple[int, int], clips_per_shard: int) -> None:
    """Declare that no row of whole shards `[start, stop)` holds features.

    Raises:
        OSError: the disk refuses.
    """
    objects.write_all(_valid_files(rows, clips_per_shard, np.zeros(0, np.bool_)))


def _valid_files(rows: tuple[int, int], clips_per_shard: int, valid: Bools) -> dict[str, bytes]:
    start, stop = rows
    padded = np.zeros(stop - start, np.bool_)
    padded[: len(valid)] = valid
    return valid_files(clips_per_shard, start, padded)
