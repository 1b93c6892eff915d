"""Files and folders that are on the disk, whole, once a call has returned."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from posemill.errors import EnvironmentFault


def temporary_name(path: Path) -> Path:
    """A hidden name beside `path` that nobody else uses."""
    return path.with_name(f".{path.name}.{uuid.uuid4().hex}")


def write_file(path: Path, data: bytes) -> None:
    """Write a new file and wait until its bytes are on the disk."""
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def replace_file(path: Path, data: bytes) -> None:
    """Put `data` in the place of a file; a reader sees all of the old or all of the new."""
    draft = temporary_name(path)
    try:
        write_file(draft, data)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Wait until a folder's list of names is on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file(path: Path) -> None:
    """Wait until the bytes of a file that somebody else wrote are on the disk."""
    sync_folder(path)


def sync_tree(folder: Path) -> None:
    """Wait until every file and folder below `folder`, and itself, is on the disk."""
    for current, _, names in os.walk(folder, topdown=False):
        for name in names:
            sync_file(Path(current, name))
        sync_folder(Path(current))


def publish_folder(draft: Path, target: Path) -> bool:
    """Give a finished folder its name; False where a folder with content has that name.

    Raises:
        OSError: `target` is a file, or cannot be written.
    """
    sync_tree(draft)
    try:
        draft.rename(target)
    except OSError:
        if target.is_dir() and any(target.iterdir()):
            return False
        raise
    sync_folder(target.parent)
    return True


def remove_tree(folder: Path) -> None:
    """Remove a folder of an attempt that nobody will read; what cannot be removed stays."""
    with suppress(OSError):
        shutil.rmtree(folder)


@contextmanager
def disk_faults(path: Path) -> Iterator[None]:
    """Turn an `OSError` into an `EnvironmentFault` that names the place and the remedy."""
    try:
        yield
    except OSError as error:
        raise EnvironmentFault(
            f"{path}: the disk refused ({error.strerror or error}); expected to read and write "
            "there. Check space and permissions, then run the same command again: what was "
            "committed is kept."
        ) from error
