"""Candidates to people, in any process."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from posemill.models.estimators.base import FrameResult, untracked
from posemill.models.estimators.onnx.boxes import suppress
from posemill.models.estimators.onnx.heads import Candidates
from posemill.models.estimators.onnx.letterbox import Letterbox


@dataclass(frozen=True, slots=True)
class CandidateDecoder:
    """Keeps everybody once, best first; satisfies `base.FrameDecoder`."""

    max_overlap: float
    """Of two people's boxes; 1 where the network gives nobody twice."""

    def __call__(self, raw: Candidates, meta: Letterbox) -> FrameResult:
        people = raw.chosen(suppress(raw.boxes_px, raw.score, self.max_overlap))
        score = np.clip(people.visibility, 0, 1)
        return FrameResult(untracked(meta.to_source(people.xy_px), score))
