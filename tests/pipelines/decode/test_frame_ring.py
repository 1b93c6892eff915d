"""A ring of frames between a writer and a reader, here of one process."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from posemill.pipelines.decode.frame_ring import MAX_SLOTS, Bell, FrameRing, RingReader
from posemill.schema import UInt8

SHAPE = (3, 5, 3)


def pair(num_slots: int, shape: tuple[int, ...] = SHAPE) -> tuple[FrameRing, RingReader]:
    ring = FrameRing(int(np.prod(shape)), num_slots, Bell())
    return ring, RingReader(ring.fd, ring.slot_bytes, num_slots, Bell())


def picture(value: int) -> UInt8:
    return np.full(SHAPE, value, np.uint8)


def pass_on(ring: FrameRing, reader: RingReader, value: int) -> UInt8:
    slot = ring.free_slot()
    assert slot is not None
    ring.put(slot, picture(value))
    return reader.take(slot, SHAPE)


def test_frames_are_what_was_written() -> None:
    rng = np.random.default_rng(0)
    shape = (37, 41, 3)
    ring, reader = pair(4, shape)
    frames = [rng.integers(0, 256, shape, np.uint8) for _ in range(4)]
    for slot, frame in enumerate(frames):
        assert ring.free_slot() == slot
        ring.put(slot, frame)
    assert ring.free_slot() is None
    for slot in (2, 0, 3, 1):
        np.testing.assert_array_equal(reader.take(slot, shape), frames[slot])
    assert ring.free_slot() == 0


def test_a_slot_is_free_when_the_last_array_that_looks_at_it_is_gone() -> None:
    ring, reader = pair(4)
    frame = pass_on(ring, reader, 7)
    part = frame[1:, ::2][..., 0]
    del frame
    assert ring.free_slot() == 1
    assert (part == 7).all()
    del part
    assert ring.free_slot() == 0


def test_whoever_keeps_frames_gets_copies_and_does_not_stop_the_writer() -> None:
    ring, reader = pair(4)
    kept = [pass_on(ring, reader, value) for value in range(20)]
    assert [int(frame[0, 0, 0]) for frame in kept] == list(range(20))
    assert ring.free_slot() == 2  # half of the slots are lent, no more


def test_frames_may_be_written_to_and_outlive_the_ring() -> None:
    ring, reader = pair(2)
    frame = pass_on(ring, reader, 1)
    ring.close()
    del ring, reader
    frame += 1
    assert (frame == 2).all()


def test_a_ring_is_used_again_for_frames_of_about_its_size_when_it_is_empty() -> None:
    ring = FrameRing(100 * 4096, 2, bell := Bell())
    reader = RingReader(ring.fd, ring.slot_bytes, 2, bell)
    assert [ring.can_take(pages * 4096) for pages in (49, 50, 100, 101)] == [
        False,
        True,
        True,
        False,
    ]
    frame = pass_on(ring, reader, 0)
    assert not ring.can_take(100 * 4096)
    del frame
    assert ring.can_take(100 * 4096)


def test_a_reader_that_leaves_late_stops_no_later_clip() -> None:
    ring, reader = pair(2)
    assert not ring.is_dropped(0)
    reader.drop(0)
    assert ring.is_dropped(0)
    assert not ring.is_dropped(1)
    reader.drop(2)
    reader.drop(1)
    assert ring.is_dropped(2)


def test_the_bell_is_remembered_and_may_be_rung_when_it_is_closed() -> None:
    bell = Bell()
    bell.ring()
    bell.ring()
    bell.wait()
    bell.close()
    bell.ring()
    bell.close()


def test_memory_has_no_name_and_only_what_was_written_exists() -> None:
    ring, _ = pair(64, (1024, 1024, 3))
    assert Path(f"/proc/self/fd/{ring.fd}").readlink().name.endswith("(deleted)")
    assert os.fstat(ring.fd).st_blocks == 0
    ring.put(0, np.ones((4, 4, 3), np.uint8))
    assert os.fstat(ring.fd).st_blocks * 512 == 2 * 4096  # a page of states, a page of pixels


@pytest.mark.parametrize("num_slots", [0, MAX_SLOTS + 1])
def test_the_number_of_slots_is_bounded(num_slots: int) -> None:
    with pytest.raises(ValueError, match="1 to 4088 slots"):
        FrameRing(1, num_slots, Bell())
