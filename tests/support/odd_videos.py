"""Videos that are whole, and unlike what a naive reader expects."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
from mp4_atoms import find, patched
from tones import add_tone
from video_makers import Film, Made, rewritten, shoot

# Of a display matrix (a, b, c, d), 16.16 fixed point: x' = a x + c y, y' = b x + d y.
_TURNS = {0: (1, 0, 0, 1), 90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}
_TKHD_MATRIX = 40
"""Where it starts in a `tkhd` of version 0."""
_NOTHING = b"\x47\x1f\xff\x10" + b"\xff" * 184
"""A packet of MPEG-TS that stuffs."""
UNEVEN_MS = (0, 40, 80, 200, 210, 220, 600, 1000, 1033, 1066, 1100, 2000)


def rotated(path: Path, degrees: int, film: Film | None = None) -> Made:
    """An MP4 whose display matrix turns it clockwise by 0, 90, 180 or 270 degrees.

    What is stored is upright, so the shown picture is not: `read_number` reads it after
    `np.rot90(rgb, degrees // 90)`, which undoes the turn.
    """
    made = shoot(path, film or Film())
    a, b, c, d = (value << 16 for value in _TURNS[degrees])

    def turn(data: bytes) -> bytes:
        offset = find(data, "moov/trak/tkhd").body + _TKHD_MATRIX
        return patched(data, offset, ">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)

    rewritten(path, turn)
    width, height = (made.width, made.height)[:: -1 if degrees % 180 else 1]
    return replace(made, rotation=degrees, width=width, height=height)


def stretched(path: Path) -> Made:
    """Samples are 4/3 as wide as they are high."""
    return shoot(path, Film(sample_aspect=Fraction(4, 3)))


def uneven(path: Path) -> Made:
    """A variable rate: frames at `UNEVEN_MS`."""
    return shoot(path, Film(frames=len(UNEVEN_MS), pts_ms=UNEVEN_MS))


def late(path: Path) -> Made:
    """The first frame is at 5 s."""
    return shoot(path, Film(start_seconds=Fraction(5)))


def single(path: Path) -> Made:
    """One frame."""
    return shoot(path, Film(frames=1))


def grey(path: Path) -> Made:
    """One plane of 8 bits, without colour."""
    return shoot(path, Film(codec="ffv1", pix_fmt="gray"))


def deep(path: Path) -> Made:
    """4:4:4, 10 bits a sample, H.264 High 4:4:4."""
    return shoot(path, Film(pix_fmt="yuv444p10le"))


def odd_sized(path: Path) -> Made:
    """61 x 35: 4:2:0 cannot halve it, and it is no whole number of blocks."""
    return shoot(path, Film(codec="mpeg4", width=61, height=35))


def full_range(path: Path) -> Made:
    """Samples from 0 to 255, where most videos go from 16 to 235."""
    return shoot(path, Film(pix_fmt="yuvj420p"))


def interlaced(path: Path) -> Made:
    """Frames of two fields, MPEG-4 coded as such."""
    return shoot(path, Film(codec="mpeg4", options={"flags": "+ildct+ilme"}))


def with_b_frames(path: Path) -> Made:
    """Coded in another order than shown. An AVI holds no times of showing: they do not rise."""
    return shoot(path, Film(options={"bf": "2", "b-pyramid": "none", "b_strategy": "0"}))


def joined(path: Path) -> Made:
    """MPEG-TS of two minutes, into which sound comes for a while: a stream appears midway.

    It does so behind what is looked at when a file is opened, and before its last 250 kB.
    """
    first = shoot(path, Film(frames=120, fps=1))
    sound, last = path.with_suffix(".sound.ts"), path.with_suffix(".last.ts")
    with av.open(str(sound), "w", options={"mpegts_start_pid": "300"}) as container:
        add_tone(container, start_seconds=120)
    rest = shoot(
        last, Film(frames=20, fps=1, start_seconds=Fraction(120), first_number=first.frames)
    )
    pieces = sound.read_bytes() + _NOTHING * 2000 + last.read_bytes()
    rewritten(path, lambda data: data + pieces)
    sound.unlink()
    last.unlink()
    return replace(
        first,
        frames=first.frames + rest.frames,
        pts_seconds=first.pts_seconds + rest.pts_seconds,
        numbers=first.numbers + rest.numbers,
    )


def hevc(path: Path) -> Made:
    """HEVC of 10 bits, as phones write it."""
    return shoot(path, Film(codec="libx265", pix_fmt="yuv420p10le"))
