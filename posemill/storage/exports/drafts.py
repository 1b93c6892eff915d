"""Output that appears whole or not at all, and never in the place of what is there."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from posemill.errors import InputError
from posemill.storage.durable import (
    disk_faults,
    make_folder,
    publish_folder,
    remove_tree,
    sync_folder,
    temporary_name,
)
from posemill.storage.files.location import is_address

_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


def require_vacant(target: str) -> Path:
    """The absolute path of output that is yet to be.

    Raises:
        InputError: something is there, or it is an address.
    """
    if is_address(target):
        raise InputError(
            f"{target}: exports are written to a disk; give a path, and copy what is there then"
        )
    path = Path(os.path.abspath(target))  # noqa: PTH100  `.` and `..` have no name of their own
    if os.path.lexists(path):
        raise _already_there(path)
    return path


@contextmanager
def new_file(target: Path) -> Iterator[Path]:
    """A path beside `target` to write a file to, which has its name at the end.

    Raises:
        InputError: `target` is there by then.
        DiskRefused: the disk does.
    """
    draft = temporary_name(target)
    with disk_faults(target):
        make_folder(target.parent)
        try:
            yield draft
            sync_folder(draft)
            _publish_file(draft, target)
            sync_folder(target.parent)
        finally:
            draft.unlink(missing_ok=True)


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """An empty folder beside `target`, which has its name at the end.

    Raises:
        InputError: `target` is there by then.
        DiskRefused: the disk does.
    """
    draft = temporary_name(target)
    with disk_faults(target):
        make_folder(target.parent)
        draft.mkdir()
        try:
            yield draft
            if not publish_folder(draft, target):
                raise _already_there(target)
        finally:
            remove_tree(draft)


def _publish_file(draft: Path, target: Path) -> None:
    """Raises:
    InputError: `target` is there.
    """
    try:
        os.link(draft, target)  # refused where the name is taken, which a rename would replace
    except FileExistsError as error:
        raise _already_there(target) from error
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if os.path.lexists(target):
            raise _already_there(target) from error
        draft.rename(target)


def _already_there(path: Path) -> InputError:
    return InputError(
        f"{path}: is there already; an export never replaces anything. Choose another path, or "
        "remove it first."
    )
