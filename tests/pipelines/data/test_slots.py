"""Batches in shared memory: where arrays lie, which slots are free, too little memory."""

import os
from itertools import islice
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from posemill.errors import EnvironmentFault
from posemill.pipelines.data.sampler import ClipSampler
from posemill.pipelines.data.slots import Parcel, Slots, SlotSampler


def test_what_is_written_to_a_slot_is_taken_from_it_as_a_copy() -> None:
    slots = Slots(2, 100)
    writer = slots.writer(1)
    first, second = writer((3,), "uint8"), writer((2, 2), np.float32)
    first[:], second[:] = 7, np.eye(2)
    labels, number, empty = np.array([1, 0]), np.array([4, 5]), np.array([False, True])
    parcel = Parcel(1, dict(zip("ab", writer.placed, strict=True)), labels, number, empty)
    batch = slots.take(parcel, pin_memory=False)
    assert batch.arrays["a"].tolist() == [7, 7, 7]
    assert torch.equal(batch.arrays["b"], torch.eye(2))
    assert (batch.labels.tolist(), batch.number.tolist()) == ([1, 0], [4, 5])
    assert batch.empty.tolist() == [False, True]
    first[:] = 8
    assert batch.arrays["a"].tolist() == [7, 7, 7]
    assert not batch.arrays["a"].is_shared()
    assert [placed.offset % 64 for placed in writer.placed] == [0, 0]


def test_more_than_a_slot_holds_is_refused() -> None:
    with pytest.raises(ValueError, match="a batch of 5000 bytes and more in a slot of"):
        Slots(1, 100).writer(0)((5000,), np.uint8)


def test_a_slot_is_given_again_only_after_its_release() -> None:
    sampler = SlotSampler(ClipSampler([0] * 6, 1, 0), 2)
    assert len(sampler) == 6
    tasks = iter(sampler)
    assert [next(tasks).slot, next(tasks).slot] == [0, 1]
    sampler.release(1)
    assert next(tasks).slot == 1
    # A pass that was given up holds nothing back from the next one.
    assert [task.slot for task in islice(sampler, 2)] == [0, 1]


def test_too_little_shared_memory_is_said_before_any_worker_starts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    small = SimpleNamespace(f_bavail=16, f_frsize=2**20)
    monkeypatch.setattr(os, "statvfs", lambda _path: small)
    monkeypatch.setattr(os.path, "isdir", lambda _path: True)
    Slots(2, 2**20)
    message = r"need 20 MiB of shared memory .* has 16 MiB left; .*--shm-size"
    with pytest.raises(EnvironmentFault, match=message):
        Slots(2, 10 * 2**20)
