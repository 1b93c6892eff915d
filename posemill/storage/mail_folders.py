"""Names of the folders in which the workers of one run leave messages for its driver."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from uuid import uuid4

from posemill.storage.objects import Objects
from posemill.storage.store_parts import METADATA, group_metadata

_TIME = "%Y%m%dT%H%M%SZ"
_NAME = re.compile(r"(\d{8}T\d{6}Z)-[0-9a-f]{32}")


def mail_folder_name(begun: datetime) -> str:
    """A name that nobody else uses, of a run that began then; `begun` is in UTC."""
    return f"{begun.strftime(_TIME)}-{uuid4().hex}"


def make_mail_part(mail: Objects) -> None:
    """Make the part of a store that holds such folders a group, as the others are.

    Zarr would else warn of it wherever it lists the store.
    """
    mail.create_if_absent(METADATA, group_metadata({}))


def begun_at(name: str) -> datetime | None:
    """When the run of a folder began, in UTC; None for a name that is none of these."""
    match = _NAME.fullmatch(name)
    try:
        return datetime.strptime(match[1], _TIME).replace(tzinfo=UTC) if match else None
    except ValueError:
        return None
