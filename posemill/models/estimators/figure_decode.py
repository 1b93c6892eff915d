"""From the `figure` network's maps to people: peaks, limbs, and greedy assembly.

Candidate limbs between any two peaks are scored by the mean of the part field
along them (Cao et al., CVPR 2017, equation 11), here times the geometric mean of
the peaks' heights, and joined best first, as in Kruskal's algorithm: a limb
joins two fragments unless both have the same joint.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from posemill.errors import InputError
from posemill.models.estimators.figure_fields import FIELD_LIMBS, NUM_JOINTS, to_pixels
from posemill.schema import Float32, Int64

_SAMPLES = np.linspace(0.0, 1.0, 8, dtype=np.float32)
_MAX_PEAKS = 40  # of a joint: pictures of anything else have peaks all over


@dataclass(frozen=True, slots=True)
class DecodeSettings:
    """Thresholds of the decoder.

    Raises:
        InputError: a threshold outside [0, 1), or fewer than one joint.
    """

    min_peak: float = 0.15
    min_limb: float = 0.15
    """Least mean of the part field along a limb."""
    min_joints: int = 6
    min_score: float = 0.3
    """Least mean peak height of a person's joints."""

    def __post_init__(self) -> None:
        for name in ("min_peak", "min_limb", "min_score"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise InputError(f"{name} must lie in [0, 1), got {getattr(self, name)}")
        if self.min_joints < 1:
            raise InputError(f"min_joints must be at least 1, got {self.min_joints}")


@dataclass(frozen=True, slots=True)
class Peaks:
    """Local maxima of all heatmaps."""

    joint: Int64  # (P,)
    xy_cells: Float32  # (P, 2)
    height: Float32  # (P,)


def find_peaks(heatmaps: Float32, min_peak: float) -> Peaks:
    """Peaks of heatmaps (17, h, w), to a fraction of a cell: the top of the parabola through
    the logarithms of a peak and its neighbours, exact for a Gaussian."""
    padded = np.pad(heatmaps, ((0, 0), (1, 1), (1, 1)))
    rows = np.maximum(np.maximum(padded[:, :-2], padded[:, 1:-1]), padded[:, 2:])
    highest = np.maximum(np.maximum(rows[:, :, :-2], rows[:, :, 1:-1]), rows[:, :, 2:])
    joint, row, column = np.nonzero((heatmaps >= highest) & (heatmaps > min_peak))
    logs = np.log(np.maximum(padded, 1e-3))

    def fraction(before: Float32, middle: Float32, after: Float32) -> Float32:
        curvature = np.maximum(2 * middle - before - after, 1e-6)
        return np.asarray(np.clip(0.5 * (after - before) / curvature, -0.5, 0.5), np.float32)

    y, x = row + 1, column + 1
    middle = logs[joint, y, x]
    across = fraction(logs[joint, y, x - 1], middle, logs[joint, y, x + 1])
    down = fraction(logs[joint, y - 1, x], middle, logs[joint, y + 1, x])
    return Peaks(
        joint=joint.astype(np.int64),
        xy_cells=np.stack([column + across, row + down], axis=-1).astype(np.float32),
        height=np.clip(heatmaps[joint, row, column], 0.0, 1.0).astype(np.float32),
    )


def _candidates(peaks: Peaks) -> tuple[Int64, Int64, Int64]:
    """Limb, first and second peak of every pair of peaks that could be a limb."""
    best_first = np.argsort(-peaks.height, kind="stable")
    of_joint = [
        best_first[peaks.joint[best_first] == joint][:_MAX_PEAKS] for joint in range(NUM_JOINTS)
    ]
    limbs, firsts, seconds = [], [], []
    for limb, (parent, child) in enumerate(FIELD_LIMBS):
        first, second = np.meshgrid(of_joint[parent], of_joint[child], indexing="ij")
        limbs.append(np.full(first.size, limb))
        firsts.append(first.ravel())
        seconds.append(second.ravel())
    return np.concatenate(limbs), np.concatenate(firsts), np.concatenate(seconds)


def limb_scores(fields: Float32, limb: Int64, start_cells: Float32, end_cells: Float32) -> Float32:
    """Mean (C,) along each of C candidate limbs of the part field's component along it."""
    rows, columns = fields.shape[1:]
    step = end_cells - start_cells
    length = np.maximum(np.hypot(step[:, 0], step[:, 1]), 1e-3)
    points = start_cells[:, None] + _SAMPLES[:, None] * step[:, None]  # (C, S, 2)
    x = np.clip(np.rint(points[..., 0]).astype(np.int64), 0, columns - 1)
    y = np.clip(np.rint(points[..., 1]).astype(np.int64), 0, rows - 1)
    along = fields[2 * limb[:, None], y, x] * step[:, None, 0]
    along += fields[2 * limb[:, None] + 1, y, x] * step[:, None, 1]
    return np.asarray((along / length[:, None]).mean(axis=1), np.float32)


def _join(peaks: Peaks, first: Int64, second: Int64, score: Float32) -> list[Int64]:
    """Groups of peaks, no joint twice in a group, from limbs joined best first."""
    group_of = np.arange(len(peaks.joint))
    members = {number: [number] for number in group_of.tolist()}
    joints = {number: 1 << int(joint) for number, joint in enumerate(peaks.joint)}
    for candidate in np.argsort(-score, kind="stable"):
        one, other = int(group_of[first[candidate]]), int(group_of[second[candidate]])
        if one == other or joints[one] & joints[other]:
            continue
        members[one] += members.pop(other)
        joints[one] |= joints.pop(other)
        group_of[members[one]] = one
    return [np.array(group, np.int64) for group in members.values()]


def decode_maps(
    heatmaps: Float32, fields: Float32, settings: DecodeSettings
) -> tuple[Float32, Float32]:
    """People of one picture, best first.

    Args:
        heatmaps: (17, h, w).
        fields: (36, h, w).

    Returns:
        Joints (N, 17, 2) in pixels of the network's input, and scores (N, 17).
    """
    peaks = find_peaks(heatmaps, settings.min_peak)
    limb, first, second = _candidates(peaks)
    score = limb_scores(fields, limb, peaks.xy_cells[first], peaks.xy_cells[second])
    kept: npt.NDArray[np.bool_] = score >= settings.min_limb
    score *= np.sqrt(peaks.height[first] * peaks.height[second])  # doubtful peaks come last
    groups = [
        group
        for group in _join(peaks, first[kept], second[kept], score[kept])
        if len(group) >= settings.min_joints and peaks.height[group].mean() >= settings.min_score
    ]
    groups.sort(key=lambda group: -float(peaks.height[group].sum()))
    xy_px = np.zeros((len(groups), NUM_JOINTS, 2), np.float32)
    scores = np.zeros((len(groups), NUM_JOINTS), np.float32)
    for person, group in enumerate(groups):
        xy_px[person, peaks.joint[group]] = to_pixels(peaks.xy_cells[group])
        scores[person, peaks.joint[group]] = peaks.height[group]
    return xy_px, scores
