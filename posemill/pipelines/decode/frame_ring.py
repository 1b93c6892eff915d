"""Frames in memory that two processes share, in equal slots, until their reader is done.

The memory has no name: it is gone with the last process that maps it, whatever
ends that, and takes nothing of what a system reserves for `/dev/shm`. Pages
that no frame has touched do not exist. The first page says of every slot
whether it is taken; a slot's writer sets that, its reader clears it and rings
the writer's bell. Before that it names the last clip whose reader has left, so
that a ring which holds the next clip by then is not taken for that one's.
"""

from __future__ import annotations

import mmap
import os
import struct
import weakref
from itertools import count

import numpy as np

from posemill.schema import UInt8

_PAGE = mmap.PAGESIZE
_DROPPED = struct.Struct("@Q")  # 1 + a clip's serial, or 0; the first page begins with it
_TAKEN = _DROPPED.size  # slot 0's byte of the first page
MAX_SLOTS = _PAGE - _TAKEN


class Bell:
    """Wakes the process that waits for it; rung while nobody waits, it is remembered."""

    def __init__(self, fd: int | None = None) -> None:
        """Of a file descriptor that was inherited, or a new one."""
        self._fd = os.eventfd(0, os.EFD_CLOEXEC) if fd is None else fd
        self._open = True

    def fileno(self) -> int:
        return self._fd

    def ring(self) -> None:
        if self._open:  # frames may outlive it
            os.eventfd_write(self._fd, 1)

    def wait(self) -> None:
        os.eventfd_read(self._fd)

    def close(self) -> None:
        if self._open:
            self._open = False
            os.close(self._fd)


class FrameRing:
    """The writer's side; makes the memory."""

    _numbers = count()

    def __init__(self, slot_bytes: int, num_slots: int, bell: Bell) -> None:
        if not 1 <= num_slots <= MAX_SLOTS:
            raise ValueError(f"a ring has 1 to {MAX_SLOTS} slots, got {num_slots}")
        self.number = next(self._numbers)
        self.slot_bytes, self.num_slots = _whole_pages(slot_bytes), num_slots
        size = _PAGE + self.slot_bytes * num_slots
        self.fd = os.memfd_create("posemill-frames")
        os.ftruncate(self.fd, size)
        self._memory = mmap.mmap(self.fd, size)
        self._bell = bell

    def is_dropped(self, serial: int) -> bool:
        """Whether the reader of this clip wants no more frames."""
        return bool(_DROPPED.unpack_from(self._memory)[0] == serial + 1)

    def can_take(self, frame_bytes: int) -> bool:
        """Whether it is empty and made for frames of about this size."""
        fits = self.slot_bytes / 2 <= _whole_pages(frame_bytes) <= self.slot_bytes
        return fits and not any(self._memory[_TAKEN : _TAKEN + self.num_slots])

    def free_slot(self) -> int | None:
        """The lowest, whose memory is the likeliest to be there already; None if all are taken."""
        place = self._memory.find(b"\0", _TAKEN, _TAKEN + self.num_slots)
        return place - _TAKEN if place >= 0 else None

    def wait(self) -> None:
        """Until the reader gave a slot back, or left, here or in another ring."""
        self._bell.wait()

    def put(self, slot: int, rgb: UInt8) -> None:
        """Copy a frame into a free slot, which is taken from then on."""
        start = _PAGE + slot * self.slot_bytes
        np.ndarray(rgb.shape, np.uint8, self._memory, start)[:] = rgb
        self._memory[_TAKEN + slot] = 1

    def close(self) -> None:
        """The memory stays while its reader has it."""
        self._memory.close()
        os.close(self.fd)


class RingReader:
    """The reader's side."""

    def __init__(self, fd: int, slot_bytes: int, num_slots: int, bell: Bell) -> None:
        """Maps the memory of a ring; the file descriptor can be closed then."""
        self._memory = mmap.mmap(fd, _PAGE + slot_bytes * num_slots)
        self._slot_bytes, self._num_slots, self._bell = slot_bytes, num_slots, bell
        self._lent = set[int]()

    def take(self, slot: int, shape: tuple[int, ...]) -> UInt8:
        """The frame in a slot that is taken; call it once.

        No copy while less than half of the slots are lent: the slot is given
        back when the last array that looks at it is gone. Else a copy, so that
        whoever keeps frames does not stop the writer.
        """
        frame: UInt8 = np.ndarray(shape, np.uint8, self._memory, _PAGE + slot * self._slot_bytes)
        if len(self._lent) >= self._num_slots // 2:
            kept = frame.copy()
            self._give_back(slot)
            return kept
        self._lent.add(slot)
        weakref.finalize(frame, self._give_back, slot).atexit = False
        return frame

    def drop(self, serial: int) -> None:
        """Tell the writer to stop with a clip: no further frame of it will be taken.

        Serials grow from clip to clip of a ring: of an earlier one, this says nothing new.
        """
        known = _DROPPED.unpack_from(self._memory)[0]
        _DROPPED.pack_into(self._memory, 0, max(known, serial + 1))
        self._bell.ring()

    def _give_back(self, slot: int) -> None:
        self._lent.discard(slot)
        self._memory[_TAKEN + slot] = 0
        self._bell.ring()


def _whole_pages(num_bytes: int) -> int:
    return -(-num_bytes // _PAGE) * _PAGE
