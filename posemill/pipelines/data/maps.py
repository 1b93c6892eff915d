"""A torch Dataset over a feature store's maps, augmented at load.

Every draw comes from a generator seeded by (seed, clip id, epoch, view), so a
sample depends neither on the number of workers nor on the order of reading.
Maps stay uint8 until they are on the model's device.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from posemill.errors import InputError
from posemill.schema import Int64, UInt8
from posemill.storage.features import FeatureStore
from posemill.transforms.augment import (
    centre_crop,
    flip_maps,
    pose_aware_jitter,
    random_crop,
)
from posemill.transforms.seeding import clip_generator
from posemill.transforms.skeletons import get_skeleton, jitter_groups

VALID_HW = "valid_hw"
PRELOAD_BYTES = 512 * 2**20
"""Up to this many bytes of maps are held in memory; larger subsets are read clip by clip."""
_SIDES = frozenset({"left", "right"})


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How a training view differs from what is stored; jitter as in JMRN, section 3.2.

    Raises:
        InputError: a probability outside [0, 1], or a negative number of pixels.
    """

    flip: float = 0.5
    """Probability of the mirror image, with left and right joints and classes swapped."""
    beta_px: int = 0
    """Greatest shift of all joints together, px of the stored maps; 0 switches it off."""
    gamma_px: int = 0
    """Greatest shift of each group of joints, px of the stored maps; 0 switches it off."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.flip <= 1.0:
            raise InputError(f"flip is a probability from 0 to 1, got {self.flip}")
        if self.beta_px < 0 or self.gamma_px < 0:
            raise InputError(
                f"beta and gamma are pixels, 0 or more; got {self.beta_px} and {self.gamma_px}"
            )


@dataclass(frozen=True)
class ClipSet:
    """The clips of a subset that can be used: N rows of a feature store."""

    rows: Int64  # (N,)
    clip_ids: tuple[str, ...]
    video_ids: tuple[str, ...]
    labels: tuple[int, ...]
    mirror_labels: tuple[int, ...]
    """The class that the flipped clip shows, -1 where none is declared."""
    num_unavailable: int
    """Labelled clips of the subset without features: their videos are missing or unreadable."""

    def __len__(self) -> int:
        return len(self.clip_ids)


def select_clips(store: FeatureStore, split: str, subset: str) -> ClipSet:
    """The labelled clips of `subset` in `split` whose features are there, in row order.

    Raises:
        InputError: no such split or subset, none of its clips has a label, or none has features.
        StoreCorrupted: features are not as they were committed.
    """
    inside = store.subset(split, subset)
    labelled = inside & (store.labels() >= 0)
    if not labelled.any():
        raise InputError(
            f"{store.url}: none of the {int(inside.sum())} clips of {split}/{subset} has a label; "
            "put the videos into a folder for each class, or index a dataset with labels"
        )
    usable = labelled & store.valid()
    if not usable.any():
        raise InputError(
            f"{store.url}: none of the {int(labelled.sum())} labelled clips of {split}/{subset} "
            "has features; materialize them first"
        )
    rows = store.rows()
    numbers = np.flatnonzero(usable).astype(np.int64)
    chosen = [row for row in (rows[number] for number in numbers) if row is not None]
    return ClipSet(
        rows=numbers,
        clip_ids=tuple(row.clip_id for row in chosen),
        video_ids=tuple(row.video_id for row in chosen),
        labels=tuple(row.label for row in chosen),
        mirror_labels=tuple(row.mirror_label for row in chosen),
        num_unavailable=int((labelled & ~usable).sum()),
    )


def names_a_side(class_name: str) -> bool:
    """Whether a class name has the word left or right in it, as in `wave_left` or `WaveLeft`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", class_name)
    return not _SIDES.isdisjoint(re.split(r"[^a-z]+", spaced.lower()))


def check_flip(classes: tuple[str, ...], clips: ClipSet) -> None:
    """Refuse to flip clips whose class names a side and whose mirrored class is not declared.

    Raises:
        InputError: there are such clips; a flip would teach the wrong class.
    """
    undeclared = sorted(
        {
            classes[label]
            for label, mirror in zip(clips.labels, clips.mirror_labels, strict=True)
            if mirror < 0 and names_a_side(classes[label])
        }
    )
    if undeclared:
        raise InputError(
            f"flip would turn clips of the classes {', '.join(undeclared)} into their other side, "
            "and their mirror labels are not declared; declare them in mirror_labels.json when "
            "indexing, or train with flip 0"
        )


class Sample(NamedTuple):
    """One view of one clip."""

    maps: Tensor  # (K, C, H, W) uint8
    label: int
    number: int
    """Of the clip, in the dataset."""
    empty: bool
    """Whether the stored maps are all 0."""


class MapDataset(Dataset[Sample]):
    """Views of a `ClipSet`'s maps: training views where there is an augmentation, else test views.

    An item's key is `(epoch, index)`, as `EpochSampler` gives it, or `index`
    for epoch 0. It may be forked and pickled; a pickled one reads clip by clip.

    Args:
        store: holds `array` (K, C, H, W) uint8 and `valid_hw` for each clip.
        crop_hw: size of a view; None takes all of the canvas. Training views
            crop at random, test views in the middle; smaller frames are padded.

    Raises:
        InputError: the store lacks an array, cannot be flipped or jittered, or `crop_hw` is
            larger than its maps.
    """

    def __init__(
        self,
        store: FeatureStore,
        array: str,
        clips: ClipSet,
        crop_hw: tuple[int, int] | None = None,
        augmentation: Augmentation | None = None,
        seed: int = 0,
    ) -> None:
        self.clips = clips
        self._store = store
        self._array = array
        self.map_shape = map_shape(store, array)
        self.view_hw = crop_hw or self.map_shape[2:]
        _check_crop(self.view_hw, self.map_shape[2:])
        self._augmentation = augmentation
        self._seed = seed
        skeleton = get_skeleton(store.configuration["skeleton"])
        self._mirror = skeleton.mirror
        wants_groups = augmentation is not None and augmentation.gamma_px > 0
        self._groups = jitter_groups(skeleton) if wants_groups else ()
        if augmentation is not None and augmentation.flip > 0:
            check_flip(store.classes, clips)
        self._valid_hw = store.read(VALID_HW, clips.rows)  # (N, 2)
        self._maps = self._preload()

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_maps": None}  # a worker does not get a copy of the data

    def __len__(self) -> int:
        return len(self.clips)

    def __getitem__(self, key: int | tuple[int, int]) -> Sample:
        epoch, index = key if isinstance(key, tuple) else (0, key)
        stored = self._stored(index)
        maps, flipped = self._view(stored, index, epoch)
        label = self.clips.labels[index]
        if flipped and self.clips.mirror_labels[index] >= 0:
            label = self.clips.mirror_labels[index]
        return Sample(torch.from_numpy(maps), label, index, not stored.any())

    def _preload(self) -> UInt8 | None:
        num_bytes = len(self.clips) * int(np.prod(self.map_shape))
        if num_bytes > PRELOAD_BYTES:
            return None
        return self._store.read(self._array, self.clips.rows)

    def _stored(self, index: int) -> UInt8:
        if self._maps is not None:
            stored: UInt8 = self._maps[index]
            return stored
        return self._store.read(self._array, int(self.clips.rows[index]))

    def _view(self, stored: UInt8, index: int, epoch: int) -> tuple[UInt8, bool]:
        """The maps (K, C, *view_hw), and whether they are flipped."""
        valid_hw = (int(self._valid_hw[index, 0]), int(self._valid_hw[index, 1]))
        window_hw = (min(valid_hw[0], self.view_hw[0]), min(valid_hw[1], self.view_hw[1]))
        flipped = False
        if self._augmentation is None:
            window = centre_crop(stored, valid_hw, window_hw)
        else:
            rng = clip_generator(self._seed, self.clips.clip_ids[index], epoch)
            window = random_crop(stored, valid_hw, window_hw, rng)
            window = pose_aware_jitter(
                window,
                self._groups,
                rng,
                beta=self._augmentation.beta_px,
                gamma=self._augmentation.gamma_px,
            )
            flipped = bool(rng.random() < self._augmentation.flip)
            if flipped:
                window = flip_maps(window, self._mirror)
        # Padded last: the frame's content, not its padding, is what is shifted and flipped.
        return _pad(window, self.view_hw), flipped


class EpochSampler(Sampler[tuple[int, int]]):
    """All clips of a dataset in an order drawn from (seed, epoch), as keys `(epoch, index)`."""

    def __init__(self, num_clips: int, seed: int) -> None:
        self._num_clips = num_clips
        self._seed = seed
        self.epoch = 0
        """Set it before each pass."""

    def __len__(self) -> int:
        return self._num_clips

    def __iter__(self) -> Iterator[tuple[int, int]]:
        order = np.random.default_rng([self._seed, self.epoch]).permutation(self._num_clips)
        for index in order:
            yield self.epoch, int(index)


def recipe_name(store: FeatureStore) -> str:
    """The recipe that a feature store was rendered by."""
    return str(store.configuration["recipe"]["name"])


def map_shape(store: FeatureStore, array: str) -> tuple[int, int, int, int]:
    """(K, C, H, W) of the stored maps `array`.

    Raises:
        InputError: the store has no such maps.
    """
    for spec in store.specs:
        if spec.name == array and len(spec.shape) == 4 and spec.dtype == "uint8":
            keypoints, channels, height, width = spec.shape
            return keypoints, channels, height, width
    held = ", ".join(f"{spec.name} {spec.shape} {spec.dtype}" for spec in store.specs)
    raise InputError(
        f"{store.url}: expected maps {array!r} of uint8 with the dimensions keypoint, channel, "
        f"y, x; it holds: {held}"
    )


def _check_crop(view_hw: tuple[int, int], canvas_hw: tuple[int, int]) -> None:
    if not all(1 <= view <= canvas for view, canvas in zip(view_hw, canvas_hw, strict=True)):
        raise InputError(
            f"a crop of {view_hw[0]} x {view_hw[1]} px does not fit the stored maps, "
            f"{canvas_hw[0]} x {canvas_hw[1]} px; give height and width within that"
        )


def _pad(window: UInt8, size_hw: tuple[int, int]) -> UInt8:
    height, width = window.shape[-2:]
    if (height, width) == size_hw:
        return window
    padded = np.zeros((*window.shape[:-2], *size_hw), window.dtype)
    padded[..., :height, :width] = window
    return padded
