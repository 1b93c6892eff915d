"""What every place for stores can do: named byte objects, on a disk or in a bucket.

A name is relative, with `/` between its parts: `commits/s000123.g000.json`. There
are no folders apart from the names: one is there while an object below it is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence

from zarr.abc.store import Store as ZarrStore

from posemill.errors import InputError


class Objects(ABC):
    """Named byte objects below a root; cheap to pickle.

    What is written is whole and survives a crash once a call has returned.

    Raises, in every method:
        ValueError: a name with an empty, `.` or `..` part, or with control characters.
        OSError: the disk refuses.
        EnvironmentFault: the object store cannot be reached or refuses.
        InputError: its bucket does not exist.
    """

    @property
    @abstractmethod
    def url(self) -> str:
        """How the root is named in messages and on the command line."""

    @property
    @abstractmethod
    def absolute_url(self) -> str:
        """The same, wherever the process stands that reads it."""

    @property
    @abstractmethod
    def survives_fork(self) -> bool:
        """Whether a process that was forked after the first use may go on using it."""

    @abstractmethod
    def at(self, *names: str) -> Objects:
        """The objects below a part of this root."""

    @abstractmethod
    def read(self, name: str) -> bytes:
        """All bytes of an object.

        Raises:
            FileNotFoundError: it is absent.
        """

    @abstractmethod
    def read_ranges(self, name: str, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        """Parts `(start, length)` of an object, shorter where it ends before.

        A negative start counts from the end, and then the part reaches to it at most.

        Raises:
            FileNotFoundError: it is absent.
        """

    def read_range(self, name: str, start: int, length: int) -> bytes:
        """One part of an object, see `read_ranges`."""
        return self.read_ranges(name, [(start, length)])[0]

    def read_all(self, names: Iterable[str]) -> dict[str, bytes]:
        """All bytes of many objects.

        Raises:
            FileNotFoundError: one is absent.
        """
        return {name: self.read(name) for name in names}

    def write(self, name: str, data: bytes) -> None:
        """Write an object, in the place of an older one; a reader sees all of either."""
        self.write_all({name: data})

    @abstractmethod
    def write_all(self, files: Mapping[str, bytes]) -> None:
        """Write many objects, each as `write` does."""

    @abstractmethod
    def create_if_absent(self, name: str, data: bytes) -> bool:
        """Create an object unless there is one: True for exactly one of any number of callers.

        Where it raises, the object may be there or may still appear.
        """

    @abstractmethod
    def rewrite(self, name: str, make: Callable[[], Mapping[str, bytes]]) -> None:
        """Replace objects by those that `make` returns, `name` last of all.

        `make` must follow from something that only grows, and read it anew in each call:
        it is called again wherever another caller replaced one of them meanwhile, so that
        what follows from less never takes the place of what follows from more.

        Raises:
            FileNotFoundError: `name` is absent.
        """

    @abstractmethod
    def is_vacant(self, last: str) -> bool:
        """Whether nothing is there, or only what a `create_tree` that broke off before `last` left.

        Raises:
            OSError: that cannot be seen.
        """

    @abstractmethod
    def create_tree(self, files: Mapping[str, bytes], check: Callable[[Objects], None]) -> bool:
        """Create objects in a vacant place; False where it is not, or another was first.

        The last of `files` makes the others count: without it there are none. `check` is
        given a place of its own to try things out before that.

        Raises:
            InputError: a folder that another one cannot take the place of.
        """

    @abstractmethod
    def names(self) -> list[str]:
        """The first parts of all names, sorted; one listing."""

    @abstractmethod
    def tree(self) -> dict[str, int]:
        """Every object by its name, sorted, with its size in bytes; one listing."""

    @abstractmethod
    def size(self, name: str) -> int | None:
        """Size in bytes; None where the object is absent."""

    def sizes(self, names: Iterable[str]) -> dict[str, int | None]:
        """Sizes in bytes of many objects; None where one is absent."""
        return {name: self.size(name) for name in names}

    @abstractmethod
    def delete(self, *names: str) -> None:
        """Remove objects, if they are there."""

    @abstractmethod
    def delete_tree(self) -> None:
        """Remove every object below the root, and what an interrupted write left there."""

    @abstractmethod
    def drafts(self) -> dict[str, int]:
        """What interrupted writes left below the root, by name with its size; no objects.

        Deleting one harms nobody: whose draft vanishes writes it again.
        """

    @abstractmethod
    def tree_drafts(self) -> list[Objects]:
        """What each `create_tree` at this root left that broke off, beside what others made there.

        Once the root is made, deleting one harms nobody: who still writes it has lost.
        """

    @abstractmethod
    def zarr_store(self) -> ZarrStore:
        """For Zarr to read from; what it writes is to be encoded in memory and `write_all`-ed."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r})"


def require_primitives(objects: Objects, place: str) -> None:
    """Try what a store at `place` is going to rely on.

    Raises:
        InputError: it does not hold there.
    """
    name = ".probe"
    try:
        held = _has_one_creator(objects, name) and _is_made_anew(objects, name)
        objects.delete(name)
    except OSError as error:
        raise InputError(
            f"{place}: no store can be made there: its file system refuses to link a file "
            f"({error.strerror or error}). Choose an output path on another file system."
        ) from error
    if not held:
        raise InputError(
            f"{place}: no store can be made there: two writers can create or replace the same "
            "object, and one would be lost. Choose an output path on another file system or "
            "object store."
        )


def _has_one_creator(objects: Objects, name: str) -> bool:
    first = objects.create_if_absent(name, b"first")
    second = objects.create_if_absent(name, b"second")
    return first and not second and objects.read(name) == b"first"


def _is_made_anew(objects: Objects, name: str) -> bool:
    """Whether a rewrite that is overtaken between looking and writing begins again.

    Where it holds a lock it makes the object once, and cannot be overtaken.
    """
    calls: list[bytes] = []

    def make() -> dict[str, bytes]:
        calls.append(str(len(calls)).encode())
        if len(calls) == 2:
            objects.write(name, b"overtaken")
        return {name: calls[-1]}

    objects.rewrite(name, make)
    return len(calls) != 2 and objects.read(name) == calls[-1]


def checked_name(name: str) -> str:
    """A name that means the same object on a disk and in a bucket.

    Raises:
        ValueError: an empty, `.` or `..` part, or control characters.
    """
    parts = name.split("/")
    if any(part in ("", ".", "..") for part in parts) or not name.isprintable():
        raise ValueError(f"an object cannot be called {name!r}: expected plain parts between `/`")
    return name
