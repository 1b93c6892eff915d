"""Fields to people, by openpifpaf's compiled decoder; runs in any process."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from posemill.models.estimators.base import FrameResult, untracked
from posemill.models.estimators.dense_maps import frame_grid, mean_over_scales, spread_over_frame
from posemill.models.estimators.openpifpaf.fields import FieldLayout, Fields, dense_map
from posemill.models.estimators.openpifpaf.imports import load_operators
from posemill.models.estimators.openpifpaf.letter import Letter
from posemill.models.estimators.openpifpaf.settings import PifPafSettings
from posemill.schema import Float32
from posemill.transforms.sample import DenseKind
from posemill.transforms.skeletons import COCO_17

PifPafRaw = tuple[Fields, ...]
"""The fields of one frame, a scale each."""
PifPafMeta = tuple[Letter, ...]
"""How one frame was resized, a scale each."""


@dataclass(frozen=True, slots=True)
class PifPafDecoder:
    """Fields to people and kept maps; satisfies `base.FrameDecoder`.

    It is plain data: the compiled decoder is loaded in the process that decodes.
    """

    layout: FieldLayout
    settings: PifPafSettings
    usual: int
    """Which of the scales poses are taken from."""
    keep: tuple[DenseKind, ...]

    def __call__(self, raw: PifPafRaw, meta: PifPafMeta) -> FrameResult:
        xy_px, score = decode_fields(raw[self.usual], self.layout, self.settings)
        xy_px = meta[self.usual].to_source(xy_px)
        xy_px[score == 0] = 0
        dense = {kind: self._kept(kind, raw, meta) for kind in self.keep}
        return FrameResult(untracked(xy_px, score), dense)

    def _kept(self, kind: DenseKind, raw: PifPafRaw, meta: PifPafMeta) -> Float32:
        stride = self.layout.stride_of(kind)
        grid = frame_grid(meta[self.usual].resized, stride)
        return mean_over_scales(
            [
                spread_over_frame(
                    dense_map(kind, fields), stride, letter.resized, grid, letter.first_cell_px
                )
                for fields, letter in zip(raw, meta, strict=True)
            ]
        )


def decode_fields(
    fields: Fields, layout: FieldLayout, settings: PifPafSettings
) -> tuple[Float32, Float32]:
    """People of one frame, best first.

    Returns:
        Joints (N, 17, 2) in pixels of the network's input, and scores (N, 17) in [0, 1],
        0 where a joint was not found.
    """
    import torch

    load_operators()
    _set_thresholds(settings)
    # A decoder adds up in float32 on top of the number of frames that it has seen: after 5000 its
    # scores were off by up to 0.17. A new one gives the same for a frame whatever came before.
    decoder = torch.classes.openpifpaf_decoder.CifCaf(
        COCO_17.num_keypoints, torch.tensor(layout.limbs, dtype=torch.int64)
    )
    cif, caf = (torch.from_numpy(np.ascontiguousarray(field)) for field in (fields.cif, fields.caf))
    found, _ = decoder.call(cif, layout.stride, caf, layout.stride)
    score_xy_size = found.numpy()  # (N, 17, 4)
    score = np.clip(score_xy_size[..., 0], 0.0, 1.0)
    return score_xy_size[..., 1:3].copy(), score


def _set_thresholds(settings: PifPafSettings) -> None:
    """They belong to the compiled classes, so to the process."""
    import torch

    utils = torch.classes.openpifpaf_decoder_utils
    utils.CifSeeds.set_threshold(settings.seed_threshold)
    utils.NMSKeypoints.set_keypoint_threshold(settings.keypoint_threshold)
    utils.NMSKeypoints.set_instance_threshold(settings.instance_threshold)
    torch.classes.openpifpaf_decoder.CifCaf.set_keypoint_threshold(settings.keypoint_threshold)
