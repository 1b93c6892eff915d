"""An estimator's own maps, over the frames that they are of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from posemill.pipelines.drawing import Cell, contact_sheet
from posemill.pipelines.preview.colours import field, joint_colours, shade
from posemill.schema import Float32, Skeleton, UInt8
from posemill.transforms.sample import DenseKind, DenseMaps

_ABOUT: Mapping[DenseKind, str] = {
    "joints": "the estimator's heatmaps, orange on the person's left, blue on the right",
    "parts": "the estimator's part fields: hue is direction (red to the right, cyan to the left)",
}
DRAWN = tuple(_ABOUT)
"""The kinds that have pictures; features mean nothing to the eye."""


def kept_sheet(
    kind: DenseKind,
    title: str,
    pictures: Sequence[Cell],
    maps: DenseMaps,
    skeleton: Skeleton,
    columns: int,
) -> UInt8:
    """The maps of one kind, over dimmed pictures of whole frames, one for each frame of `maps`."""
    found = np.asarray(maps.kept(kind)[:], np.float32)
    cells = [
        Cell(_over(cell.picture, _colours(kind, values, skeleton)), cell.caption)
        for cell, values in zip(pictures, found, strict=True)
    ]
    return contact_sheet(f"{title}: {_ABOUT[kind]}", cells, columns)


def _colours(kind: DenseKind, maps: Float32, skeleton: Skeleton) -> UInt8:
    """(h, w, 3) of maps (C, h, w)."""
    if kind == "joints":
        return shade(maps, joint_colours(skeleton, len(maps)))
    return field(maps.reshape(-1, 2, *maps.shape[1:]))


def _over(picture: UInt8, colours: UInt8) -> UInt8:
    """Maps are spread over exactly the frame, so they only take its size."""
    height, width = picture.shape[:2]
    large = cv2.resize(colours, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.maximum(picture // 2, large).astype(np.uint8)
