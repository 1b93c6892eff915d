"""Videos that are damaged, cut, mislabelled or no videos at all, each in one known way."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
from mp4_atoms import find, patched
from tones import add_tone
from video_makers import INTRA, Film, Made, packets, rewritten, shoot, without

IN_FRONT = {"movflags": "faststart"}
CLAIMED = 9999
# AVI: dwTotalFrames lies 16 bytes into the content of `avih`, dwLength 32 into that of `strh`.
_AVI_COUNTS = {b"avih": 16, b"strh": 32}


def empty(path: Path) -> Made:
    """Zero bytes."""
    path.write_bytes(b"")
    return Made(path)


def text(path: Path) -> Made:
    """A text."""
    path.write_text("This video was taken down by its owner.\n")
    return Made(path)


def audio_only(path: Path) -> Made:
    """Two seconds of a tone, and no picture."""
    with av.open(str(path), "w") as container:
        add_tone(container, 0)
    return Made(path)


def cut(path: Path, share: float = 0.6, *, index_in_front: bool = True) -> Made:
    """Only the first `share` of the bytes is there.

    `frames` counts the packets that are there whole; the next one may decode in part.
    Of an MP4 with its index at the end nothing can be decoded; in other containers
    `index_in_front` changes nothing.
    """
    is_mp4 = path.suffix == ".mp4"
    muxer = IN_FRONT if is_mp4 and index_in_front else {}
    whole = shoot(path, Film(frames=30, container=muxer))
    found = packets(path)
    kept = int(path.stat().st_size * share)
    rewritten(path, lambda data: data[:kept])
    if is_mp4 and not index_in_front:
        return replace(whole, frames=0, pts_seconds=(), numbers=(), declared=None)
    left = sum(offset + size <= kept for offset, size in found)
    return replace(
        whole, frames=left, pts_seconds=whole.pts_seconds[:left], numbers=whole.numbers[:left]
    )


def flipped_bits(path: Path, share: float = 0.0005, seed: int = 0) -> Made:
    """Bits of the packets are flipped, those of the headers are not.

    Decoders may show damaged pictures or drop them: `frames` counts the packets, and
    `damaged_packets` names those that were hit.
    """
    made = shoot(path, Film(frames=30))
    rng, hit = np.random.default_rng(seed), set[int]()
    data = bytearray(path.read_bytes())
    for place, (offset, size) in enumerate(packets(path)):
        for bit in map(int, np.flatnonzero(rng.random(size * 8) < share)):
            data[offset + bit // 8] ^= 1 << bit % 8
            hit.add(place)
    path.write_bytes(data)
    return replace(made, damaged_packets=tuple(sorted(hit)))


def lost_packet(path: Path, lost: int = 12) -> Made:
    """One packet midway cannot be decoded: its data claims to be longer than it is.

    Every frame is coded for itself, so all others can be decoded.
    """
    made = shoot(path, Film(frames=30, options=INTRA))
    offset, size = packets(path)[lost]
    rewritten(path, lambda data: data[:offset] + b"\x7f" * size + data[offset + size :])
    return replace(
        made,
        frames=made.frames - 1,
        pts_seconds=without(made.pts_seconds, [lost]),
        numbers=tuple(number for number in made.numbers if number != lost),
        damaged_packets=(lost,),
    )


def wrong_count_avi(path: Path, claimed: int = CLAIMED) -> Made:
    """An AVI whose headers claim another number of frames."""
    made = shoot(path, Film(codec="mpeg4"))

    def claim(data: bytes) -> bytes:
        for name, offset in _AVI_COUNTS.items():
            data = patched(data, data.index(name) + 8 + offset, "<I", claimed)
        return data

    rewritten(path, claim)
    return replace(made, declared=claimed)


def wrong_count_mp4(path: Path, claimed: int = CLAIMED) -> Made:
    """An MP4 whose table of times goes on for `claimed` frames, beyond the table of sizes."""
    made = shoot(path, Film())

    def claim(data: bytes) -> bytes:
        body = find(data, "moov/trak/mdia/minf/stbl/stts").body
        if struct.unpack_from(">2I", data, body + 4) != (1, made.frames):
            raise AssertionError("expected one entry, of all frames")
        return patched(data, body + 8, ">I", claimed)

    rewritten(path, claim)
    return replace(made, declared=claimed)


def changing_size(path: Path) -> Made:
    """MPEG-TS: 20 frames of 64 x 48, then 20 of 96 x 80; `frames` and sizes are of the first."""
    first = shoot(path, Film())
    second = path.with_name(f"{path.stem}.second{path.suffix}")
    shoot(second, Film(width=96, height=80, start_seconds=first.frames // 10, first_number=20))
    rewritten(path, lambda data: data + second.read_bytes())
    second.unlink()
    return first
