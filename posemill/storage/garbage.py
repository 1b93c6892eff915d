"""What of a store nobody will ever read: attempts that lost, drafts of broken writes, mail.

Nothing here guesses who is still alive. An attempt's group names its shard and
its generation; once a record of that generation or a later one exists, the
attempt cannot be committed any more, and what the latest record does not refer
to no later one will. A draft may be removed under its writer's hands, who then
writes it again. Mail is of drivers that were killed, as others remove theirs; no
run lasts for thirty days.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from posemill.errors import StoreCorrupted
from posemill.storage.commits import RecordName
from posemill.storage.durable import disk_faults
from posemill.storage.features import FeatureStore
from posemill.storage.mail_folders import begun_at
from posemill.storage.objects import Objects
from posemill.storage.poses import SHARDS, PoseStore, attempt_of
from posemill.storage.store_parts import MAIL

_MAIL_AGE = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Garbage:
    """Something to remove."""

    name: str
    """Of an object or of a group below the store, or the address of a draft of a whole store."""
    num_bytes: int
    tree: Objects | None = None
    """All that is to be removed; None where it is one object."""


def find_garbage(store: PoseStore | FeatureStore) -> list[Garbage]:
    """What may be removed at any time, whoever is at work on the store.

    A feature store has drafts and mail only: its rows have fixed places, which the next
    attempt overwrites.

    Raises:
        StoreCorrupted: the folder of records is not there.
        EnvironmentFault: something cannot be read.
    """
    with disk_faults(store.url):
        groups = list(_lost_groups(store)) if isinstance(store, PoseStore) else []
        drafts = [Garbage(name, size) for name, size in store.objects.drafts().items()]
        trees = [_whole(tree.url, tree) for tree in store.objects.tree_drafts()]
        mail = list(_unread_mail(store))
    return [*groups, *drafts, *trees, *mail]


def remove_garbage(store: PoseStore | FeatureStore, garbage: Garbage) -> None:
    """Remove what `find_garbage` found; nothing where it is gone already.

    Raises:
        EnvironmentFault: the disk refuses.
    """
    with disk_faults(store.url):
        if garbage.tree is not None:
            garbage.tree.delete_tree()
        else:
            store.objects.delete(garbage.name)


def _whole(name: str, tree: Objects) -> Garbage:
    return Garbage(name, sum(tree.tree().values()), tree)


def _lost_groups(store: PoseStore) -> Iterator[Garbage]:
    folder = store.objects.at(SHARDS)
    latest = store.records()
    for group in folder.names():
        attempt = attempt_of(group)
        if attempt is not None and _is_lost(store, group, attempt, latest):
            yield _whole(f"{SHARDS}/{group}", folder.at(group))


def _unread_mail(store: PoseStore | FeatureStore) -> Iterator[Garbage]:
    """Of drivers that were killed; a folder that is not named as a run's is nobody's to remove."""
    folder = store.objects.at(MAIL)
    oldest = datetime.now(UTC) - _MAIL_AGE
    for run in folder.names():
        begun = begun_at(run)
        if begun is not None and begun < oldest:
            yield _whole(f"{MAIL}/{run}", folder.at(run))


def _is_lost(
    store: PoseStore, group: str, attempt: RecordName, latest: dict[int, RecordName]
) -> bool:
    newest = latest.get(attempt.shard_id)
    if newest is None or newest < attempt:
        return False  # it may still be committed
    try:
        return group not in store.commit(newest).files
    except StoreCorrupted:
        return False  # `verify --repair` has to decide first
