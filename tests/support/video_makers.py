"""Writes small videos of numbered frames, and tells what is true of each by construction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numbered_frames import draw_number

INTRA = {"g": "1"}
"""Every frame for itself: what is lost of one harms no other."""
_SAME_BYTES = {"fflags": "+bitexact"}
"""No time of writing and no random numbers: the same film is the same file."""
_COUNTING = frozenset({".mp4", ".mov", ".avi"})
"""Containers whose headers hold a number of frames."""


@dataclass(frozen=True, slots=True)
class Made:
    """A file, and what a reader that makes no mistake finds in it."""

    path: Path
    frames: int = 0
    """That can be decoded whole."""
    pts_seconds: tuple[float, ...] = ()
    """Of each of them, in the file's own time."""
    numbers: tuple[int, ...] = ()
    """That each of them spells, see `numbered_frames`."""
    width: int = 0
    """After rotation; samples as they are stored, whatever their aspect."""
    height: int = 0
    declared: int | None = None
    """Frames that the header claims; None where it does not say."""
    damaged_packets: tuple[int, ...] = ()
    """In the order of the file, from 0."""
    codec: str = ""
    sample_aspect: Fraction = field(default=Fraction(1))
    """Width of a sample over its height, before rotation."""
    rotation: int = 0
    """Degrees clockwise by which a player turns what is stored."""


@dataclass(frozen=True, slots=True)
class Film:
    """How to make a plain video: `frames` numbered frames at `fps` from `start_seconds` on."""

    frames: int = 20
    width: int = 64
    height: int = 48
    fps: int = 10
    codec: str = "libx264"
    pix_fmt: str = "yuv420p"
    options: Mapping[str, str] = field(default_factory=dict)
    """Of the encoder."""
    container: Mapping[str, str] = field(default_factory=dict)
    """Of the muxer."""
    start_seconds: Fraction = field(default=Fraction(0))
    pts_ms: tuple[int, ...] | None = None
    """Times of the frames, where they are not to be even."""
    sample_aspect: Fraction = field(default=Fraction(1))
    first_number: int = 0

    @property
    def numbers(self) -> tuple[int, ...]:
        return tuple(range(self.first_number, self.first_number + self.frames))

    @property
    def times(self) -> tuple[Fraction, ...]:
        """In seconds."""
        if self.pts_ms is not None:
            return tuple(Fraction(ms, 1000) for ms in self.pts_ms)
        return tuple(self.start_seconds + Fraction(index, self.fps) for index in range(self.frames))


def shoot(path: Path, film: Film, **changes: object) -> Made:
    """Encode a film; without B-frames, in key-frame groups of 12, unless its options differ."""
    with av.open(str(path), "w", options={**_SAME_BYTES, **film.container}) as container:
        stream = container.add_stream(film.codec, rate=film.fps, options=_options(film))
        context = stream.codec_context
        stream.width, stream.height, stream.pix_fmt = film.width, film.height, film.pix_fmt
        context.sample_aspect_ratio = film.sample_aspect
        base = Fraction(1, film.fps if film.pts_ms is None else 1000)
        context.time_base = base
        if film.pix_fmt.startswith("yuvj"):
            context.color_range = av.video.reformatter.ColorRange.JPEG
        for number, seconds in zip(film.numbers, film.times, strict=True):
            container.mux(stream.encode(_picture(film, number, round(seconds / base), base)))
        container.mux(stream.encode(None))
    facts = {
        "frames": film.frames,
        "pts_seconds": tuple(float(seconds) for seconds in film.times),
        "numbers": film.numbers,
        "width": film.width,
        "height": film.height,
        "declared": film.frames if path.suffix in _COUNTING else None,
        "codec": context.codec.canonical_name,
        "sample_aspect": film.sample_aspect,
    }
    return Made(path, **{**facts, **changes})


def packets(path: Path) -> list[tuple[int, int]]:
    """Offset and size in the file of each of its video's packets, in the order of decoding."""
    with av.open(str(path)) as container:
        found = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    if any(offset is None or offset < 0 for offset, _ in found):
        raise ValueError(f"{path}: its demuxer does not tell where packets lie")
    return found


def rewritten(path: Path, edit: Callable[[bytes], bytes]) -> None:
    """Put `edit` of the file's bytes in their place."""
    path.write_bytes(edit(path.read_bytes()))


def without(values: Sequence[float], lost: Sequence[int]) -> tuple[float, ...]:
    """The values at all places but the `lost` ones."""
    return tuple(value for place, value in enumerate(values) if place not in lost)


def _options(film: Film) -> dict[str, str]:
    quiet = {"x265-params": "log-level=none:pools=none"} if film.codec == "libx265" else {}
    # Its tree reads memory that it did not write, so that bits would differ from time to time.
    same = {"mbtree": "0"} if film.codec == "libx264" else {}
    return {"g": "12", "bf": "0", "threads": "1", **quiet, **same, **film.options}


def _picture(film: Film, number: int, pts: int, base: Fraction) -> av.VideoFrame:
    rgb = draw_number(number, film.width, film.height)
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
    frame = frame.reformat(format=film.pix_fmt)
    frame.pts, frame.time_base = pts, base
    return frame
