"""Hand-made people, and the fields that openpifpaf's own encoders make of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from posemill.models.estimators.openpifpaf.fields import FieldLayout, Fields
from posemill.schema import Float32

# COCO's 17 joints of somebody who walks, in heights from the top of the head.
WALKER = np.array(
    [
        *([0.00, 0.08], [0.02, 0.06], [-0.02, 0.06], [0.05, 0.07], [-0.05, 0.07]),
        *([0.12, 0.20], [-0.11, 0.21], [0.17, 0.35], [-0.19, 0.34], [0.22, 0.47], [-0.16, 0.48]),
        *([0.07, 0.52], [-0.08, 0.52], [0.12, 0.74], [-0.05, 0.75], [0.20, 0.95], [-0.13, 0.97]),
    ]
)


def walker(x: float, y: float, height: float) -> Float32:
    """(17, 2): somebody of this height in pixels, the top of whose head is at (x, y)."""
    return np.asarray(WALKER * height + (x, y), np.float32)


def head_metas(pifpaf: Any, stride: int = 16) -> tuple[Any, Any]:
    """What openpifpaf knows of the CIF and CAF of people, with the trunk's stride."""
    cif, caf = pifpaf.plugins.coco.CocoKp().head_metas
    for index, meta in enumerate((cif, caf)):
        meta.head_index, meta.base_stride = index, stride
    return cif, caf


def layout(pifpaf: Any) -> FieldLayout:
    """Of a network for people with stride 16."""
    _, caf = head_metas(pifpaf)
    limbs = tuple((first - 1, second - 1) for first, second in caf.skeleton)
    return FieldLayout(limbs, trunk_stride=16, stride=16, num_features=7)


def encoded(pifpaf: Any, people_px: list[Float32], size_wh: tuple[int, int]) -> Fields:
    """The fields that a network should give for people at these pixels of its input."""
    import torch

    cif_meta, caf_meta = head_metas(pifpaf)
    image = torch.zeros(3, size_wh[1], size_wh[0])
    people = [_annotation(xy_px) for xy_px in people_px]
    meta = {"valid_area": (0.0, 0.0, size_wh[0] - 1.0, size_wh[1] - 1.0)}
    cif = pifpaf.encoder.Cif(cif_meta)(image, people, meta).numpy()
    caf = pifpaf.encoder.Caf(caf_meta)(image, people, meta).numpy()
    return Fields(_as_output(cif, num_vectors=1), _as_output(caf, num_vectors=2), None)


def _annotation(xy_px: Float32) -> dict[str, Any]:
    low, high = xy_px.min(axis=0), xy_px.max(axis=0)
    seen = np.full((len(xy_px), 1), 2.0, np.float32)
    return {
        "keypoints": np.concatenate([xy_px, seen], axis=1),
        "bbox": np.concatenate([low, high - low]),
        "iscrowd": False,
    }


def _as_output(target: Float32, num_vectors: int) -> Float32:
    """A training target (confidence; vectors from the cell; widths; sizes; NaN where nothing is
    asked) as a network's output (width; confidence; vectors from the first cell; sizes)."""
    target = np.nan_to_num(target, nan=0.0)
    rows, columns = np.indices(target.shape[2:], np.float32)
    vectors_end = 1 + 2 * num_vectors
    vectors = target[:, 1:vectors_end].copy()
    vectors[:, 0::2] += columns
    vectors[:, 1::2] += rows
    widths = target[:, vectors_end : vectors_end + num_vectors]
    sizes = target[:, vectors_end + num_vectors :]
    return np.concatenate([widths[:, :1], target[:, :1], vectors, sizes], axis=1, dtype=np.float32)
