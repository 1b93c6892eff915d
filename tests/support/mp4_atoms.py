"""The atoms (boxes) of an MP4 or MOV file: where they are, and how to take them apart. Pure.

Layout from ISO/IEC 14496-12, 4.2: 32 bits of size, four letters, and 64 bits of size
where the first size is 1; a size of 0 reaches to the end.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

CONTAINERS = frozenset(
    {"moov", "trak", "mdia", "minf", "stbl", "edts", "dinf", "udta", "mvex", "moof", "traf"}
)


@dataclass(frozen=True, slots=True)
class Atom:
    """One atom; its offsets are those in the file."""

    path: str
    """Names from the root, e.g. `moov/trak/tkhd`."""
    start: int
    """Of its size field."""
    body: int
    """Of what follows size and name."""
    end: int

    @property
    def kind(self) -> str:
        return self.path.rpartition("/")[2]


def walk(data: bytes, start: int = 0, end: int | None = None, above: str = "") -> Iterator[Atom]:
    """Every atom, parents before children, as far as sizes make sense."""
    end = len(data) if end is None else end
    while start + 8 <= end:
        size, name = struct.unpack_from(">I4s", data, start)
        body = start + 8
        if size == 1 and start + 16 <= end:
            size, body = struct.unpack_from(">Q", data, start + 8)[0], start + 16
        stop = end if size == 0 else start + size
        if not body <= stop <= end:
            return
        atom = Atom(f"{above}{name.decode('latin-1')}", start, body, stop)
        yield atom
        if atom.kind in CONTAINERS:
            yield from walk(data, body, stop, f"{atom.path}/")
        start = stop


def find(data: bytes, path: str) -> Atom:
    """The first atom of this path.

    Raises:
        LookupError: there is none.
    """
    for atom in walk(data):
        if atom.path == path:
            return atom
    raise LookupError(f"no atom {path} among {[atom.path for atom in walk(data)]}")


def patched(data: bytes, offset: int, form: str, *values: int) -> bytes:
    """The bytes with `values` in place of those at `offset`, written as `struct` does."""
    edited = bytearray(data)
    struct.pack_into(form, edited, offset, *values)
    return bytes(edited)


def rebuilt(data: bytes, bodies: Mapping[str, bytes], above: str = "") -> bytes:
    """The atoms of `data` with other bodies for those of these paths; sizes follow.

    Nothing that refers to places in the file is moved along.
    """
    parts: list[bytes] = []
    for atom in walk(data):
        if "/" in atom.path:
            continue
        path, body = f"{above}{atom.path}", data[atom.body : atom.end]
        if atom.kind in CONTAINERS:
            body = rebuilt(body, bodies, f"{path}/")
        body = bodies.get(path, body)
        parts.append(struct.pack(">I4s", 8 + len(body), atom.kind.encode("latin-1")) + body)
    return b"".join(parts)
