"""Objects that are files below a folder of a local disk or a mounted file system."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from zarr.storage import LocalStore

from posemill.errors import InputError
from posemill.storage.durable import (
    drafted_name,
    make_folder,
    move_draft,
    publish_folder,
    remove_tree,
    replace_files,
    sync_folder,
    temporary_name,
    write_file,
)
from posemill.storage.objects_base import Objects, checked_name


@dataclass(frozen=True, slots=True, repr=False)
class LocalObjects(Objects):
    """Files below a folder, which need not exist before something is written."""

    root: Path

    @property
    def url(self) -> str:
        return str(self.root)

    @property
    def absolute_url(self) -> str:
        return str(self.root.resolve())

    @property
    def survives_fork(self) -> bool:
        return True

    def at(self, *names: str) -> LocalObjects:
        return LocalObjects(self.root.joinpath(*map(checked_name, names)))

    def read(self, name: str) -> bytes:
        with _opened(self._path(name)) as descriptor, os.fdopen(os.dup(descriptor), "rb") as file:
            return file.read()

    def read_ranges(self, name: str, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        with _opened(self._path(name)) as descriptor:
            return [_pread(descriptor, start, length) for start, length in ranges]

    def write_all(self, files: Mapping[str, bytes]) -> None:
        folders: dict[Path, dict[str, bytes]] = {}
        for name, data in files.items():
            path = self._path(name)
            folders.setdefault(path.parent, {})[path.name] = data
        for folder, members in folders.items():
            make_folder(folder)
            replace_files(folder, members)

    def create_if_absent(self, name: str, data: bytes) -> bool:
        path = self._path(name)
        make_folder(path.parent)
        draft = temporary_name(path)
        try:
            write_file(draft, data)
            try:
                move_draft(draft, path, data, os.link)
            except FileExistsError:
                return _is_linked(draft, path, data)
        finally:
            draft.unlink(missing_ok=True)
        sync_folder(path.parent)
        return True

    def is_vacant(self, last: str) -> bool:  # noqa: ARG002  a tree appears at once
        return not self.root.exists() or (self.root.is_dir() and not any(self.root.iterdir()))

    def create_tree(self, files: Mapping[str, bytes], check: Callable[[Objects], None]) -> bool:
        if not self.is_vacant(""):
            return False
        target = Path(os.path.abspath(self.root))  # noqa: PTH100  `..` has no name to draft beside
        _require_elsewhere(target)
        draft = temporary_name(target)
        try:
            make_folder(draft)
            check(LocalObjects(draft))
            LocalObjects(draft).write_all(files)
            return publish_folder(draft, target)
        finally:
            remove_tree(draft)

    def rewrite(self, name: str, make: Callable[[], Mapping[str, bytes]]) -> None:
        with _locked(self._path(name)):
            files = make()
            self.write_all({other: data for other, data in files.items() if other != name})
            self.write(name, files[name])

    def names(self) -> list[str]:
        try:
            found = [path.name for path in self.root.iterdir()]
        except FileNotFoundError:
            return []
        return sorted(name for name in found if drafted_name(name) is None)

    def tree(self) -> dict[str, int]:
        return dict(sorted(_walk(self.root)))

    def size(self, name: str) -> int | None:
        path = self._path(name)
        try:
            return path.stat().st_size if path.is_file() else None
        except (FileNotFoundError, NotADirectoryError):
            return None

    def delete(self, *names: str) -> None:
        folders = set()
        for path in map(self._path, names):
            try:
                path.unlink()
            except (FileNotFoundError, NotADirectoryError):
                continue
            folders.add(path.parent)
        for folder in folders:
            sync_folder(folder)

    def delete_tree(self) -> None:
        try:
            shutil.rmtree(self.root)
        except FileNotFoundError:
            return
        sync_folder(self.root.parent)

    def drafts(self) -> dict[str, int]:
        return dict(sorted(_walk(self.root, drafts=True)))

    def tree_drafts(self) -> list[Objects]:
        target = Path(os.path.abspath(self.root))  # noqa: PTH100  as `create_tree` has it
        beside = sorted(target.parent.iterdir())
        return [LocalObjects(path) for path in beside if drafted_name(path.name) == target.name]

    def zarr_store(self) -> LocalStore:
        return LocalStore(self.root, read_only=True)

    def _path(self, name: str) -> Path:
        return self.root / checked_name(name)


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    """A descriptor to read from; what is no file is no object."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except NotADirectoryError as error:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path)) from error
    try:
        yield descriptor
    except IsADirectoryError as error:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path)) from error
    finally:
        os.close(descriptor)


def _pread(descriptor: int, start: int, length: int) -> bytes:
    if start < 0:
        start = max(0, os.fstat(descriptor).st_size + start)
    return os.pread(descriptor, length, start)


def _is_linked(draft: Path, path: Path, data: bytes) -> bool:
    """Whether a link that failed was made: a network file system may report so after a retry."""
    try:
        return draft.stat().st_nlink == 2
    except FileNotFoundError:  # `gc` took the draft
        return path.read_bytes() == data


def _require_elsewhere(path: Path) -> None:
    """A finished draft takes the folder's place: who stands in the old one stands nowhere."""
    if path.exists() and path.samefile("."):
        raise InputError(
            f"{path}: is the current folder, which a new store cannot replace. "
            "Give the name of a new folder in it."
        )


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Wait until nobody else holds the file that is at `path`; a holder's death frees it.

    The lock is of the file, not of its name: who waited for one that was
    replaced meanwhile waits again for the one in its place.
    """
    while True:
        descriptor = os.open(path, os.O_RDWR)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                yield
                return
        finally:
            os.close(descriptor)


def _walk(folder: Path, prefix: str = "", *, drafts: bool = False) -> Iterator[tuple[str, int]]:
    """The files below a folder with their sizes, or the drafts of such."""
    try:
        with os.scandir(folder) as entries:
            members = list(entries)
    except FileNotFoundError:  # not there, or removed since it was listed
        return
    for entry in members:
        name = f"{prefix}{entry.name}"
        if entry.is_dir():
            yield from _walk(folder / entry.name, f"{name}/", drafts=drafts)
        elif (drafted_name(entry.name) is not None) == drafts:
            try:
                yield name, entry.stat().st_size
            except FileNotFoundError:
                continue
