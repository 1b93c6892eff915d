"""Whether what a commit names is as it was committed, to the last byte."""

from __future__ import annotations

from posemill.storage.commits import check_files
from posemill.storage.features import FeatureCommit, FeatureStore
from posemill.storage.poses import SHARDS, PoseStore, ShardCommit


def check_every_byte(store: PoseStore | FeatureStore, commit: ShardCommit | FeatureCommit) -> None:
    """Raises:
    StoreCorrupted: naming the objects that differ.
    """
    if isinstance(commit, FeatureCommit):
        check_files(store.objects, commit.files, content=True)
    else:
        for group, files in commit.files.items():
            check_files(store.objects.at(SHARDS, group), files, content=True)
