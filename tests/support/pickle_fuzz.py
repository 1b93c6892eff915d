"""Pickles that were changed at random."""

from __future__ import annotations

import random
import struct

PIECES = (
    *(b"}", b"]", b"(", b")", b"t", b"\x85", b"R", b"b", b"e", b"u", b"a", b"s", b"0", b".", b"N"),
    *(b"h\x00", b"q\x00", b"j\xff\xff\xff\x7f", b"cposix\nsystem\n", b"\x8e" + b"\xff" * 8),
    struct.pack("<cI", b"X", 2**31),
)


def mutated(data: bytes, seed: int) -> bytes:
    """`data` with up to five bytes changed, or pieces cut out, put in or doubled."""
    rng, changed = random.Random(seed), bytearray(data)  # noqa: S311
    for _ in range(rng.choice((1, 1, 2, 5))):
        place = rng.randrange(max(1, len(changed)))
        match rng.choice((0, 0, 0, 1, 2, 3)):
            case 0:
                changed[place : place + 1] = bytes([rng.randrange(256)])
            case 1:
                del changed[place : place + rng.randint(1, 20)]
            case 2:
                changed[place:place] = rng.choice(PIECES)
            case _:
                start = rng.randrange(max(1, len(changed)))
                changed[place:place] = changed[start : start + rng.randint(1, 60)]
    return bytes(changed)
