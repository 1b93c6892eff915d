"""The part of the training clips that chooses the best epoch, so that test never does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from posemill.errors import InputError
from posemill.schema import Int64


def split_off(
    video_ids: Sequence[str], classes: Sequence[int], share: float, seed: int
) -> tuple[Int64, Int64]:
    """Numbers of the clips to train on, and of those held out; rising, and of no video in common.

    Of each class (that of a video's first clip) `share` of the videos are drawn, up to
    one more or less so that it is `share` of all videos, but never all of a class.

    Raises:
        InputError: a share above 0, and no class of two videos or more.
    """
    everybody = np.arange(len(video_ids), dtype=np.int64)
    if share <= 0.0:
        return everybody, everybody[:0]
    class_of: dict[str, int] = {}
    for video, label in zip(video_ids, classes, strict=True):
        class_of.setdefault(video, label)
    by_class: dict[int, list[str]] = {}
    for video in sorted(class_of):
        by_class.setdefault(class_of[video], []).append(video)
    if all(len(videos) == 1 for videos in by_class.values()):
        raise InputError(
            f"no video can be held out: each of the {len(by_class)} classes has one video to train "
            "on; train without, by --set clips.hold_out=0"
        )
    rng = np.random.default_rng([seed, 1])
    counts = _shares({label: len(by_class[label]) for label in sorted(by_class)}, share)
    held: set[str] = set()
    for label, count in counts.items():
        videos = by_class[label]
        held.update(videos[place] for place in rng.permutation(len(videos))[:count])
    is_held = np.array([video in held for video in video_ids], np.bool_)
    return everybody[~is_held], everybody[is_held]


def _shares(sizes: Mapping[int, int], share: float) -> dict[int, int]:
    """How many of each class are held out, by the greatest remainders; one in all at least."""
    counts = {label: min(int(share * size), size - 1) for label, size in sizes.items()}
    total = max(round(share * sum(sizes.values())), 1)
    by_remainder = sorted(sizes, key=lambda label: (counts[label] - share * sizes[label], label))
    for label in by_remainder:
        if sum(counts.values()) < total and counts[label] < sizes[label] - 1:
            counts[label] += 1
    return counts
