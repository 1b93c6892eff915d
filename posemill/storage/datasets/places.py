"""How the places of videos that lie anywhere are written in one catalog."""

from __future__ import annotations

import os
from collections.abc import Iterable

from posemill.storage.files.location import Location, relative_uri


def common_folder(locations: Iterable[Location]) -> str:
    """The deepest folder that holds all local files, which has to be there to read them; or /."""
    folders = [os.path.dirname(each.place) for each in locations if not each.scheme]  # noqa: PTH120
    return os.path.commonpath(folders) if folders else "/"


def uri_below(root: str, location: Location) -> str:
    """A location as `Video.uri` in a catalog with this root."""
    if location.scheme:
        return str(location)
    return relative_uri(str(location).removeprefix(root).removeprefix("/"))
