"""Views of PoseConv3D's volumes, which are cropped to the people already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from posemill.pipelines.data.mirrors import Maps
from posemill.pipelines.data.view_base import MapViews
from posemill.transforms.geometry import frame_box, random_resized_box
from posemill.transforms.resample import resize_window


@dataclass(frozen=True)
class VolumeViews(MapViews):
    """Of volumes (view, ..., K or L, T, H, W): one view in training, all of them in tests.

    A training view shows a random part of a cached one, brought to `crop_hw`;
    what was rendered as a fresh view is taken as it is. Test views are whole.
    """

    fresh: bool
    """Whether every clip is rendered as a fresh training view, by draw=train."""

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {self.maps.name: (*self.stored_shape[1:-2], *self._view_hw)}

    @property
    def _view_hw(self) -> tuple[int, int]:
        height, width = self.stored_shape[-2:]
        crop = self.augmentation.crop_hw
        return crop if crop != (0, 0) else (height, width)

    def draw(self, arrays: Mapping[str, Maps], rng: np.random.Generator) -> Maps:
        views = arrays[self.maps.name]
        view: Maps = views[int(rng.integers(len(views))) if len(views) > 1 else 0]
        if self.fresh:
            return view
        height, width = view.shape[-2:]
        settings = self.augmentation
        box = random_resized_box(
            frame_box(width, height), rng, area=settings.area, ratio=settings.aspect
        )
        return resize_window(view, box, self._view_hw)

    def fixed(self, arrays: Mapping[str, Maps]) -> Maps:
        return arrays[self.maps.name]
