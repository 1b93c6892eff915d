"""The part of the training clips that chooses the best epoch, so that test never does."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from posemill.errors import InputError
from posemill.schema import Int64


def split_off(
    video_ids: Sequence[str], classes: Sequence[int], share: float, seed: int
) -> tuple[Int64, Int64]:
    """Numbers of the clips to train on, and of those held out; rising, and of no video in common.

    Of each class (that of a video's first clip) `share` of the videos are drawn,
    rounded to the nearest, but never all of them.

    Raises:
        InputError: a share above 0 that holds out nothing.
    """
    everybody = np.arange(len(video_ids), dtype=np.int64)
    if share <= 0.0:
        return everybody, everybody[:0]
    class_of: dict[str, int] = {}
    for video, label in zip(video_ids, classes, strict=True):
        class_of.setdefault(video, label)
    rng = np.random.default_rng([seed, 1])
    held: set[str] = set()
    for label in sorted(set(class_of.values())):
        videos = sorted(video for video, its_class in class_of.items() if its_class == label)
        count = min(round(share * len(videos)), len(videos) - 1)
        held.update(videos[place] for place in rng.permutation(len(videos))[:count])
    is_held = np.array([video in held for video in video_ids], np.bool_)
    if not is_held.any():
        raise InputError(
            f"no video can be held out: {share:g} of the {len(class_of)} videos of "
            f"{len(set(class_of.values()))} classes is less than one of any class; give a greater "
            "--set clips.hold_out, or 0 to train without"
        )
    return everybody[~is_held], everybody[is_held]
