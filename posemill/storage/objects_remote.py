"""Objects below a prefix of a bucket that speaks the S3 protocol, through obstore.

Credentials, region and endpoint come from the usual variables of the
environment (`AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT_URL`, ...).
"""

from __future__ import annotations

import errno
import os
import random
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from zarr.abc.store import ByteRequest
from zarr.core.buffer import Buffer, BufferPrototype
from zarr.storage import ObjectStore as ZarrObjectStore

from posemill.errors import InputError, MissingDependency
from posemill.storage.durable import drafted_name
from posemill.storage.objects_base import Objects, checked_name
from posemill.storage.objects_faults import contended, remote_faults

if TYPE_CHECKING:
    from obstore.store import S3Store

SCHEME = "s3://"
_REQUESTS_AT_ONCE = 16
_ATTEMPT = "posemill-attempt"
_PROBE = ".probe-"
_CONFLICTS = 20
_PAGE = 1000  # keys that the protocol lists by one request
_CLIENT = {"connect_timeout": "5s", "timeout": "120s"}
_RETRY = {
    "max_retries": 8,
    "retry_timeout": timedelta(seconds=60),
    "backoff": {
        "init_backoff": timedelta(milliseconds=100),
        "max_backoff": timedelta(seconds=3),
        "base": 2,
    },
}

T = TypeVar("T")
U = TypeVar("U")


class ObstoreObjects(Objects):
    """Objects of a bucket whose keys begin with a prefix."""

    def __init__(self, bucket: str, prefix: str = "", store: S3Store | None = None) -> None:
        """`prefix` has no `/` at its ends; `store` is one of that bucket that is open already."""
        self._bucket = bucket
        self._prefix = prefix
        self._store = store or _open_bucket(bucket)

    @classmethod
    def from_url(cls, url: str) -> ObstoreObjects:
        """The objects below `s3://bucket/prefix`.

        Raises:
            InputError: the address names no bucket, or has an empty, `.` or `..` part.
            MissingDependency: obstore is not installed.
        """
        bucket, _, prefix = url.removeprefix(SCHEME).rstrip("/").partition("/")
        try:
            checked_name(f"{bucket}/{prefix}" if prefix else bucket)
        except ValueError as error:
            raise InputError(
                f"{url!r}: not an address of a store; expected s3://bucket/name, with plain parts "
                "between `/`. Correct the address."
            ) from error
        return cls(bucket, prefix)

    def __reduce__(self) -> tuple[Any, ...]:
        return ObstoreObjects, (self._bucket, self._prefix)

    @property
    def url(self) -> str:
        return f"{SCHEME}{self._bucket}/{self._prefix}".rstrip("/")

    @property
    def absolute_url(self) -> str:
        return self.url

    @property
    def survives_fork(self) -> bool:
        return False  # obstore's threads are not in the child, which would wait for them

    def at(self, *names: str) -> ObstoreObjects:
        return ObstoreObjects(self._bucket, self._key("/".join(names)), self._store)

    def read(self, name: str) -> bytes:
        import obstore

        with remote_faults(self._name(name)):
            return bytes(obstore.get(self._store, self._key(name)).bytes())

    def read_ranges(self, name: str, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        if len(ranges) > 1 and all(start >= 0 for start, _ in ranges):
            with suppress(_NotThere):
                return self._read_near(name, ranges)
        return _at_once(lambda part: self._read_range(name, *part), ranges)

    def read_all(self, names: Iterable[str]) -> dict[str, bytes]:
        wanted = list(names)
        return dict(zip(wanted, _at_once(self.read, wanted), strict=True))

    def write_all(self, files: Mapping[str, bytes]) -> None:
        _at_once(lambda item: self._put(*item, mode="overwrite"), files.items())

    def create_if_absent(self, name: str, data: bytes) -> bool:
        from obstore.exceptions import AlreadyExistsError

        attempt = uuid.uuid4().hex
        for _ in _tries():
            try:
                self._put(name, data, mode="create", attributes={_ATTEMPT: attempt})
            except AlreadyExistsError:
                # It may be this very attempt's, after a reply that was lost.
                winner = self._attempt_of(name)
                if winner is not None:
                    return winner == attempt
            else:
                return True
        raise contended(self._name(name), _CONFLICTS)

    def rewrite(self, name: str, make: Callable[[], Mapping[str, bytes]]) -> None:
        if self.size(name) is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), self._name(name))
        known = list(make())
        for _ in _tries():
            # The versions first: what `make` says then is no older than what it replaces.
            versions = dict(zip(known, _at_once(self._version, known), strict=True))
            files = make()
            known = list(files)
            if self._replace_if(name, files, versions):
                return
        raise contended(self._name(name), _CONFLICTS)

    def is_vacant(self, last: str) -> bool:
        names = [name for name in self.names() if not name.startswith(_PROBE)]
        return last not in names and all(self.at(name).names() == [last] for name in names)

    def create_tree(self, files: Mapping[str, bytes], check: Callable[[Objects], None]) -> bool:
        *others, last = files
        if not self.is_vacant(last):
            return False
        check(self.at(f"{_PROBE}{uuid.uuid4().hex}"))
        self.write_all({name: files[name] for name in others})
        return self.create_if_absent(last, files[last])

    def names(self) -> list[str]:
        import obstore

        with remote_faults(self.url):
            found = obstore.list_with_delimiter(self._store, prefix=self._prefix or None)
        paths = [*found["common_prefixes"], *(meta["path"] for meta in found["objects"])]
        return sorted(path.rpartition("/")[2] for path in paths)

    def tree(self) -> dict[str, int]:
        start = len(self._prefix) + 1 if self._prefix else 0
        return dict(sorted((path[start:], size) for path, size in self._list()))

    def size(self, name: str) -> int | None:
        head = self._head(name)
        return None if head is None else int(head["size"])

    def sizes(self, names: Iterable[str]) -> dict[str, int | None]:
        wanted = list(names)
        if len(wanted) > 1 and (all_there := self._small_tree()) is not None:
            return {name: all_there.get(name) for name in wanted}
        return dict(zip(wanted, _at_once(self.size, wanted), strict=True))

    def delete(self, *names: str) -> None:
        import obstore

        with remote_faults(self.url):
            obstore.delete(self._store, [self._key(name) for name in names])

    def delete_tree(self) -> None:
        import obstore

        paths = [path for path, _ in self._list()]
        with remote_faults(self.url):
            obstore.delete(self._store, paths)

    def drafts(self) -> dict[str, int]:
        # An object is there whole or not at all; only what is named as a draft is one.
        sizes = {name: self.size(name) for name in self.names() if drafted_name(name) is not None}
        return {name: size for name, size in sizes.items() if size is not None}

    def tree_drafts(self) -> list[Objects]:
        return [self.at(name) for name in self.names() if name.startswith(_PROBE)]

    def zarr_store(self) -> ZarrObjectStore[Any]:
        return _ZarrStore(_open_bucket(self._bucket, self._prefix), read_only=True)

    def _key(self, name: str) -> str:
        checked_name(name)
        return f"{self._prefix}/{name}" if self._prefix else name

    def _name(self, name: str) -> str:
        return f"{self.url}/{name}"

    def _read_range(self, name: str, start: int, length: int) -> bytes:
        import obstore
        from obstore.exceptions import GenericError

        asked: Any = {"suffix": -start} if start < 0 else (start, start + length)
        with remote_faults(self._name(name)):
            try:
                found = obstore.get(self._store, self._key(name), options={"range": asked})
                return bytes(found.bytes())[:length]
            except GenericError:
                num_bytes = self.size(name)
                if num_bytes is not None and (num_bytes == 0 or start >= num_bytes):
                    return b""  # a range of nothing is an error of the protocol
                raise

    def _read_near(self, name: str, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        """Ranges that are near to each other by one request.

        Raises:
            _NotThere: one of them begins after the object's end.
        """
        import obstore
        from obstore.exceptions import GenericError

        starts, lengths = zip(*ranges, strict=True)
        with remote_faults(self._name(name)):
            try:
                found = obstore.get_ranges(
                    self._store, self._key(name), starts=starts, lengths=lengths
                )
            except GenericError as error:
                if max(starts) >= (self.size(name) or 0):
                    raise _NotThere from error
                raise
        return [bytes(part) for part in found]

    def _small_tree(self) -> dict[str, int] | None:
        """All objects by one request; None where they are more than it tells."""
        import obstore

        with remote_faults(self.url):
            pages = obstore.list(self._store, prefix=self._prefix or None, chunk_size=_PAGE)
            page = next(iter(pages), [])
        if len(page) >= _PAGE:
            return None
        start = len(self._prefix) + 1 if self._prefix else 0
        return {meta["path"][start:]: int(meta["size"]) for meta in page}

    def _put(self, name: str, data: bytes, *, mode: Any, attributes: Any = None) -> None:
        import obstore

        key = self._key(name)
        with remote_faults(self._name(name)):
            obstore.put(
                self._store, key, data, mode=mode, attributes=attributes, use_multipart=False
            )

    def _put_if(self, name: str, data: bytes, version: str | None) -> bool:
        """Put where the object still has this version; None where it is still absent."""
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        try:
            self._put(name, data, mode="create" if version is None else {"e_tag": version})
        except (AlreadyExistsError, PreconditionError, FileNotFoundError):
            return False
        return True

    def _replace_if(
        self, last: str, files: Mapping[str, bytes], versions: Mapping[str, str | None]
    ) -> bool:
        """Put all where all have their versions; `last` not before the others are there."""
        if not files.keys() <= versions.keys():
            return False
        others = [name for name in files if name != last]
        done = _at_once(lambda name: self._put_if(name, files[name], versions[name]), others)
        return all(done) and self._put_if(last, files[last], versions[last])

    def _head(self, name: str) -> Any:
        import obstore

        try:
            with remote_faults(self._name(name)):
                return obstore.head(self._store, self._key(name))
        except FileNotFoundError:
            return None

    def _version(self, name: str) -> str | None:
        head = self._head(name)
        return None if head is None else head["e_tag"]

    def _attempt_of(self, name: str) -> str | None:
        """Which attempt created the object; "" for another program's, None where it is absent."""
        import obstore

        try:
            with remote_faults(self._name(name)):
                attributes = obstore.get(self._store, self._key(name)).attributes
        except FileNotFoundError:
            return None
        return str(dict(attributes).get(_ATTEMPT, ""))

    def _list(self) -> Iterator[tuple[str, int]]:
        import obstore

        with remote_faults(self.url):
            for batch in obstore.list(self._store, prefix=self._prefix or None):
                yield from ((meta["path"], int(meta["size"])) for meta in batch)


class _NotThere(Exception):
    """A range of nothing, which is an error of the protocol."""


class _ZarrStore(ZarrObjectStore["S3Store"]):
    """Zarr's own, with errors that name the place."""

    async def get(
        self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        with remote_faults(f"{SCHEME}{self.store.config['bucket']}/{self.store.prefix}/{key}"):
            return await super().get(key, prototype, byte_range)


def client_settings(endpoint: str) -> tuple[Any, Any]:
    """obstore's options of the client and of its retries, for a service at `endpoint`."""
    return {**_CLIENT, "allow_http": endpoint.startswith("http://")}, _RETRY


def _open_bucket(bucket: str, prefix: str = "") -> S3Store:
    try:
        from obstore.store import S3Store
    except ImportError as error:
        raise MissingDependency("obstore", "s3", f"A store in {SCHEME}{bucket}") from error
    client, retry = client_settings(os.environ.get("AWS_ENDPOINT_URL", ""))
    with remote_faults(f"{SCHEME}{bucket}"):
        return S3Store(bucket, prefix=prefix or None, client_options=client, retry_config=retry)


def _at_once(call: Callable[[T], U], items: Iterable[T]) -> list[U]:
    """Call for each, many at once; in order, and the first error is raised."""
    work = list(items)
    if len(work) < 2:
        return [call(item) for item in work]
    with ThreadPoolExecutor(min(_REQUESTS_AT_ONCE, len(work))) as pool:
        return list(pool.map(call, work))


def _tries() -> Iterator[int]:
    """So many tries, with longer and longer waits of random length between them."""
    for number in range(_CONFLICTS):
        yield number
        time.sleep(random.uniform(0, min(1.0, 0.01 * 2**number)))  # noqa: S311
