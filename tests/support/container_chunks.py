"""The parts that a container is made of, whatever the container, to take it apart by. Pure.

MP4's atoms, RIFF's chunks, Matroska's elements (RFC 8794), packets of MPEG-TS.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import mp4_atoms

_EBML = b"\x1a\x45\xdf\xa3"
_RIFF_LISTS = (b"RIFF", b"LIST")
_TS_PACKET, _TS_SYNC = 188, 0x47
# Segment, Tracks, TrackEntry, Video, Cluster, BlockGroup, Cues, SeekHead, Seek, Info, Tags
_EBML_MASTERS = {
    *(0x18538067, 0x1654AE6B, 0xAE, 0xE0, 0x1F43B675, 0xA0),
    *(0x1C53BB6B, 0x114D9B74, 0x4DBB, 0x1549A966, 0x1254C367),
}


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part with a name, and mostly with a size field."""

    name: str
    start: int
    body: int
    end: int
    size_at: int = 0
    size_bytes: int = 0
    """0 where there is no size field."""
    form: str = "ts"
    """`mp4`, `riff`, `ebml` or `ts`: how the size is written."""

    def holds(self, start: int, end: int) -> bool:
        """Whether it contains what lies there; itself it does not contain."""
        return self.body <= start and end <= self.end

    def size_field(self, length: int) -> bytes:
        """The size field of a body of `length` bytes, cut to the bits that there are."""
        if self.form == "mp4":
            return struct.pack(">I", (length + self.body - self.start) % 2**32)
        if self.form == "riff":
            return struct.pack("<I", length % 2**32)
        bits = 7 * self.size_bytes
        return (length % 2**bits | 1 << bits).to_bytes(self.size_bytes, "big")


def chunks_of(data: bytes) -> list[Chunk]:
    """Every part, outer ones before inner ones; none of what is no known container."""
    if data[4:8] in (b"ftyp", b"moov", b"free", b"wide", b"mdat"):
        return [
            Chunk(atom.kind, atom.start, atom.body, atom.end, atom.start, 4, "mp4")
            for atom in mp4_atoms.walk(data)
            if atom.body - atom.start == 8
        ]
    if data[:4] == b"RIFF":
        return list(_riff(data, 0, len(data)))
    if data[:4] == _EBML:
        return list(_ebml(data, 0, len(data)))
    if data[:1] == bytes([_TS_SYNC]):
        return list(_packets(data))
    return []


def _riff(data: bytes, start: int, end: int) -> Iterator[Chunk]:
    while start + 8 <= end:
        name, size = struct.unpack_from("<4sI", data, start)
        stop = min(start + 8 + size, end)
        yield Chunk(name.decode("latin-1"), start, start + 8, stop, start + 4, 4, "riff")
        if name in _RIFF_LISTS and stop >= start + 12:
            yield from _riff(data, start + 12, stop)
        start = stop + size % 2


def _ebml(data: bytes, start: int, end: int) -> Iterator[Chunk]:
    while start < end:
        id_bytes = _vint_bytes(data[start])
        size_at = start + id_bytes
        if size_at >= end:
            return
        size_bytes = _vint_bytes(data[size_at])
        body = size_at + size_bytes
        if body > end or max(id_bytes, size_bytes) > 8:
            return
        length = int.from_bytes(data[size_at:body], "big") & (1 << 7 * size_bytes) - 1
        element = int.from_bytes(data[start:size_at], "big")
        stop = min(body + length, end)  # a size of all ones says that it is not known
        yield Chunk(f"{element:x}", start, body, stop, size_at, size_bytes, "ebml")
        if element in _EBML_MASTERS:
            yield from _ebml(data, body, stop)
        start = stop


def _vint_bytes(first: int) -> int:
    """Bytes of a number whose leading zeros count them; 9 is none."""
    return 9 - first.bit_length()


def _packets(data: bytes) -> Iterator[Chunk]:
    for start in range(0, len(data) - _TS_PACKET + 1, _TS_PACKET):
        pid = struct.unpack_from(">H", data, start + 1)[0] & 0x1FFF
        yield Chunk(f"pid {pid}", start, start + 4, start + _TS_PACKET)
