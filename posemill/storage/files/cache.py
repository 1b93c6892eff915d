"""A bounded folder of whole files, shared by any number of processes on one machine.

::

    files/<key>.mp4    whole files; the time of a file is when it was last asked for
    drafts/            files that are being written, locked by their writer
    locks/             one writer a key; never removed

Whoever reads a file holds a shared lock on it, whoever writes one an exclusive
lock, and only a file that nobody has locked is removed, the least lately used
one first. Locks end with their process, so that what a kill leaves behind is
known as such. A file gets its name when all of it is on the disk.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import sleep

from posemill.cache_folder import cache_folder
from posemill.errors import EnvironmentFault, InputError
from posemill.storage.durable import disk_faults, sync_folder
from posemill.storage.files.draft import Beat, Draft
from posemill.storage.files.locks import hold, locked

DEFAULT_BYTES = 20 << 30
_SIZE = "POSEMILL_CACHE_BYTES"
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_TEXT = re.compile(r"([0-9]+) ?([KMGT]?)(?:i?B)?")
_NUM_LOCK_DIGITS = 3
_TRIES = 3
_PAUSE_SECONDS = 0.5
_SUFFIX = re.compile(r"\.[a-z0-9]{1,8}")

Pieces = Callable[[], Iterable[bytes]]
"""Asks for all bytes of a file anew, in pieces."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file that can be fetched."""

    name: str
    """For messages."""
    suffix: str
    """Of its name, such as `.mp4`: decoders may look at it."""
    num_bytes: int | None
    """Of all of it; None where unknown."""
    pieces: Pieces


@dataclass(frozen=True, slots=True)
class FileCache:
    """Files below `folder`, of `limit_bytes` together at most; made when first used.

    Raises:
        InputError: a limit that is not positive.
    """

    folder: Path
    limit_bytes: int = DEFAULT_BYTES

    def __post_init__(self) -> None:
        if self.limit_bytes <= 0:
            raise InputError(
                f"the cache of videos needs more than 0 bytes, got {self.limit_bytes}. "
                f"Correct {_SIZE}."
            )

    @classmethod
    def of_environment(cls) -> FileCache:
        """`videos` in posemill's cache folder, of `POSEMILL_CACHE_BYTES` (`50G`) or 20 GiB.

        Raises:
            InputError: that is no number of bytes.
        """
        text = os.environ.get(_SIZE, str(DEFAULT_BYTES))
        if (match := _TEXT.fullmatch(text.strip())) is None:
            raise InputError(
                f"{_SIZE} is {text!r}; expected a number of bytes, such as 50G. Correct it."
            )
        return cls(cache_folder() / "videos", int(match[1]) * _UNITS[match[2]])

    @contextmanager
    def kept(self, key: str, source: Source, beat: Beat) -> Iterator[Path]:
        """The file of a hexadecimal key, fetched by one process of many; it stays for others.

        Raises:
            UnreadableVideo: more bytes than the cache may hold.
            EnvironmentFault: they cannot be had, the disk refuses, or all of the cache
                is in use for long.
            FileNotFoundError: as `pieces` raises it.
        """
        path = self.folder / "files" / f"{key}{_plain(source.suffix)}"
        with locked(self.folder / "locks" / key[:_NUM_LOCK_DIGITS], source.name, beat):
            while (held := _hold(path)) is None:
                self._fetch(path, source, beat)
        try:
            yield path
        finally:
            os.close(held)

    @contextmanager
    def once(self, source: Source, beat: Beat) -> Iterator[Path]:
        """As `kept`, for one use: the file is removed afterwards."""
        draft = self._draft(source, beat)
        try:
            _fill(draft, source)
            yield draft.path
        finally:
            draft.discard()

    def _draft(self, source: Source, beat: Beat) -> Draft:
        suffix = _plain(source.suffix)
        return Draft.create(self.folder, self.limit_bytes, source.name, suffix, beat)

    def _fetch(self, path: Path, source: Source, beat: Beat) -> None:
        """Bring a file under its name; others may remove it before it is held."""
        draft = self._draft(source, beat)
        try:
            _fill(draft, source)
            with disk_faults(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                os.fsync(draft.fd)
                draft.path.replace(path)
                sync_folder(path.parent)
        finally:
            draft.discard()


def _hold(path: Path) -> int | None:
    with disk_faults(path):
        return hold(path)


def _fill(draft: Draft, source: Source) -> None:
    """Write all pieces; from the start again where they could not be had."""
    if source.num_bytes is not None:
        draft.reserve(source.num_bytes)
    for attempt in range(_TRIES):
        try:
            _copy(draft, source)
        except EnvironmentFault:
            if attempt == _TRIES - 1:
                raise
            sleep(_PAUSE_SECONDS * 4**attempt)
        else:
            return


def _copy(draft: Draft, source: Source) -> None:
    draft.rewind()
    expected = source.num_bytes
    for piece in source.pieces():
        draft.write(piece)
        if expected is not None and draft.num_bytes > expected:
            break
    if expected is not None and draft.num_bytes != expected:
        got = f"{draft.num_bytes:,}" if draft.num_bytes < expected else "more"
        raise EnvironmentFault(
            f"{source.name}: {got} of {expected:,} bytes came; expected all of them. Check the "
            "network, then run the same command again."
        )
    draft.finish()


def _plain(suffix: str) -> str:
    return suffix if _SUFFIX.fullmatch(suffix) else ""
