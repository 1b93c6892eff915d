"""Maps in the frame, as pictures: joints' ways, volumes, cubes, fields and their changes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from posemill.pipelines.drawing import Cell, resize_to_width
from posemill.pipelines.preview.clip import ClipFeatures
from posemill.pipelines.preview.colours import (
    WHITE,
    as_rgb,
    change,
    field,
    joint_colours,
    limb_colours,
    shade,
)
from posemill.pipelines.preview.keys import (
    change_key,
    direction_key,
    side_key,
    text_key,
    time_key,
)
from posemill.pipelines.preview.sheets import COLUMNS, PANEL_PX, Drawing, Times
from posemill.schema import Float32, UInt8
from posemill.transforms.potion import colour_potion

Paint = Callable[[Float32], UInt8]


def draw_ways(
    clip: ClipFeatures,
    times: Times,  # noqa: ARG001  (all times at once)
) -> Drawing:
    """Joints' ways (person or role, keypoint, channel, y, x): a picture for each group."""
    group = _group_dim(clip)
    maps = clip.array.arranged(group, "keypoint", "channel", "y", "x")
    cells = tuple(
        Cell(resize_to_width(colour_potion(part), PANEL_PX), name)
        for part, name in zip(maps, _group_names(clip), strict=True)
    )
    about = "where every joint was, and when; each joint to its own greatest value"
    return Drawing(about, cells, COLUMNS, partial(time_key, clip.array.size("channel")))


def draw_joints(clip: ClipFeatures, times: Times) -> Drawing:
    """Joints or limbs over time (view, person or role, keypoint or limb, time, y, x)."""
    limbs = "limb" in clip.array.dims
    maps = _over_time(clip, "limb" if limbs else "keypoint")
    colours = (limb_colours if limbs else joint_colours)(clip.skeleton, maps.shape[2])
    full = max(1.0, float(maps.max()))  # sums over people may exceed 1
    cells = _strips(clip, maps / np.float32(full), times, lambda frame: shade(frame, colours))
    what = "limb" if limbs else "joint"
    key = partial(side_key, f"brightness: the greatest {what} of a pixel, up to {full:.2g}")
    return Drawing(_views(clip), *cells, key)


def draw_pictures(clip: ClipFeatures, times: Times) -> Drawing:
    """Frames of the video (view, time or picture, picture_y, picture_x, colour)."""
    frames = clip.array.arranged(clip.time_dim, "picture_y", "picture_x", "colour")
    cells = _strips(clip, frames[None], times, lambda frame: frame.astype(np.uint8))
    return Drawing(_views(clip), *cells, partial(text_key, "frames as a network is shown them"))


def draw_joint_changes(clip: ClipFeatures, times: Times) -> Drawing:
    """Signed changes of joint maps (person or role, keypoint, time, y, x)."""
    maps = _over_time(clip, "keypoint")
    full = _peak(maps)
    cells = _strips(clip, maps / np.float32(full), times, change)
    return Drawing("what appears, and what goes", *cells, partial(change_key, full))


def draw_fields(clip: ClipFeatures, times: Times) -> Drawing:
    """Vectors along the limbs (person or role, time, part, y, x), x and y in turn."""
    vectors = _vectors(clip)
    full = max(1.0, _greatest_length(vectors))
    key = partial(direction_key, full, "from a limb's first joint to its second")
    return Drawing("", *_strips(clip, vectors / np.float32(full), times, field), key)


def draw_field_changes(clip: ClipFeatures, times: Times) -> Drawing:
    """Changes of such vectors."""
    vectors = _vectors(clip)
    full = _greatest_length(vectors) or 1.0
    text = "of the change: along a limb that appears, against one that goes"
    key = partial(direction_key, full, text)
    return Drawing("", *_strips(clip, vectors / np.float32(full), times, field), key)


def draw_strength(clip: ClipFeatures, times: Times) -> Drawing:
    """Channels without a meaning of their own (time, channel, y, x): their root mean square."""
    maps = _over_time(clip, "channel")
    strength = np.sqrt(np.square(maps).mean(axis=2, keepdims=True))
    full = _peak(strength)
    colours = as_rgb(WHITE)[None]
    cells = _strips(clip, strength / np.float32(full), times, lambda frame: shade(frame, colours))
    about = f"brightness: root mean square of all {maps.shape[2]} channels, up to {full:.3g}"
    return Drawing("", *cells, partial(text_key, about))


def _vectors(clip: ClipFeatures) -> Float32:
    """(G, T, L, 2, H, W)."""
    fields = _over_time(clip, "part")
    groups, num_times, parts, *size_hw = fields.shape
    return fields.reshape(groups, num_times, parts // 2, 2, *size_hw)


def _greatest_length(vectors: Float32) -> float:
    return float(np.hypot(vectors[:, :, :, 0], vectors[:, :, :, 1]).max())


def _strips(
    clip: ClipFeatures, maps: Float32, times: Times, paint: Paint
) -> tuple[tuple[Cell, ...], int]:
    """A row of pictures for each group of maps (G, T, ...), and how many are in a row."""
    at = clip.time_names()
    cells = tuple(
        Cell(
            resize_to_width(paint(group[time]), PANEL_PX), ", ".join(filter(None, (name, at[time])))
        )
        for group, name in zip(maps, _group_names(clip), strict=True)
        for time in times
    )
    return cells, len(times)


def _over_time(clip: ClipFeatures, maps: str) -> Float32:
    """(G, T, maps, H, W) of the first view."""
    return clip.array.arranged(_group_dim(clip), "time", maps, "y", "x")


def _views(clip: ClipFeatures) -> str:
    views = clip.array.size("view")
    return f"the first of {views} views" if views > 1 else ""


def _group_dim(clip: ClipFeatures) -> str:
    return "role" if "role" in clip.array.dims else "person"


def _group_names(clip: ClipFeatures) -> list[str]:
    if "role" in clip.array.dims:
        return ["labelled", "others"]
    people = clip.array.size("person")
    return [f"person {person}" for person in range(people)] if "person" in clip.array.dims else [""]


def _peak(maps: Float32) -> float:
    """The greatest magnitude, or 1 where all is 0."""
    return float(np.abs(maps).max()) or 1.0
