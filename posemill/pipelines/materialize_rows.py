"""The rows of a feature store by a catalog: which clips lack one, and what each is to hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from posemill.errors import InputError
from posemill.schema import Clip
from posemill.storage.catalog import Catalog
from posemill.storage.feature_rows import NO_LABEL, FeatureRow
from posemill.storage.poses import ShardCommit


def missing_rows(
    catalog: Catalog, commits: Mapping[int, ShardCommit], known: Sequence[FeatureRow]
) -> list[FeatureRow]:
    """Rows for the extracted clips that have none, in the order of the pose store's plan.

    Raises:
        InputError: a known clip differs from the catalog's, or a clip came to
            a pose shard whose rows are frozen.
    """
    by_video: dict[str, list[Clip]] = {}
    for clip in catalog.clips:
        by_video.setdefault(clip.video_id, []).append(clip)
    numbers = {name: number for number, name in enumerate(catalog.classes)}
    planned = [
        _row(clip, numbers, shard_id)
        for shard_id in sorted(commits)
        for entry in commits[shard_id].entries
        for clip in by_video.get(entry.video_id, ())
    ]
    have = {row.clip_id: row for row in known}
    frozen = {row.pose_shard for row in known}
    for row in planned:
        if row.clip_id in have:
            _require_same(row, have[row.clip_id], catalog.classes)
        elif row.pose_shard in frozen:
            raise InputError(
                f"clip {row.clip_id} is new in the catalog, of videos whose features are laid "
                "out already; materialize the grown catalog into a new store"
            )
    return [row for row in planned if row.clip_id not in have]


def _require_same(row: FeatureRow, known: FeatureRow, classes: Sequence[str]) -> None:
    """Raises:
    InputError: the catalog tells of a clip otherwise than the features.
    """
    if row == known:
        return
    told, kept = (", ".join(classes[label] for label in each.labels) for each in (row, known))
    if row.label == known.label and row == replace(known, labels=row.labels):
        raise InputError(
            f"clip {row.clip_id} has the classes {told} in the catalog and {kept} in the features "
            "(older ones keep a clip's first class alone); materialize the catalog into a new store"
        )
    raise InputError(
        f"clip {row.clip_id} is {row} in the catalog and {known} in the features; "
        "materialize the changed catalog into a new store"
    )


def _row(clip: Clip, numbers: Mapping[str, int], pose_shard: int) -> FeatureRow:
    """A clip's row: its labels whenever they are, once each; the first one is the class."""
    labels = tuple(dict.fromkeys(numbers[label.name] for label in clip.labels))
    mirror = numbers[clip.mirror_label] if clip.mirror_label is not None else NO_LABEL
    return FeatureRow(
        clip_id=clip.id,
        video_id=clip.video_id,
        label=labels[0] if labels else NO_LABEL,
        mirror_label=mirror,
        subsets=clip.splits,
        pose_shard=pose_shard,
        start_seconds=clip.start_seconds,
        end_seconds=clip.end_seconds,
        boxes=clip.boxes,
        labels=labels,
    )
