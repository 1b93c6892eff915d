"""Which of OpenPose's two orders 25 joints are in, told by where they are.

Limbs join neighbours, so that read in the wrong order they are longer: by their
factor `order_ratio` tells BODY_25 from BODY_25B, where enough of a body is seen.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from posemill.errors import UnreadablePoses
from posemill.schema import Float32
from posemill.transforms.skeletons import BODY_25, COCO_17

_FEWEST = 12  # joints; of a face alone both orders make sense


def order_ratio(joints: Float32) -> float | None:
    """How long the limbs of a person (25, 3) are in the order of BODY_25, against BODY_25B.

    None where too little is seen of it.
    """
    if (joints[:, 2] > 0).sum() < _FEWEST:
        return None
    of_25, of_25b = (_mean_length(joints, limbs) for limbs in (BODY_25.limbs, COCO_17.limbs))
    return of_25 / of_25b if of_25 > 0 and of_25b > 0 else None


def require_order(where: str, ratios: Sequence[float], joints: str) -> None:
    """Check a video's people, each with its `order_ratio`, against the order that was told.

    Raises:
        UnreadablePoses: most of them are in the other one.
    """
    told, other = ("body-25", "body-25b") if joints == "body-25" else ("body-25b", "body-25")
    median = float(np.median(ratios)) if ratios else None
    if median is None or (median < 1) == (told == "body-25"):
        return
    factor = max(median, 1 / median)
    raise UnreadablePoses(
        f"{where}: in the order of {told} the limbs are {factor:.1f} times as long as in that of "
        f"{other}, whose files look alike; give --set joints={other}"
    )


def _mean_length(joints: Float32, limbs: Sequence[tuple[int, int]]) -> float:
    """In pixels, of the limbs both of whose ends were found; 0 where there is none."""
    start, stop = joints[np.array(limbs)].swapaxes(0, 1).astype(np.float64)
    found = (start[:, 2] > 0) & (stop[:, 2] > 0)
    lengths = np.linalg.norm(start[found, :2] - stop[found, :2], axis=1)
    return float(lengths.mean()) if len(lengths) else 0.0
