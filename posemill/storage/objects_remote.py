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
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from zarr.abc.store import ByteRequest
from zarr.core.buffer import Buffer, BufferPrototype
from zarr.storage import ObjectStore as ZarrObjectStore

from posemill.errors import EnvironmentFault, InputError, MissingDependency
from posemill.storage.objects_base import Objects, checked_name

if TYPE_CHECKING:
    from obstore.store import S3Store

SCHEME = "s3://"
_REQUESTS_AT_ONCE = 16
_ATTEMPT = "posemill-attempt"
_PROBE = ".probe-"
_REFUSED = ("403 Forbidden", "401 Unauthorized")  # listings tell so by their text only
_users: set[int] = set()  # this process, and the one that it was forked from if that one was first
_CONFLICTS = 20
_CLIENT = {"connect_timeout": "5s", "timeout": "120s"}
_RETRY = {
    "max_retries": 4,
    "retry_timeout": timedelta(seconds=20),
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

        with _faults(self._name(name)):
            return bytes(obstore.get(self._store, self._key(name)).bytes())

    def read_ranges(self, name: str, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
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
        raise _contended(self._name(name))

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
        raise _contended(self._name(name))

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

        with _faults(self.url):
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
        return dict(zip(wanted, _at_once(self.size, wanted), strict=True))

    def delete(self, *names: str) -> None:
        import obstore

        with _faults(self.url):
            obstore.delete(self._store, [self._key(name) for name in names])

    def delete_tree(self) -> None:
        import obstore

        paths = [path for path, _ in self._list()]
        with _faults(self.url):
            obstore.delete(self._store, paths)

    def drafts(self) -> dict[str, int]:
        return {}  # an object is there whole or not at all

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
        with _faults(self._name(name)):
            try:
                found = obstore.get(self._store, self._key(name), options={"range": asked})
                return bytes(found.bytes())[:length]
            except GenericError:
                num_bytes = self.size(name)
                if num_bytes is not None and (num_bytes == 0 or start >= num_bytes):
                    return b""  # a range of nothing is an error of the protocol
                raise

    def _put(self, name: str, data: bytes, *, mode: Any, attributes: Any = None) -> None:
        import obstore

        key = self._key(name)
        with _faults(self._name(name)):
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
            with _faults(self._name(name)):
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
            with _faults(self._name(name)):
                attributes = obstore.get(self._store, self._key(name)).attributes
        except FileNotFoundError:
            return None
        return str(dict(attributes).get(_ATTEMPT, ""))

    def _list(self) -> Iterator[tuple[str, int]]:
        import obstore

        with _faults(self.url):
            for batch in obstore.list(self._store, prefix=self._prefix or None):
                yield from ((meta["path"], int(meta["size"])) for meta in batch)


class _ZarrStore(ZarrObjectStore["S3Store"]):
    """Zarr's own, with errors that name the place."""

    async def get(
        self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        with _faults(f"{SCHEME}{self.store.config['bucket']}/{self.store.prefix}/{key}"):
            return await super().get(key, prototype, byte_range)


def _open_bucket(bucket: str, prefix: str = "") -> S3Store:
    try:
        from obstore.store import S3Store
    except ImportError as error:
        raise MissingDependency("obstore", "s3", f"A store in {SCHEME}{bucket}") from error
    endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
    client: Any = {**_CLIENT, "allow_http": endpoint.startswith("http://")}
    retry: Any = _RETRY
    with _faults(f"{SCHEME}{bucket}"):
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


def _contended(place: str) -> EnvironmentFault:
    return EnvironmentFault(
        f"{place}: others wrote it in each of {_CONFLICTS} tries; expected to be next sooner. "
        "Run the same command again, with fewer jobs at once."
    )


@contextmanager
def _faults(place: str) -> Iterator[None]:
    """Turn obstore's errors into ours, which name the place; lost races are left to the caller."""
    from obstore.exceptions import (
        AlreadyExistsError,
        BaseError,
        PermissionDeniedError,
        PreconditionError,
        UnauthenticatedError,
    )

    _require_not_forked(place)
    try:
        yield
    except (AlreadyExistsError, PreconditionError):
        raise
    except (FileNotFoundError, BaseError) as error:
        if "NoSuchBucket" in str(error):
            raise InputError(
                f"{place}: there is no such bucket. Create it, or correct the address or "
                "AWS_ENDPOINT_URL."
            ) from error
        if isinstance(error, FileNotFoundError):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), place) from error
        if isinstance(error, PermissionDeniedError | UnauthenticatedError) or any(
            status in str(error) for status in _REFUSED
        ):
            raise EnvironmentFault(
                f"{place}: access was refused ({_brief(error)}); expected credentials that may "
                "read and write there. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, then run "
                "the same command again."
            ) from error
        raise EnvironmentFault(
            f"{place}: the object store failed ({_brief(error)}); expected an answer. Check the "
            "network, the credentials and AWS_ENDPOINT_URL, then run the same command again: what "
            "was committed is kept."
        ) from error


def _require_not_forked(place: str) -> None:
    """Refuse to wait for ever for threads that a fork left behind in the parent."""
    _users.add(os.getpid())
    if len(_users) > 1:
        raise EnvironmentFault(
            f"{place}: cannot be used in a process that was forked from one that used an object "
            "store; expected a new process. Start worker processes by `spawn`."
        )


def _brief(error: Exception) -> str:
    """Without the library's own debugging, in one line."""
    return " ".join(str(error).partition("Debug source")[0].split())[:300]
