"""Sequences of coordinates, as pictures: PARNet's and VPN's poses, and graph streams."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np

from posemill.errors import InputError
from posemill.pipelines.drawing import Cell
from posemill.pipelines.preview.clip import ClipFeatures
from posemill.pipelines.preview.colours import joint_colours, limb_colours
from posemill.pipelines.preview.figures import Bools, draw_figures, draw_vectors, fit
from posemill.pipelines.preview.keys import people_key, side_key
from posemill.pipelines.preview.sheets import Drawing, Times
from posemill.schema import Float32, Skeleton
from posemill.transforms.sequences import vpn_root


class Points(NamedTuple):
    """Joints of M people at T times, in 2-D or 3-D; y points down, z away."""

    position: Float32  # (T, M, K, D)
    seen: Bools  # (T, M, K)


class Side(NamedTuple):
    """What is seen of points from one side."""

    name: str
    axes: tuple[int, int]


def draw_poses(clip: ClipFeatures, times: Times) -> Drawing:
    """Poses (time, person, keypoint, space), in any order, as stick figures."""
    position = clip.array.arranged("time", "person", "keypoint", "space")
    if clip.score is not None:
        seen = clip.score.arranged("time", "person", "keypoint") > 0
    else:
        seen = _unlike_zero(clip, position)
    return _figures(clip, Points(position, seen), times, "")


def draw_graph(clip: ClipFeatures, times: Times) -> Drawing:
    """A stream (view, channel, time, keypoint or limb, person).

    Joints are stick figures. Bones and motion have no place, only direction and
    length: they are vectors from one point.
    """
    of_limbs = "limb" in clip.array.dims
    parts = "limb" if of_limbs else "keypoint"
    values = clip.array.arranged("time", "person", parts, "channel")
    flat = clip.setting("space") != "3d"
    position = values[..., :2] if flat else values
    if of_limbs or (clip.setting("stream") or "").endswith("motion"):
        return _vectors(clip, position, times)
    seen = values[..., 2] > 0 if flat else _unlike_zero(clip, position)
    about = "frames as squares, whatever their shape" if flat else ""
    return _figures(clip, Points(position, seen), times, about)


def _figures(clip: ClipFeatures, people: Points, times: Times, about: str) -> Drawing:
    skeleton = _skeleton(clip, people.position.shape[2])
    sides, at = _sides(people.position), clip.time_names()
    span = _span(people)
    cells = []
    for side in sides:
        points = people.position[..., side.axes]
        plane = fit(points, people.seen, span)
        for time in times:
            picture = draw_figures(points[time], people.seen[time], skeleton.limbs, plane)
            cells.append(Cell(picture, side.name + at[time]))
    present = np.flatnonzero(people.seen.any(axis=(0, 2))).tolist()
    size = f"from edge to edge: {span:.3g}" if present else "nobody is there"
    return Drawing(about, tuple(cells), len(times), partial(people_key, present, size))


def _vectors(clip: ClipFeatures, vectors: Float32, times: Times) -> Drawing:
    """Rows of pictures for each person who is there, from each side."""
    of_limbs = "limb" in clip.array.dims
    colours = (limb_colours if of_limbs else joint_colours)(clip.skeleton, vectors.shape[2])
    at = clip.time_names()
    longest = float(np.linalg.norm(vectors, axis=-1).max())
    present = np.flatnonzero(vectors.any(axis=(0, 2, 3))).tolist()
    cells = [
        Cell(
            draw_vectors(vectors[time, person][:, side.axes], colours, longest),
            f"person {person}, {side.name}{at[time]}",
        )
        for person in present or [0]
        for side in _sides(vectors)
        for time in times
    ]
    what = "limbs" if of_limbs else "joints"
    ring = f"all {what} from one point; the ring is at {longest:.2g}"
    return Drawing("", tuple(cells), len(times), partial(side_key, ring))


def _skeleton(clip: ClipFeatures, num_keypoints: int) -> Skeleton:
    skeleton = clip.skeleton
    if skeleton is None or skeleton.num_keypoints != num_keypoints:
        named = "no skeleton" if skeleton is None else f"the skeleton {skeleton.name!r}"
        raise InputError(
            f"{clip.name} has {num_keypoints} joints, and the store's configuration names {named}: "
            "which joints hang together is not known, so no figures can be drawn"
        )
    return skeleton


def _sides(position: Float32) -> list[Side]:
    front = Side("", (0, 1))
    if position.shape[-1] < 3 or not position[..., 2].any():
        return [front]
    return [front, Side("side, ", (2, 1))]


def _span(people: Points) -> float:
    """Units across the picture: the greatest extent of the joints seen, along any axis."""
    shown = people.position[people.seen]
    return float(np.ptp(shown, axis=0).max()) if len(shown) else 0.0


def _unlike_zero(clip: ClipFeatures, position: Float32) -> Bools:
    """Which joints are there, where missing ones are 0.

    Around the root of the first frame that has one, a root of one joint is 0 there as well.
    """
    seen: Bools = (position != 0).any(axis=-1)
    if position.shape[-1] == 3 and clip.skeleton is not None and seen.any():
        root = vpn_root(clip.skeleton)
        first = int(seen.any(axis=(1, 2)).argmax())
        if len(root) == 1:
            person = int(seen[first].any(axis=-1).argmax())
            seen[first, person, root[0]] = True
    return seen
