"""Files that ask for too much, never end, or would have a reader open something else."""

from __future__ import annotations

import os
import struct
from dataclasses import replace
from pathlib import Path

from mp4_atoms import find, patched, rebuilt
from video_makers import Film, Made, packets, rewritten, shoot

GIANT_SIDE = 100_000
_MP4_TIMESCALE = 10_240
"""Of what the muxer writes for 10 frames a second."""


def giant_header(path: Path) -> Made:
    """An AVI of FFV1 whose header says 100,000 x 100,000; a decoder would believe it."""
    made = shoot(path, Film(codec="ffv1", pix_fmt="gray"))

    def grow(data: bytes) -> bytes:
        # BITMAPINFOHEADER: size, width, height.
        data = patched(data, data.index(b"strf") + 12, "<2I", GIANT_SIDE, GIANT_SIDE)
        # avih: dwWidth and dwHeight, 32 bytes into its content.
        return patched(data, data.index(b"avih") + 40, "<2I", GIANT_SIDE, GIANT_SIDE)

    rewritten(path, grow)
    return _unreadable(made, GIANT_SIDE)


def giant_mp4(path: Path, side: int = 65_535) -> Made:
    """An MP4 whose `tkhd` and sample description say 65,535 x 65,535, all that fits.

    The H.264 stream says 64 x 48, and a decoder believes the stream.
    """
    made = shoot(path, Film())

    def grow(data: bytes) -> bytes:
        tkhd = find(data, "moov/trak/tkhd").body
        data = patched(data, tkhd + 76, ">2I", side << 16, side << 16)
        # stsd: version, count; then a sample entry, whose width is 32 bytes in.
        stsd = find(data, "moov/trak/mdia/minf/stbl/stsd").body
        return patched(data, stsd + 8 + 32, ">2H", side, side)

    rewritten(path, grow)
    return made


def giant_stream(path: Path, side: int = GIANT_SIDE) -> Made:
    """An MP4 whose H.264 parameters, in `avcC`, say `side` x `side`, a multiple of 16.

    At 100,000 decoders refuse. At 16,000 they believe it and fill in what is not
    there: 3 kB become 20 frames of 768 MB. No frame is one that was drawn.
    """
    made = shoot(path, Film())
    sps = _sequence_parameters(side // 16)

    def grow(data: bytes) -> bytes:
        at = data.index(b"avcC") + 4 + 6
        room = struct.unpack_from(">H", data, at)[0]
        if len(sps) > room:
            raise AssertionError(f"{len(sps)} bytes of parameters, room for {room}")
        # The rest of the room is trailing zeros, which a decoder skips.
        return data[: at + 2] + sps.ljust(room, b"\0") + data[at + 2 + room :]

    rewritten(path, grow)
    return _unreadable(made, side)


def endless(path: Path, copies: int = 2000) -> Made:
    """MPEG-TS: the same second over and over, whose times start again each time."""
    made = shoot(path, Film(frames=10))
    rewritten(path, lambda data: data * copies)
    return replace(
        made,
        frames=made.frames * copies,
        pts_seconds=made.pts_seconds * copies,
        numbers=made.numbers * copies,
    )


def many_frames(path: Path, frames: int = 1_000_000) -> Made:
    """An MP4 whose index names one key frame `frames` times over: 4 bytes of file a frame."""
    made = shoot(path, Film(frames=1, container={"use_editlist": "0"}))
    ((offset, size),) = packets(path)
    table = "moov/trak/mdia/minf/stbl"
    bodies = {
        f"{table}/stts": struct.pack(">4I", 0, 1, frames, _MP4_TIMESCALE // 10),
        f"{table}/stss": struct.pack(">3I", 0, 1, 1),
        f"{table}/stsc": struct.pack(">5I", 0, 1, 1, 1, 1),
        f"{table}/stsz": struct.pack(">3I", 0, size, frames),
        f"{table}/stco": struct.pack(">2I", 0, frames) + struct.pack(">I", offset) * frames,
    }
    rewritten(path, lambda data: rebuilt(data, bodies))
    return replace(
        made,
        frames=frames,
        declared=frames,
        numbers=(0,) * frames,
        pts_seconds=tuple(index / 10 for index in range(frames)),
    )


def false_index(path: Path, samples: int = 2**26 - 1) -> Made:
    """An MP4 of 2 kB whose only fragment tells of 67 million samples, each without a byte of index.

    FFmpeg takes 2.5 GB and ten seconds to open it.
    """
    made = shoot(path, Film(frames=4, container={"movflags": "frag_keyframe+empty_moov"}))
    # trun: offset and flags of the first sample are given, sizes and times are not.
    run = struct.pack(">4I", 0x05, samples, 120, 0x02000000)
    rewritten(path, lambda data: rebuilt(data, {"moof/traf/trun": run}))
    return _unreadable(made, 0)


def fifo(path: Path) -> Made:
    """A pipe into which nobody writes: whoever opens it waits."""
    os.mkfifo(path)
    return Made(path)


def playlist(path: Path, victim: Path) -> Made:
    """An ffconcat text that names `victim`, a video that lies beside it."""
    path.write_text(f"ffconcat version 1.0\nfile {victim.name}\n")
    return Made(path)


def hls_playlist(path: Path, victim: Path) -> Made:
    """An HTTP Live Streaming playlist that names `victim`, by a file URL."""
    path.write_text(
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:10\n#EXT-X-MEDIA-SEQUENCE:0\n"
        f"#EXTINF:2.0,\nfile://{victim.resolve()}\n#EXT-X-ENDLIST\n"
    )
    return Made(path)


def image_pattern(folder: Path) -> Made:
    """`img_%03d.png`, itself a picture, beside `img_000.png` and so on."""
    frames = [folder / f"img_{index:03d}.png" for index in range(5)]
    for path in frames:
        shoot(path, Film(frames=1, codec="png", pix_fmt="rgb24", container={"update": "1"}))
    pattern = folder / "img_%03d.png"
    pattern.write_bytes(frames[0].read_bytes())
    return Made(pattern)


def directory(path: Path) -> Made:
    """A folder that is named like a video."""
    path.mkdir()
    (path / "note.txt").write_text("a folder\n")
    return Made(path)


def symlink_loop(path: Path) -> Made:
    """A link to itself."""
    path.symlink_to(path.name)
    return Made(path)


def locked(path: Path) -> Made:
    """A video that nobody may read, but the superuser."""
    made = shoot(path, Film())
    path.chmod(0)
    return made


def _unreadable(made: Made, side: int) -> Made:
    return replace(made, frames=0, pts_seconds=(), numbers=(), width=side, height=side)


def _sequence_parameters(blocks: int) -> bytes:
    """An H.264 SPS unit (ITU-T H.264, 7.3.2.1.1) of Baseline profile, `blocks` square."""
    bits = "".join(
        [
            f"{0x67:08b}{66:08b}{0xC0:08b}{40:08b}",  # type, profile, constraints, level
            *map(_exp_golomb, [0, 0, 2, 1]),  # id, frame_num bits, order type, references
            "0",
            *map(_exp_golomb, [blocks - 1, blocks - 1]),
            "11001",  # frames only, direct inference, no cropping, no VUI; stop
        ]
    )
    bits = bits.ljust(-(-len(bits) // 8) * 8, "0")
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def _exp_golomb(value: int) -> str:
    digits = f"{value + 1:b}"
    return "0" * (len(digits) - 1) + digits
