"""A clip's dense maps from a pose store, and whether the store keeps those that a recipe needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from posemill.errors import InputError
from posemill.schema import Int64
from posemill.storage.pose_records import VideoEntry
from posemill.storage.poses import PoseStore, ShardCommit
from posemill.transforms.recipes import Recipe
from posemill.transforms.sample import DenseKind, DenseMaps
from posemill.transforms.skeletons import get_skeleton


def clip_dense(
    poses: PoseStore, entry: VideoEntry, kinds: Sequence[DenseKind], frames: Int64
) -> DenseMaps | None:
    """The maps of a clip's frames, numbered from 0, to be read when a recipe indexes them.

    None where no kinds are asked for, or the video has not all of them.

    Args:
        frames: numbers in the video, as `clips.clip_frames` gives them.

    Raises:
        StoreCorrupted: a file of them is missing or damaged; so does indexing.
    """
    if not kinds or not set(kinds) <= set(poses.dense_kinds(entry)):
        return None
    return replace(poses.read_dense(entry, kinds, frames), frame=np.arange(len(frames)))


def check_dense(recipe: Recipe, poses: PoseStore, commits: Mapping[int, ShardCommit]) -> None:
    """Refuse before any work a recipe that needs maps which the store does not keep.

    Raises:
        InputError: none of a kind are kept, or they have another number of channels.
    """
    wanted = recipe.dense_channels(recipe.target(get_skeleton(poses.configuration["skeleton"])))
    held = poses.configuration.get("keep", [])
    if lacking := sorted(set(wanted) - set(held)):
        raise InputError(
            f"recipe {recipe.name} needs the estimator's own maps of {', '.join(lacking)}, and "
            f"{poses.url} keeps {', '.join(held) or 'none'}; extract into a new store with "
            f"--keep {','.join(sorted(wanted))}, or set source=triplets where the recipe has that"
        )
    for kind, num_channels in wanted.items():
        found = _channels(poses, kind, commits)
        if found is not None and found != num_channels:
            settings = {"features": f"channels={found}", "parts": f"fields={found // 2}"}
            remedy = f"set {settings[kind]}" if kind in settings else "set source=triplets"
            raise InputError(
                f"recipe {recipe.name} takes dense {kind} of {num_channels} channels, those in "
                f"{poses.url} have {found}; {remedy}"
            )


def _channels(poses: PoseStore, kind: DenseKind, commits: Mapping[int, ShardCommit]) -> int | None:
    """Of the first video that has such maps; None where none has any yet."""
    for commit in commits.values():
        for entry in commit.entries:
            if kind in poses.dense_kinds(entry):
                return poses.read_dense(entry, [kind]).kept(kind).shape[1]
    return None
