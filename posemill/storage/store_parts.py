"""The parts that every store has, each a Zarr group of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from posemill.errors import StoreCorrupted
from posemill.storage.durable import disk_faults
from posemill.storage.objects import Objects

COMMITS = "commits"
PLAN = "plan"
MAIL = "mail"
"""Messages of workers to their drivers; made by the first engine that needs it."""
METADATA = "zarr.json"


def group_metadata(attributes: Mapping[str, Any], **members: Any) -> bytes:
    """The `zarr.json` of a Zarr v3 group."""
    content = {"zarr_format": 3, "node_type": "group", "attributes": attributes, **members}
    return json.dumps(content, indent=1, sort_keys=True).encode()


def names_in(part: Objects) -> list[str]:
    """The names in a part that every store of its kind has.

    Raises:
        StoreCorrupted: the part is not there.
        EnvironmentFault: it cannot be read.
    """
    with disk_faults(part.url):
        names = part.names()
    if METADATA not in names:
        raise StoreCorrupted(
            f"{part.url}: this folder of the store is not there or not whole, so the store is not "
            "whole. Restore it from a backup, or remove the store and make it again."
        )
    return names
