"""Breaks a video file at random, always in the same way for the same generator. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from container_chunks import Chunk, chunks_of
from numpy.random import Generator

_HEADER_BYTES = 1024
_TELLING = (0, 1, 2, 3, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1)
# Codes of AVI and MOV, and names of Matroska, by which FFmpeg finds its decoders.
_FOURCC = (
    b"avc1 hvc1 av01 mp4v XVID DIV3 MPG1 mpg2 WMV1 WMV2 WMV3 WVC1 H263 FLV1 VP31 VP60 VP62 VP80 "
    b"VP90 theo RV40 SVQ1 SVQ3 cvid IV32 IV50 MJPG dvsd dvcp apcn apch AVdn CFHD drac png  jpeg "
    b"mjp2 gif  tiff BMP  rle  rpza smc  8BPS QDRW tscc tsc2 ZLIB MSZH HFYU FFVH FFV1 LAGS ULRG "
    b"M8RG SCPR MSS1 MSS2 G2M4 DXSB Hap1 HapQ DXD3 VMnc ZMBV FPS1 CSCD QPEG LOCO WNV1 CRAM raw  "
    b"yuv2 v210 v410 r210 AVRp AIC  pxlt icod FICV SHQ2 UCOD MWV1 EM2V RAVI CLJR ASV1 VCR1 TM20"
)
_MATROSKA = (
    b"V_MPEG4/ISO/AVC V_MPEGH/ISO/HEVC V_MPEG4/ISO/ASP V_MPEG2 V_MPEG1 V_VP8 V_VP9 V_AV1 V_MJPEG "
    b"V_THEORA V_DIRAC V_PRORES V_FFV1 V_REAL/RV10 V_REAL/RV30 V_REAL/RV40 V_SNOW V_UNCOMPRESSED "
    b"V_QUICKTIME V_MS/VFW/FOURCC V_MPEGI/ISO/VVC"
)
# Where a code lies in the body of the part that holds it.
_CODE_AT = {"stsd": 12, "strf": 16, "strh": 4}
_CODEC_ID = "86"


@dataclass(frozen=True, slots=True)
class Mutant:
    data: bytes
    kind: str
    """One of `KINDS`."""
    edits: int


def mutate(data: bytes, others: Sequence[bytes], rng: Generator) -> Mutant:
    """`data` after one to four edits of one kind; some kinds take bytes of `others`."""
    names = list(KINDS) if chunks_of(data) else list(_ANYWHERE)
    kind = names[rng.integers(len(names))]
    edits = int(min(rng.geometric(0.5), 4))
    for _ in range(edits):
        data = KINDS[kind](data, others[rng.integers(len(others))], rng)
    return Mutant(data, kind, edits)


def _flip_bits(data: bytes, other: bytes, rng: Generator) -> bytes:
    """From one bit to one in a hundred."""
    bits = np.unpackbits(np.frombuffer(data, np.uint8))
    if len(bits) == 0:
        return data
    count = int(np.exp(rng.uniform(0, np.log(1 + len(bits) / 100))))
    bits[rng.integers(len(bits), size=count)] ^= 1
    return np.packbits(bits).tobytes()


def _overwrite(data: bytes, other: bytes, rng: Generator) -> bytes:
    start, end = _range(data, rng)
    filling = [bytes(end - start), b"\xff" * (end - start), rng.bytes(end - start)]
    return data[:start] + filling[rng.integers(3)] + data[end:]


def _cut(data: bytes, other: bytes, rng: Generator) -> bytes:
    return data[: rng.integers(len(data) + 1)]


def _cut_out(data: bytes, other: bytes, rng: Generator) -> bytes:
    start, end = _range(data, rng)
    return data[:start] + data[end:]


def _repeat(data: bytes, other: bytes, rng: Generator) -> bytes:
    start, end = _range(data, rng)
    return data[:end] + data[start:]


def _splice(data: bytes, other: bytes, rng: Generator) -> bytes:
    """The front of one file, then the back of another."""
    return data[: rng.integers(len(data) + 1)] + other[rng.integers(len(other) + 1) :]


def _set_header_number(data: bytes, other: bytes, rng: Generator) -> bytes:
    return _with_number(data, 0, min(_HEADER_BYTES, len(data)), rng)


def _remove_chunk(data: bytes, other: bytes, rng: Generator) -> bytes:
    chunk = _choose(chunks_of(data), rng)
    return data if chunk is None else _replaced(data, chunk.start, chunk.end, b"", rng)


def _double_chunk(data: bytes, other: bytes, rng: Generator) -> bytes:
    chunks = chunks_of(data)
    chunk, place = _choose(chunks, rng), _choose(chunks, rng)
    if chunk is None or place is None:
        return data
    copy = data[chunk.start : chunk.end]
    return _replaced(data, place.start, place.start, copy, rng)


def _swap_chunks(data: bytes, other: bytes, rng: Generator) -> bytes:
    chunks = chunks_of(data)
    one, two = _choose(chunks, rng), _choose(chunks, rng)
    if one is None or two is None:
        return data
    first, second = sorted((one, two), key=lambda chunk: chunk.start)
    if first.end > second.start:  # one within the other
        return data
    a, b = data[first.start : first.end], data[second.start : second.end]
    return data[: first.start] + b + data[first.end : second.start] + a + data[second.end :]


def _resize_chunk(data: bytes, other: bytes, rng: Generator) -> bytes:
    """Its size field says something else than its size."""
    chunk = _choose([chunk for chunk in chunks_of(data) if chunk.size_bytes], rng)
    if chunk is None:
        return _set_chunk_number(data, other, rng)
    length = chunk.end - chunk.body
    claims = [0, length // 2, length - 1, length + 1, 2 * length, int(_TELLING[rng.integers(13)])]
    field = chunk.size_field(max(0, claims[rng.integers(len(claims))]))
    return data[: chunk.size_at] + field + data[chunk.size_at + len(field) :]


def _set_chunk_number(data: bytes, other: bytes, rng: Generator) -> bytes:
    """A number in a part, of which the small ones are headers."""
    chunk = _choose(chunks_of(data), rng)
    if chunk is None:
        return data
    return _with_number(data, chunk.start, min(chunk.end, chunk.body + 256), rng)


def _graft_chunk(data: bytes, other: bytes, rng: Generator) -> bytes:
    """A part of another file takes the place of its namesake, or of any other."""
    mine, theirs = _choose(chunks_of(data), rng), chunks_of(other)
    if mine is None:
        return data
    namesakes = [chunk for chunk in theirs if chunk.name == mine.name]
    graft = _choose(namesakes or theirs, rng)
    if graft is None:
        return _splice(data, other, rng)
    return _replaced(data, mine.start, mine.end, other[graft.start : graft.end], rng)


def _rename_codec(data: bytes, other: bytes, rng: Generator) -> bytes:
    """Another decoder gets the packets."""
    for chunk in chunks_of(data):
        if chunk.name == _CODEC_ID and chunk.form == "ebml":
            names = _MATROSKA.split()
            name = names[rng.integers(len(names))]
            return _put(data, chunk.body, chunk.end, name, sizes_follow=True)
    places = [c.body + _CODE_AT[c.name] for c in chunks_of(data) if c.name in _CODE_AT]
    if not places:
        return _set_header_number(data, other, rng)
    code = int(rng.integers(len(_FOURCC) // 5 + 1)) * 5
    for place in places:
        data = data[:place] + _FOURCC[code : code + 4] + data[place + 4 :]
    return data


Edit = Callable[[bytes, bytes, Generator], bytes]
_ANYWHERE: dict[str, Edit] = {
    "bits flipped": _flip_bits,
    "overwritten": _overwrite,
    "cut": _cut,
    "cut out": _cut_out,
    "repeated": _repeat,
    "spliced": _splice,
    "header number": _set_header_number,
}
KINDS: dict[str, Edit] = {
    **_ANYWHERE,
    "chunk removed": _remove_chunk,
    "chunk doubled": _double_chunk,
    "chunks swapped": _swap_chunks,
    "chunk resized": _resize_chunk,
    "chunk number": _set_chunk_number,
    "chunk grafted": _graft_chunk,
    "codec renamed": _rename_codec,
}


def _range(data: bytes, rng: Generator) -> tuple[int, int]:
    """Somewhere, from one byte to a quarter of the file."""
    length = int(np.exp(rng.uniform(0, np.log(1 + len(data) / 4))))
    start = int(rng.integers(len(data) + 1))
    return start, min(start + length, len(data))


def _with_number(data: bytes, start: int, end: int, rng: Generator) -> bytes:
    """One number between `start` and `end` replaced by a telling one, or changed a little."""
    width = int(2 ** rng.integers(4))
    if end - start < width:
        return data
    at = int(rng.integers(start, end - width + 1))
    order = ("big", "little")[rng.integers(2)]
    value = int.from_bytes(data[at : at + width], order)
    changes = [value + 1, value - 1, value * 2, _TELLING[rng.integers(len(_TELLING))]]
    value = changes[rng.integers(len(changes))] % 256**width
    return data[:at] + value.to_bytes(width, order) + data[at + width :]


def _choose(chunks: Sequence[Chunk], rng: Generator) -> Chunk | None:
    """Each name is as likely as the others, however many parts bear it."""
    names = sorted({chunk.name for chunk in chunks})
    if not names:
        return None
    name = names[rng.integers(len(names))]
    bearers = [chunk for chunk in chunks if chunk.name == name]
    return bearers[rng.integers(len(bearers))]


def _replaced(data: bytes, start: int, end: int, by: bytes, rng: Generator) -> bytes:
    """Other bytes there; in half of the cases the sizes of what holds them follow."""
    return _put(data, start, end, by, sizes_follow=bool(rng.integers(2)))


def _put(data: bytes, start: int, end: int, by: bytes, *, sizes_follow: bool) -> bytes:
    edited = bytearray(data)
    if sizes_follow:
        grown = len(by) - (end - start)
        for chunk in chunks_of(data):
            if chunk.size_bytes and chunk.holds(start, end):
                field = chunk.size_field(max(0, chunk.end - chunk.body + grown))
                edited[chunk.size_at : chunk.size_at + len(field)] = field
    edited[start:end] = by
    return bytes(edited)
