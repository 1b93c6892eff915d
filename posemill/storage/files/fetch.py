"""A video as a local file, wherever it is, and what is known of one without fetching it."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from posemill.errors import EnvironmentFault, InputError, UnreadableVideo
from posemill.storage.files.cache import FileCache, Source
from posemill.storage.files.draft import Beat
from posemill.storage.files.location import Location, is_address
from posemill.storage.files.remote import RemoteFacts, RemoteFiles, remote_files, require_remote
from posemill.storage.files.tar_members import (
    TarMember,
    member_identity,
    read_member,
    tar_members,
)
from posemill.storage.identity import file_identity
from posemill.storage.video.trust import require_regular

_CHANGES = 3
_AT_ONCE = 16

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True, slots=True)
class LocalFile:
    """The bytes of a video, for as long as the context lasts that gave it."""

    path: Path
    identity: str
    """As `Video.identity`, of these very bytes."""


@dataclass(frozen=True, slots=True)
class Look:
    """What is known of a video's file without reading all of it."""

    num_bytes: int
    """0 where a server does not tell."""
    identity: str


def ignore(_: str) -> None:
    """A `Beat` that nobody hears."""


@contextmanager
def local_file(location: Location, cache: FileCache, beat: Beat = ignore) -> Iterator[LocalFile]:
    """A local file as it is; what is at an address or in a tar file, as a file of the cache.

    `beat` hears of every piece that comes, and of waiting for other processes. An
    `UnreadableVideo` that is raised in the context names the location, not the cache's file.

    Raises:
        FileNotFoundError: there is no such file, or no such member.
        UnreadableVideo: more bytes than the cache may hold, no tar file, or no regular file.
        EnvironmentFault: the network, the disk or a permission fails.
        OSError: a local file cannot be read.
    """
    with ExitStack() as stack:
        file = _enter(stack, location, cache, beat)
        try:
            yield file
        except UnreadableVideo as error:  # readers name the file that they were given
            text = str(error).replace(str(file.path), str(location))
            raise UnreadableVideo(text) from error


def look(location: Location, cache: FileCache, beat: Beat = ignore) -> Look:
    """Size and identity; of what is at an address without fetching it, but for tar files.

    Raises:
        As `local_file`.
    """
    if location.member:
        with local_file(location.whole, cache, beat) as tar:
            member = _member(tar.path, location)
            return Look(member.num_bytes, member_identity(tar.path, member))
    if location.scheme:
        facts = _remote_files(location).look(location)
        return Look(facts.num_bytes or 0, facts.identity)
    path = Path(location.place)
    if not path.is_file():  # a pipe would not be opened until somebody writes
        raise FileNotFoundError(errno.ENOENT, "no regular file", location.place)
    return Look(path.stat().st_size, file_identity(path))


def look_at_all(locations: Iterable[Location], cache: FileCache) -> list[Look | None]:
    """`look` at many, several at once; None for one that is not there, or is no file.

    Raises:
        As `local_file`, but for FileNotFoundError.
    """

    def one(location: Location) -> Look | None:
        try:
            return look(location, cache)
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None

    return _at_once(one, locations)


def are_there(texts: Sequence[str], cache: FileCache) -> list[bool]:
    """Whether there is a file at each location, given as text.

    Raises:
        As `local_file`, but for FileNotFoundError.
    """
    locations = {text: location for text in texts if (location := _elsewhere(text))}
    looks = look_at_all(locations.values(), cache)
    found = {text: seen is not None for text, seen in zip(locations, looks, strict=True)}
    return [found[text] if text in found else Path(text).exists() for text in texts]


def require_root(root: str) -> None:
    """Whether videos could be at a catalog's root at all: a disk or a bucket that is gone must
    not make all of them count as missing.

    Raises:
        EnvironmentFault: it is not there, or gives no answer.
    """
    if not is_address(root):
        folder = Path(root)
        if not folder.is_dir() or not any(folder.iterdir()):
            raise EnvironmentFault(
                f"the videos' folder {root} is not there or empty; mount it, or index the "
                "videos where they are now"
            )
        return
    location = Location.parse(f"{root}/.posemill-probe")
    with suppress(FileNotFoundError):  # an answer, too
        _remote_files(location).look(location)


def require_supported(texts: Iterable[str]) -> None:
    """Refuse addresses that cannot be read here, before any is.

    Raises:
        InputError: plain http, which is not allowed here, or a missing package.
    """
    schemes = {text.partition(":")[0] for text in texts if not text.startswith("/")}
    for scheme in sorted(schemes):
        require_remote(scheme)


def _elsewhere(text: str) -> Location | None:
    """The location, unless it is a local file of its own."""
    if text.startswith("/") and ".tar#" not in text:
        return None
    location = Location.parse(text)
    return location if location.scheme or location.member else None


def _remote_files(location: Location) -> RemoteFiles:
    try:
        return remote_files(location.scheme)
    except InputError as error:  # a package or a permission to use http is missing here
        raise EnvironmentFault(str(error)) from error


def _enter(stack: ExitStack, location: Location, cache: FileCache, beat: Beat) -> LocalFile:
    if location.scheme:
        whole = _fetched(stack, location.whole, cache, beat)
    elif location.member:
        whole = LocalFile(Path(location.place), "")
    else:
        path = Path(location.place)
        require_regular(path)
        return LocalFile(path, file_identity(path))
    if not location.member:
        return whole
    member = _member(whole.path, location)
    if location.scheme:
        _require_room_for_both(location, whole.path.stat().st_size, member.num_bytes, cache)
    pieces = partial(read_member, whole.path, member)
    source = Source(str(location), location.suffix, member.num_bytes, pieces)
    path = stack.enter_context(cache.once(source, beat))
    return LocalFile(path, member_identity(whole.path, member))


def _require_room_for_both(
    location: Location, tar_bytes: int, member_bytes: int, cache: FileCache
) -> None:
    """Refuse what would wait for the room of its own tar file, which is in use meanwhile."""
    if tar_bytes + member_bytes > cache.limit_bytes:
        raise UnreadableVideo(
            f"{location}: has {member_bytes:,} bytes beside the {tar_bytes:,} of its tar file, and "
            f"fetched files may have {cache.limit_bytes:,} together. Raise POSEMILL_CACHE_BYTES if "
            "it is to be read, or leave it out of the catalog."
        )


def _member(tar: Path, location: Location) -> TarMember:
    member = tar_members(tar).get(location.member)
    if member is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(location))
    return member


class _Changed(Exception):
    """Another file took a file's place while it was read."""


def _fetched(stack: ExitStack, location: Location, cache: FileCache, beat: Beat) -> LocalFile:
    files = _remote_files(location)
    for _ in range(_CHANGES):
        beat(f"asking for {location}")
        facts = files.look(location)
        try:
            path = stack.enter_context(_held(location, files, facts, cache, beat))
        except _Changed:
            continue
        return LocalFile(path, facts.identity)
    raise EnvironmentFault(
        f"{location}: changed {_CHANGES} times while it was read; expected one file. Run the same "
        "command again when nobody writes it."
    )


@contextmanager
def _held(
    location: Location, files: RemoteFiles, facts: RemoteFacts, cache: FileCache, beat: Beat
) -> Iterator[Path]:
    """The file of these facts. One without a version may be another one next time."""

    def pieces() -> Iterator[bytes]:
        yield from files.read(location, facts)
        if files.look(location) != facts:
            raise _Changed

    source = Source(location.place, location.suffix, facts.num_bytes, pieces)
    key = hashlib.sha256(f"{location.place}\n{facts.identity}".encode()).hexdigest()
    with cache.kept(key, source, beat) if facts.version else cache.once(source, beat) as path:
        yield path


def _at_once(call: Callable[[T], U], items: Iterable[T]) -> list[U]:
    """Call for each, several at once; in order, and the first error is raised."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(call, items))
