"""What a network was shown in one test view of a clip, as far as weights are drawn on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from posemill.errors import InputError
from posemill.pipelines.drawing import blank, resize_to_width
from posemill.pipelines.preview.clip import NamedArray
from posemill.pipelines.preview.figures import Bools, fit
from posemill.pipelines.preview.sheets import GROUND, PANEL_PX
from posemill.schema import Float32, Skeleton, UInt8
from posemill.transforms.outputs import OutputSpec, dequantise
from posemill.transforms.potion import colour_potion
from posemill.transforms.recipes.specs import FRAMES

_ENLARGED = 2
_DIMMED = 0.4


class Figure(NamedTuple):
    """A ground and one person's joints in it."""

    ground: UInt8  # (H, W, 3)
    xy_px: Float32  # (K, 2)
    seen: Bools  # (K,)


@dataclass(frozen=True, slots=True)
class SeenView:
    """The arrays of one view, in their stored dtypes, by name."""

    arrays: Mapping[str, npt.NDArray[Any]]
    specs: Sequence[OutputSpec]
    skeleton: Skeleton

    @property
    def frames(self) -> UInt8 | None:
        """(T, H, W, 3), RGB; None of poses alone."""
        return self.arrays.get(FRAMES)

    def picture(self, step: int, num_steps: int) -> tuple[UInt8, str]:
        """The picture in the middle of one of `num_steps` equal parts of the view, as wide as a
        cell, and its number; a plain ground of poses alone."""
        frames = self.frames
        if frames is None:
            return blank(PANEL_PX, PANEL_PX, GROUND), f"time {step + 1} of {num_steps}"
        number = int((step + 0.5) * len(frames) / num_steps)
        shown = resize_to_width(frames[number], PANEL_PX)
        return shown, f"picture {number + 1} of {len(frames)}"

    def part_names(self, num_steps: int) -> list[str]:
        """What each of `num_steps` equal parts of the view is called, by its pictures."""
        if self.frames is None:
            return [f"part {step + 1} of {num_steps}" for step in range(num_steps)]
        ends = [step * len(self.frames) // num_steps for step in range(num_steps + 1)]
        return [f"pictures {ends[n] + 1} to {ends[n + 1]}" for n in range(num_steps)]

    def people(self) -> tuple[Float32, Bools] | None:
        """People's joints (T, M, K, 2) in [0, 1] of the view, and which are there (T, M, K)."""
        poses = self._named("poses")
        if poses is None or "person" not in poses.dims:
            return None
        xy = poses.arranged("time", "person", "keypoint", "space")
        seen: Bools = (xy != 0).any(axis=-1)
        return xy, seen

    def figure(self) -> Figure:
        """One person's joints: in the middle of the view, or where each was on average.

        Raises:
            InputError: the view has neither joints nor their maps.
        """
        poses, maps = self._named("poses"), self._joint_maps()
        if poses is not None and "person" not in poses.dims:
            return _of_poses(poses.arranged("time", "keypoint", "space"))
        if maps is not None:
            return _of_maps(maps.arranged("keypoint", "channel", "y", "x"))
        raise InputError(
            f"a view of {', '.join(self.arrays)} has no joints to draw weights of joints at"
        )

    def _joint_maps(self) -> NamedArray | None:
        wanted = {"keypoint", "channel", "y", "x"}
        named = [spec.name for spec in self.specs if wanted <= set(spec.dims)]
        return self._named(named[0]) if named else None

    def _named(self, name: str) -> NamedArray | None:
        spec = next((spec for spec in self.specs if spec.name == name), None)
        if spec is None or name not in self.arrays:
            return None
        return NamedArray(spec.dims, dequantise(self.arrays[name], spec))


def _of_poses(position: Float32) -> Figure:
    """Of poses (T, K, D), around a root: those of the time nearest the middle with most joints."""
    there: Bools = (position != 0).any(axis=-1)
    count, middle = there.sum(axis=1), (len(position) - 1) / 2
    nearness = -np.abs(np.arange(len(position)) - middle) / len(position)
    time = int(np.argmax(count + nearness))
    points, seen = position[time, :, :2], there[time]
    span = float(np.ptp(points[seen], axis=0).max()) if seen.any() else 0.0
    side = _ENLARGED * PANEL_PX
    xy = fit(points, seen, span).place(points) * np.float32(_ENLARGED)
    return Figure(blank(side, side, GROUND), xy, seen)


def _of_maps(maps: Float32) -> Figure:
    """Of maps (K, C, H, W): each joint at the mean place of its ways, which are the ground."""
    width = maps.shape[-1]
    ground = resize_to_width(colour_potion(maps), _ENLARGED * PANEL_PX)
    over_time = maps.sum(axis=1)  # (K, H, W)
    mass = over_time.sum(axis=(1, 2))
    safe = np.where(mass > 0, mass, 1.0)
    y = (over_time.sum(axis=2) * np.arange(maps.shape[-2])).sum(axis=1) / safe
    x = (over_time.sum(axis=1) * np.arange(width)).sum(axis=1) / safe
    scale = np.float32(ground.shape[1] / width)
    xy = (np.stack([x, y], axis=1).astype(np.float32) + np.float32(0.5)) * scale - np.float32(0.5)
    return Figure((ground * _DIMMED).astype(np.uint8), xy, mass > 0)
