"""How sources of an imported store are read again: with the store's own format and settings."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from posemill.pipelines.import_poses import FoundVideos, import_worker
from posemill.pipelines.import_settings import STAGE, stored_settings
from posemill.pipelines.pose_plan import Change, PlannedVideos
from posemill.pipelines.remaking import Remaking
from posemill.storage.durable import disk_faults
from posemill.storage.formats.base import PoseFormat
from posemill.storage.identity import is_same_file
from posemill.storage.poses import PoseStore, VideoEntry
from posemill.storage.videos import VideoTable


def import_again(store: PoseStore, *, ignore_times: bool, max_bytes: int) -> Remaking:
    """Sources are looked for where they were planned.

    Raises:
        InputError: the store's format is not registered here.
    """
    settings = stored_settings(store.configuration)
    planned = PlannedVideos(store.plans(), FoundVideos(VideoTable.of(())))

    def changes(entries: Iterable[VideoEntry]) -> Sequence[Change]:
        return list(_changes(settings.format, planned, entries, ignore_times))

    def are_there(uris: Sequence[str]) -> list[bool]:
        return [_identity(settings.format, uri, "") is not None for uri in uris]

    worker = import_worker(
        _folder_of(planned.videos.uris()), store.url, planned, settings, max_bytes
    )
    return Remaking(STAGE, planned, worker, changes, are_there)


def _folder_of(uris: Sequence[str]) -> Path:
    """The deepest folder that holds all of them."""
    return Path(os.path.commonpath([os.path.dirname(uri) for uri in uris] or ["/"]))  # noqa: PTH120


def _changes(
    given: PoseFormat, planned: PlannedVideos, entries: Iterable[VideoEntry], ignore_times: bool
) -> Iterator[Change]:
    for entry in entries:
        if not entry.status.has_frames or entry.video_id not in planned.rows:
            continue
        now = _identity(given, planned[entry.video_id].uri, entry.identity)
        if now is not None and not is_same_file(entry.identity, now, ignore_times=ignore_times):
            yield Change(entry.video_id, entry.identity, now)


def _identity(given: PoseFormat, uri: str, known: str) -> str | None:
    """Of a source as it is now; None where it is not there."""
    with disk_faults(uri):
        try:
            return given.look(uri, known).identity
        except (FileNotFoundError, NotADirectoryError):
            return None
