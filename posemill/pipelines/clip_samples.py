"""Clips cut out of the videos of a pose store, as recipes take them."""

from __future__ import annotations

from collections.abc import Sequence

from posemill.pipelines.dense_samples import clip_dense
from posemill.schema import PoseSequence, TimedBox
from posemill.storage.poses import PoseStore, VideoEntry
from posemill.transforms.clips import clip_frames, clip_poses
from posemill.transforms.sample import DenseKind, Requirement, Sample


def cut_sample(
    poses: PoseStore,
    entry: VideoEntry,
    pose: PoseSequence,
    span: tuple[float, float | None],
    boxes: Sequence[TimedBox],
    kinds: Sequence[DenseKind],
) -> Sample:
    """The part of a video in `span`, with the estimator's maps of these kinds.

    Args:
        poses: where the dense maps are.
        entry: of the video.
        pose: of the whole video.
        span: `[start_seconds, end_seconds)`.
        boxes: of the labelled person.
        kinds: of dense maps; none where the recipe takes none.

    Raises:
        StoreCorrupted: a file of dense maps is missing or damaged.
    """
    frames = clip_frames(pose, *span)
    return Sample(
        clip_poses(pose, *span), tuple(boxes), clip_dense(poses, entry, tuple(kinds), frames)
    )


def what_is_lacking(sample: Sample | None, requires: frozenset[Requirement]) -> str:
    """`without boxes`, say, of a clip that a recipe cannot take; empty where it can."""
    if sample is None:
        return "without poses"
    if "pose3d" in requires and sample.pose.xyz_m is None:
        return "without 3-D poses"
    if "boxes" in requires and not sample.boxes:
        return "without boxes"
    if "dense" in requires and sample.dense is None:
        return "without dense maps"
    return ""
