"""Placed poses of a batch of clips, ragged, as a loader ships them to the device that draws."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from posemill.schema import Int64
from posemill.transforms.placed import PlacedPoses, join_pointers


class Pointers(NamedTuple):
    """How much there is of everything, on the host: to ask the device would wait for it."""

    frame: Int64  # (F + 1,) over rows
    clip: Int64  # (B + 1,) over frames


@dataclass(frozen=True, slots=True)
class PlacedBatch:
    """People of B clips' frames in px of maps of one size, made by `collate_placed`.

    Clip b has frames `clip_ptr[b]` to `clip_ptr[b + 1] - 1`, and frame f rows
    `frame_ptr[f]` to `frame_ptr[f + 1] - 1`.
    """

    xy_px: Tensor  # (P, K, 2) float32
    score: Tensor  # (P, K) float32
    frame_ptr: Tensor  # (F + 1,) int64
    clip_ptr: Tensor  # (B + 1,) int64
    valid_hw: Tensor  # (B, 2) int64, of the part of each clip's maps that shows the frame
    size_hw: tuple[int, int]
    pointers: Pointers
    """`frame_ptr` and `clip_ptr` once more; these stay on the host."""

    @property
    def num_clips(self) -> int:
        return len(self.pointers.clip) - 1

    @property
    def num_keypoints(self) -> int:
        return self.score.shape[1]

    @property
    def num_bytes(self) -> int:
        """What `to` moves."""
        pointers = self.frame_ptr.nbytes + self.clip_ptr.nbytes + self.valid_hw.nbytes
        return self.xy_px.nbytes + self.score.nbytes + pointers

    def frames_each(self) -> int:
        """T, where all clips have as many frames.

        Raises:
            ValueError: they have not.
        """
        lengths = set(np.diff(self.pointers.clip).tolist())
        if len(lengths) != 1:
            raise ValueError(
                f"clips of one volume must have one number of frames, got {sorted(lengths)}"
            )
        return int(lengths.pop())

    def cut(self, num_frames: int) -> PlacedBatch:
        """The same frames as clips of `num_frames`: a volume's views, each a clip of its own.

        Raises:
            ValueError: clips that are not made of such parts.
        """
        parts, left = divmod(self.frames_each(), num_frames)
        if left:
            raise ValueError(
                f"clips of {self.frames_each()} frames are not made of parts of {num_frames}"
            )
        clip = np.arange(self.num_clips * parts + 1) * num_frames
        return replace(
            self,
            clip_ptr=torch.arange(len(clip), device=self.clip_ptr.device) * num_frames,
            valid_hw=self.valid_hw.repeat_interleave(parts, dim=0),
            pointers=Pointers(self.pointers.frame, clip),
        )

    def to(self, device: torch.device | str, *, non_blocking: bool = False) -> PlacedBatch:
        """The same on a device; `non_blocking` copies from pinned memory while the host goes on."""
        return self._each(lambda tensor: tensor.to(device, non_blocking=non_blocking))

    def pin_memory(self) -> PlacedBatch:
        """The same in memory that a GPU copies from by itself; torch's DataLoader calls this."""
        return self._each(lambda tensor: tensor.pin_memory())

    def _each(self, change: Callable[[Tensor], Tensor]) -> PlacedBatch:
        """The same with all tensors changed."""
        return replace(
            self,
            xy_px=change(self.xy_px),
            score=change(self.score),
            frame_ptr=change(self.frame_ptr),
            clip_ptr=change(self.clip_ptr),
            valid_hw=change(self.valid_hw),
        )


def collate_placed(clips: Sequence[PlacedPoses]) -> PlacedBatch:
    """Clips, of any numbers of frames and people, as one batch; a loader's `collate_fn`.

    Raises:
        ValueError: no clip, or clips of other numbers of joints or sizes of maps.
    """
    kinds = {(clip.num_keypoints, clip.size_hw) for clip in clips}
    if len(kinds) != 1:
        raise ValueError(
            "clips of a batch must have one number of joints and one size of maps, got "
            f"{sorted(kinds) or 'no clips'}"
        )
    num_frames = np.array([clip.num_frames for clip in clips], np.int64)
    pointers = Pointers(
        frame=join_pointers([clip.frame_ptr for clip in clips]),
        clip=np.concatenate([np.zeros(1, np.int64), np.cumsum(num_frames)]),
    )
    return PlacedBatch(
        xy_px=torch.from_numpy(np.concatenate([clip.xy_px for clip in clips])),
        score=torch.from_numpy(np.concatenate([clip.score for clip in clips])),
        frame_ptr=torch.from_numpy(pointers.frame.copy()),
        clip_ptr=torch.from_numpy(pointers.clip.copy()),
        valid_hw=torch.tensor([clip.valid_hw for clip in clips], dtype=torch.int64),
        size_hw=clips[0].size_hw,
        pointers=pointers,
    )
