"""Ragged batches of placed poses, as loaders make and ship them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from placed_clips import placed_clip

torch = pytest.importorskip("torch")

from torch.utils.data import DataLoader  # noqa: E402

from posemill.models.rasterize import PlacedBatch, collate_placed  # noqa: E402

CLIPS = [
    placed_clip([2, 0, 1], seed=1),
    placed_clip([], seed=2),
    placed_clip([0, 3], seed=3, valid_hw=(20, 9)),
]


def tensors(batch: PlacedBatch) -> dict[str, torch.Tensor]:
    """All of them: a new one must be moved and pinned as well."""
    fields = {field.name: getattr(batch, field.name) for field in dataclasses.fields(batch)}
    return {name: value for name, value in fields.items() if isinstance(value, torch.Tensor)}


def test_clips_lie_one_after_another() -> None:
    batch = collate_placed(CLIPS)
    assert batch.num_clips == 3
    assert batch.frame_ptr.tolist() == [0, 2, 2, 3, 3, 6]
    assert batch.clip_ptr.tolist() == [0, 3, 3, 5]
    assert batch.valid_hw.tolist() == [[20, 28], [20, 28], [20, 9]]
    np.testing.assert_array_equal(batch.xy_px[3:].numpy(), CLIPS[2].xy_px)
    np.testing.assert_array_equal(batch.score[:3].numpy(), CLIPS[0].score)
    assert batch.pointers.frame.tolist() == batch.frame_ptr.tolist()
    assert batch.pointers.clip.tolist() == batch.clip_ptr.tolist()


def test_views_become_clips() -> None:
    clips = [placed_clip([1, 2, 0, 1], seed=n, valid_hw=(20, 9 + n)) for n in range(2)]
    cut = collate_placed(clips).cut(2)
    assert cut.clip_ptr.tolist() == cut.pointers.clip.tolist() == [0, 2, 4, 6, 8]
    assert cut.valid_hw.tolist() == [[20, 9], [20, 9], [20, 10], [20, 10]]
    with pytest.raises(ValueError, match="4 frames are not made of parts of 3"):
        collate_placed(clips).cut(3)


def test_clips_of_different_lengths_are_no_volume() -> None:
    with pytest.raises(ValueError, match=r"one number of frames, got \[0, 2, 3\]"):
        collate_placed(CLIPS).frames_each()


def test_clips_of_other_maps_make_no_batch() -> None:
    with pytest.raises(ValueError, match="one number of joints and one size of maps"):
        collate_placed([CLIPS[0], placed_clip([1], num_keypoints=4)])
    with pytest.raises(ValueError, match="one number of joints and one size of maps"):
        collate_placed([CLIPS[0], placed_clip([1], size_hw=(21, 28))])
    with pytest.raises(ValueError, match="no clips"):
        collate_placed([])


def test_all_tensors_move_and_pointers_stay() -> None:
    batch = collate_placed(CLIPS)
    moved = batch.to("meta", non_blocking=True)
    assert {t.device.type for t in tensors(moved).values()} == {"meta"}
    assert moved.pointers is batch.pointers
    assert batch.num_bytes == 6 * 5 * 3 * 4 + (6 + 4 + 6) * 8


def test_loaders_pin_every_tensor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a GPU there is no pinned memory, so a copy stands for it."""
    pin_memory = pytest.importorskip("torch.utils.data._utils.pin_memory").pin_memory
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda tensor, *_: tensor.clone())
    batch = collate_placed(CLIPS)
    pinned = pin_memory(batch)
    assert isinstance(pinned, PlacedBatch)
    for name, tensor in tensors(batch).items():
        assert tensors(pinned)[name].data_ptr() != tensor.data_ptr()
        torch.testing.assert_close(tensors(pinned)[name], tensor, equal_nan=True)


@pytest.mark.parametrize("workers", [0, 1])
def test_loaders_collate_them(workers: int) -> None:
    loader = DataLoader(CLIPS, batch_size=2, collate_fn=collate_placed, num_workers=workers)
    first, second = loader
    assert (first.num_clips, second.num_clips) == (2, 1)
    assert first.pointers.clip.tolist() == [0, 3, 3]
    np.testing.assert_array_equal(second.xy_px.numpy(), CLIPS[2].xy_px)
