"""Views of maps on the uncropped canvas: windows of the part that shows the frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from posemill.pipelines.data.mirrors import Maps, mirror_joints
from posemill.pipelines.data.view_base import Arrays, MapViews
from posemill.transforms.augment import centre_crop, random_crop
from posemill.transforms.recipes.canvas import VALID_HW
from posemill.transforms.recipes.potion import NUM_FRAMES
from posemill.transforms.tempposeconv import pick_clip


@dataclass(frozen=True)
class CanvasViews(MapViews):
    """A window, at random in training and in the middle in tests; smaller frames are padded.

    Padded last: the frame's content, not its padding, is what is shifted and flipped.
    """

    @property
    def view_hw(self) -> tuple[int, int]:
        """Height and width of a view."""
        height, width = self.stored_shape[-2:]
        crop = self.augmentation.crop_hw
        return crop if crop != (0, 0) else (height, width)

    def pad(self, maps: Maps) -> Maps:
        height, width = maps.shape[-2:]
        if (height, width) == self.view_hw:
            return maps
        padded = np.zeros((*maps.shape[:-2], *self.view_hw), maps.dtype)
        padded[..., :height, :width] = maps
        return padded

    def window(self, arrays: Mapping[str, Maps]) -> dict[str, Any]:
        """Where a view may lie, and how large it is before it is padded."""
        height, width = arrays[VALID_HW.name].tolist()
        size = min(height, self.view_hw[0]), min(width, self.view_hw[1])
        return {"valid_hw": (height, width), "size_hw": size}


@dataclass(frozen=True)
class EncodedViews(CanvasViews):
    """Of PoTion and JMRN: maps of the whole clip, ([people,] K, C, H, W)."""

    mirror: tuple[int, ...]
    """Of the joints."""
    beside_shapes: Mapping[str, tuple[int, ...]]
    """What PoTion has beside its maps: `maximum` ([people,] K, C), `num_frames`."""

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {self.maps.name: (*self.stored_shape[:-2], *self.view_hw), **self.beside_shapes}

    def draw(self, arrays: Mapping[str, Maps], rng: np.random.Generator) -> Maps:
        return random_crop(arrays[self.maps.name], **self.window(arrays), rng=rng)

    def fixed(self, arrays: Mapping[str, Maps]) -> Maps:
        return centre_crop(arrays[self.maps.name], **self.window(arrays))[None]

    def beside(self, arrays: Mapping[str, Maps], *, flipped: bool) -> Arrays:
        taken = {name: arrays[name] for name in self.beside_shapes}
        per_joint = [name for name in taken if flipped and name != NUM_FRAMES.name]
        return taken | {name: mirror_joints(taken[name], self.mirror) for name in per_joint}


@dataclass(frozen=True)
class CubeViews(CanvasViews):
    """Of PA3D: one of the clips that a cube (time, ..., H, W) holds one after another."""

    num_clips: int

    @property
    def length(self) -> int:
        """Frames, or differences, of a clip."""
        return self.stored_shape[0] // self.num_clips

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {self.maps.name: (self.length, *self.stored_shape[1:-2], *self.view_hw)}

    def draw(self, arrays: Mapping[str, Maps], rng: np.random.Generator) -> Maps:
        number = int(rng.integers(self.num_clips)) if self.num_clips > 1 else 0
        clip = pick_clip(arrays[self.maps.name], number, self.length)
        return random_crop(clip, **self.window(arrays), rng=rng)

    def fixed(self, arrays: Mapping[str, Maps]) -> Maps:
        cube = centre_crop(arrays[self.maps.name], **self.window(arrays))
        return cube.reshape(self.num_clips, self.length, *cube.shape[1:])
