"""Reads files at addresses through fsspec: what they are, all their bytes, what a bucket holds.

Buckets go through obstore, whose settings are those of stores in buckets, or where
it is not installed through the package that fsspec knows for them (s3fs, gcsfs).
"""

from __future__ import annotations

import errno
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Any

from posemill.errors import EnvironmentFault, InputError, MissingDependency, PosemillError
from posemill.storage.files.location import BUCKETS, Location
from posemill.storage.files.web_client import open_web, require_web
from posemill.storage.objects_remote import client_settings

_BLOCK_BYTES = 8 << 20
_TAGS = ("e_tag", "ETag", "etag")
_TIMES = ("Last-Modified", "last_modified", "LastModified", "mtime", "updated")


@dataclass(frozen=True, slots=True)
class RemoteFacts:
    """What is told of a file without reading it."""

    num_bytes: int | None
    """None where the server does not tell."""
    version: str
    """`etag:...` or `time:...`; empty where the server tells neither."""

    @property
    def identity(self) -> str:
        """As `Video.identity`: another one when the file is another one, as far as is told."""
        size = "?" if self.num_bytes is None else self.num_bytes
        return f"{size} bytes, {self.version or 'of no version'}"


class RemoteFiles(ABC):
    """The files of one scheme; cheap to make again in another process.

    Raises, in every method:
        FileNotFoundError: there is no such file.
        EnvironmentFault: no answer, or a refusal.
    """

    @abstractmethod
    def look(self, location: Location) -> RemoteFacts:
        """What is told of the file at a location's place."""

    @abstractmethod
    def read(self, location: Location, facts: RemoteFacts) -> Iterator[bytes]:
        """Its bytes, in pieces; of `facts` it is told again whether they still hold."""

    @abstractmethod
    def list(self, location: Location) -> Iterator[tuple[str, RemoteFacts]]:
        """Every file below a place: its path below it, with `/` between parts.

        Raises:
            InputError: this scheme has no listings.
        """


def remote_files(scheme: str) -> RemoteFiles:
    """The files of a scheme that `Location` takes.

    Raises:
        MissingDependency: a package is not installed.
        InputError: plain http, which is not allowed here.
    """
    require_remote(scheme)
    return _files_of(scheme, os.environ.get("AWS_ENDPOINT_URL", ""))


def require_remote(scheme: str) -> None:
    """Raises:
    MissingDependency, InputError: as `remote_files`; nothing is opened.
    """
    if find_spec("fsspec") is None:
        raise MissingDependency("fsspec", "remote", f"A video at {scheme}://")
    if scheme in BUCKETS:
        _bucket_class(scheme)
    else:
        require_web(scheme)


@cache
def _files_of(scheme: str, endpoint: str) -> RemoteFiles:
    return _Bucket(scheme, endpoint) if scheme in BUCKETS else _Web()


class _Bucket(RemoteFiles):
    """Objects of a store such as S3."""

    def __init__(self, scheme: str, endpoint: str) -> None:
        self._fs = _bucket_class(scheme)(endpoint)

    def look(self, location: Location) -> RemoteFacts:
        with _faults(location):
            info = self._fs.info(_object(location))
            if info["type"] != "file":
                raise FileNotFoundError(location.place)
            return _facts(info)

    def read(self, location: Location, facts: RemoteFacts) -> Iterator[bytes]:
        path, num_bytes = _object(location), facts.num_bytes or 0
        for start in range(0, num_bytes, _BLOCK_BYTES):
            with _faults(location):
                data = self._fs.cat_file(path, start, min(start + _BLOCK_BYTES, num_bytes))
            yield bytes(data)

    def list(self, location: Location) -> Iterator[tuple[str, RemoteFacts]]:
        prefix = f"{_object(location).rstrip('/')}/"
        with _faults(location):
            found = self._fs.find(prefix.rstrip("/"), detail=True)
        for path, info in found.items():
            if path.startswith(prefix):
                yield path.removeprefix(prefix), _facts(info)


class _Web(RemoteFiles):
    """Files of a web server, in one request each."""

    def __init__(self) -> None:
        self._fs = open_web()

    def look(self, location: Location) -> RemoteFacts:
        with _faults(location):
            try:
                return _facts(self._fs.info(location.place))
            except FileNotFoundError as error:
                # The library says so of every failure; the reason is what it came from.
                if (status := getattr(error.__cause__, "status", None)) in (404, 410):
                    raise
                raise _Refused(status, error.__cause__ or error) from error

    def read(self, location: Location, facts: RemoteFacts) -> Iterator[bytes]:
        with _faults(location):
            # Block size 0 is one request for all; with the size it asks for that no more.
            file = self._fs.open(location.place, block_size=0, size=facts.num_bytes)
        try:
            while True:
                with _faults(location):
                    data = file.read(_BLOCK_BYTES)
                if not data:
                    return
                yield data
        finally:
            file.close()

    def list(self, location: Location) -> Iterator[tuple[str, RemoteFacts]]:
        raise InputError(
            f"{location}: a web server does not list its files; expected s3:// or gs://. "
            "Give the addresses in a file to `posemill index list`."
        )


class _Refused(Exception):
    """A server's answer that says nothing of the file."""

    def __init__(self, status: int | None, error: BaseException) -> None:
        text = f"status {status}" if status else f"{type(error).__name__}: {error}"
        super().__init__(text)


@contextmanager
def _faults(location: Location) -> Iterator[None]:
    """Turn a library's errors into ours, which name the place."""
    try:
        yield
    except FileNotFoundError as error:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), location.place) from error
    except PosemillError:
        raise
    except Exception as error:  # each library has its own, and none tells of the bytes
        text = " ".join(str(error).partition("Debug source")[0].split())[:300]
        raise EnvironmentFault(
            f"{location.place}: cannot be read ({text or type(error).__name__}); expected an "
            "answer. Check the network and the credentials, then run the same command again: "
            "what was committed is kept."
        ) from error


def _object(location: Location) -> str:
    """`bucket/key`, without the scheme: libraries look for `?` and `#` in what has one."""
    return location.place.partition("://")[2]


def _facts(info: Mapping[str, Any]) -> RemoteFacts:
    tag = next((str(info[name]) for name in _TAGS if info.get(name)), "")
    time = next((str(info[name]) for name in _TIMES if info.get(name)), "")
    tag = tag.removeprefix("W/").strip('"')
    version = f"etag:{tag}" if tag else f"time:{time}" if time else ""
    size = info.get("size")
    return RemoteFacts(None if size is None else int(size), version)


def _bucket_class(scheme: str) -> Callable[[str], Any]:
    """Makes a file system, given the endpoint.

    Raises:
        MissingDependency: no package for this scheme is installed.
    """
    if find_spec("obstore") is not None:
        return lambda endpoint: _open_obstore(scheme, endpoint)
    from fsspec.registry import get_filesystem_class

    try:
        chosen = get_filesystem_class(scheme)
    except ImportError as error:
        raise MissingDependency("obstore", "remote", f"A video at {scheme}://") from error
    return lambda _: chosen(skip_instance_cache=True, use_listings_cache=False)


def _open_obstore(scheme: str, endpoint: str) -> Any:
    from obstore.fsspec import FsspecStore

    create: Any = FsspecStore  # its overloads want the scheme as a literal
    client, retry = client_settings(endpoint)
    return create(scheme, client_options=client, retry_config=retry, skip_instance_cache=True)
