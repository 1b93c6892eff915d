"""The fields of one frame, as openpifpaf's heads give them, and dense maps of them.

Kreiss, Bertoni, Alahi: OpenPifPaf, 2021 (arXiv 2103.02440). A composite intensity
field (CIF) of a joint has in each cell a width, the confidence, the joint's x and y
in cells, and its size; a composite association field (CAF) of a limb has a width,
the confidence, x and y of either end in cells, and their sizes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from posemill.schema import Float32
from posemill.transforms.sample import DenseKind

CIF_CHANNELS = 5
CAF_CHANNELS = 8


@dataclass(frozen=True, slots=True)
class Fields:
    """The network's output of one frame at one scale."""

    cif: Float32  # (17, 5, h, w)
    caf: Float32  # (limbs, 8, h, w)
    features: Float32 | None  # (C, h', w') the trunk's output, where it is kept


@dataclass(frozen=True, slots=True)
class FieldLayout:
    """What the maps of a network are: the same for every frame."""

    limbs: tuple[tuple[int, int], ...]
    """The joints of each CAF, numbers from 0."""
    trunk_stride: int
    """Pixels of the input from one cell of the features to the next."""
    stride: int
    """The same of the fields."""
    num_features: int

    def stride_of(self, kind: DenseKind) -> int:
        """Of the dense maps of this kind, in pixels of the input."""
        return self.trunk_stride if kind == "features" else self.stride

    def channels(self, num_joints: int) -> Mapping[DenseKind, int]:
        """Of each kind of dense maps."""
        return {"joints": num_joints, "parts": 2 * len(self.limbs), "features": self.num_features}


def dense_map(kind: DenseKind, fields: Fields) -> Float32:
    """(C, h, w): confidences of the joints, part fields, or features of `fields`.

    A part field has two channels a limb, x and y of a vector from its first joint to
    its second, whose length is the confidence (as in Cao et al., CVPR 2017).
    """
    if kind == "joints":
        return fields.cif[:, 1]
    if kind == "parts":
        return _part_vectors(fields.caf)
    if fields.features is None:
        raise ValueError("features were not kept")
    return fields.features


def _part_vectors(caf: Float32) -> Float32:
    along = caf[:, 4:6] - caf[:, 2:4]  # (limbs, 2, h, w)
    length = np.hypot(along[:, :1], along[:, 1:])
    unit = np.divide(along, length, out=np.zeros_like(along), where=length > 0)
    vectors: Float32 = caf[:, 1:2] * unit
    return vectors.reshape(-1, *caf.shape[2:])
