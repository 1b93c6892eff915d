"""Ways to lay the joints of a shard out before they are compressed, and what each takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numcodecs import Blosc  # type: ignore[import-untyped]

from posemill.schema import PoseSequence
from posemill.storage.fixed_point import UInt16, quantise, step_px
from posemill.storage.layout import ROWS_PER_CHUNK
from posemill.storage.track_steps import STEP_ZERO, track_order, write_steps

Integers = npt.NDArray[Any]
Parts = Callable[[PoseSequence], list[Integers]]

PRESENT = "steps (track order, +128)"


class Layout(NamedTuple):
    """Arrays of a video, joined over a shard, cut into chunks and compressed."""

    parts: Parts
    rows: int = ROWS_PER_CHUNK
    level: int = 7
    shuffle: int = Blosc.SHUFFLE
    joints_apart: bool = False
    """Each chunk as (..., rows), so that a joint's numbers lie together."""


def bytes_of(layout: Layout, shards: Sequence[Sequence[PoseSequence]]) -> int:
    """Bytes of all chunks, with their checksums and places in the index."""
    codec = Blosc("zstd", layout.level, layout.shuffle)
    total = 0
    for shard in shards:
        for part in zip(*map(layout.parts, shard), strict=True):
            total += sum(len(codec.encode(c)) + 20 for c in _chunks(np.concatenate(part), layout))
    return total


def _chunks(rows: Integers, layout: Layout) -> list[Integers]:
    missing = -len(rows) % layout.rows
    padded = np.concatenate([rows, np.zeros((missing, *rows.shape[1:]), rows.dtype)])
    chunks = padded.reshape(-1, layout.rows, *rows.shape[1:])
    return [np.ascontiguousarray(c.T if layout.joints_apart else c) for c in chunks]


def by_frame(pose: PoseSequence) -> UInt16:
    return quantise(pose.xy_px, pose.score, step_px(pose.width, pose.height))


def by_track(pose: PoseSequence) -> UInt16:
    return by_frame(pose)[track_order(pose)]


def changes(values: Integers) -> Integers:
    """From row to row, the first from zero, modulo 2^16 or 2^8."""
    return np.diff(values, axis=0, prepend=np.zeros((1, *values.shape[1:]), values.dtype))


def steps(pose: PoseSequence) -> UInt16:
    out = np.empty((*pose.score.shape, 3), np.uint16)
    write_steps(pose, track_order(pose), out)
    return out


def zigzag(pose: PoseSequence) -> UInt16:
    """The steps' signs in the lowest bit."""
    signed = (steps(pose) - np.uint16(STEP_ZERO)).view(np.int16)
    return ((signed << 1) ^ (signed >> 15)).view(np.uint16)


def xy_and_score(pose: PoseSequence) -> list[Integers]:
    score = by_track(pose)[..., 2].astype(np.uint8)
    return [steps(pose)[..., :2], changes(score) + np.uint8(STEP_ZERO)]


def numbers(pose: PoseSequence) -> list[Integers]:
    """Frame and slot of the rows, by track."""
    order = track_order(pose)
    return [pose.frame[order].astype(np.uint32), pose.slot[order].astype(np.uint16)]


JOINTS: dict[str, Layout] = {
    "by frame, 4096 rows, zstd 5 (schema 1)": Layout(lambda p: [by_frame(p)], 4096, 5),
    "by track": Layout(lambda p: [by_track(p)]),
    "by track, changes": Layout(lambda p: [changes(by_track(p))]),
    "by track, changes +128": Layout(lambda p: [changes(by_track(p)) + np.uint16(STEP_ZERO)]),
    PRESENT: Layout(lambda p: [steps(p)]),
    "steps, signs in the lowest bit": Layout(lambda p: [zigzag(p)]),
    "the same, bit shuffle": Layout(lambda p: [zigzag(p)], shuffle=Blosc.BITSHUFFLE),
    "steps, joints apart": Layout(lambda p: [steps(p)], joints_apart=True),
    "steps, score an array of its own": Layout(xy_and_score),
    "steps, the same and joints apart": Layout(xy_and_score, joints_apart=True),
    "steps, 512 rows": Layout(lambda p: [steps(p)], 512),
    "steps, 4096 rows": Layout(lambda p: [steps(p)], 4096),
    "steps, zstd 1": Layout(lambda p: [steps(p)], level=1),
    "steps, zstd 5": Layout(lambda p: [steps(p)], level=5),
    "steps, zstd 9 (22)": Layout(lambda p: [steps(p)], level=9),
}
REST: dict[str, Layout] = {
    "frame and slot, by frame": Layout(
        lambda p: [p.frame.astype(np.uint32), p.slot.astype(np.uint16)]
    ),
    "frame and slot, by track": Layout(numbers),
    "frame and slot, by track, changes": Layout(lambda p: [changes(n) for n in numbers(p)]),
    "times": Layout(lambda p: [np.rint(p.pts_seconds * 1e6).astype(np.int64)]),
}
