"""Finds videos whose local files are others now than those that their poses were made from."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from posemill.pipelines.pose_plan import Change, PlannedVideos
from posemill.storage.durable import disk_faults
from posemill.storage.files.location import Location
from posemill.storage.identity import file_identity, has_size_and_time, is_same_file
from posemill.storage.poses import VideoEntry


def changed_files(
    entries: Iterable[VideoEntry], planned: PlannedVideos, *, ignore_times: bool
) -> Iterator[Change]:
    """The changes that the disk tells of, whether or not a catalog knows them.

    Looks at size and time, and reads a file only where these differ. A file that
    is gone has not changed; what is at an address or in a tar file is as the
    catalog has it.

    Raises:
        EnvironmentFault: a file cannot be looked at.
    """
    uris = planned.videos.uris()
    # Many clips may be spans of one file.
    stat, identify = cache(_stat), cache(_identify)
    for entry in entries:
        row = planned.rows.get(entry.video_id)
        if row is None or not entry.status.has_frames:
            continue
        location = Location.parse(planned.moved.get(entry.video_id, uris[row]))
        if location.scheme or location.member:
            continue
        info = stat(location.place)
        if info is None or has_size_and_time(entry.identity, info):
            continue
        now = identify(location.place)
        if now is not None and not is_same_file(entry.identity, now, ignore_times=ignore_times):
            yield Change(entry.video_id, entry.identity, now)


def _stat(path: str) -> os.stat_result | None:
    """None where no file is."""
    with disk_faults(path):
        try:
            return Path(path).stat()
        except (FileNotFoundError, NotADirectoryError):
            return None


def _identify(path: str) -> str | None:
    """None where no file is any more."""
    with disk_faults(path):
        try:
            return file_identity(path)
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None
