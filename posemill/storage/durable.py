"""Files and folders that are on the disk, whole, once a call has returned."""

from __future__ import annotations

import os
import re
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from posemill.errors import DiskRefused, InputError

_DRAFT = re.compile(r"\.(.+)\.[0-9a-f]{32}")


def draft_name(name: str) -> str:
    """A hidden name that nobody else uses, which tells what it is a draft of."""
    return f".{name}.{uuid.uuid4().hex}"


def drafted_name(draft: str) -> str | None:
    """What `draft_name` was given; None for a name that is not of its making."""
    match = _DRAFT.fullmatch(draft)
    return match[1] if match else None


def temporary_name(path: Path) -> Path:
    """A hidden name beside `path` that nobody else uses."""
    return path.with_name(draft_name(path.name))


def write_file(path: Path, data: bytes) -> None:
    """Write a new file and wait until its bytes are on the disk."""
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def replace_file(path: Path, data: bytes) -> None:
    """Put `data` in the place of a file; a reader sees all of the old or all of the new."""
    replace_files(path.parent, {path.name: data})


def replace_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Put files in the place of others, each at once; none before all are on the disk."""
    drafts = {name: temporary_name(folder / name) for name in files}
    try:
        for name, draft in drafts.items():
            write_file(draft, files[name])
        for name, draft in drafts.items():
            move_draft(draft, folder / name, files[name], os.replace)
    finally:
        for draft in drafts.values():
            draft.unlink(missing_ok=True)
    sync_folder(folder)


def move_draft(draft: Path, path: Path, data: bytes, move: Callable[[Path, Path], None]) -> None:
    """Give a written draft its name by `move`; one that `gc` took for a dead writer's is redone.

    Raises:
        OSError: as `move` does, or the folder is gone.
    """
    while True:
        try:
            move(draft, path)
        except FileNotFoundError:
            write_file(draft, data)
        else:
            return


def make_folder(folder: Path) -> None:
    """Make a folder and those above it; those that are new are on the disk on return."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Wait until a folder's list of names, or a file's bytes, are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Wait until every file and folder below `folder`, and itself, is on the disk."""
    for current, _, names in os.walk(folder, topdown=False):
        for name in names:
            sync_folder(Path(current, name))
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
def input_faults(
    path: Path | str, remedy: str = "Correct the permissions, or give another path."
) -> Iterator[None]:
    """Turn an `OSError` about what the user gave into an `InputError` that names the place."""
    try:
        yield
    except OSError as error:
        raise InputError(
            f"{error.filename or path}: cannot be read ({error.strerror or error}); expected a "
            f"path that may be read. {remedy}"
        ) from error


@contextmanager
def disk_faults(path: Path | str) -> Iterator[None]:
    """Turn an `OSError` into a `DiskRefused` that names the place and the remedy."""
    try:
        yield
    except OSError as error:
        raise DiskRefused(
            f"{path}: the disk refused ({error.strerror or error}); expected to read and write "
            "there. Check space and permissions, then run the same command again: what was "
            "committed is kept."
        ) from error
