"""What both kinds of store are: a configuration at a path, and commits of shards."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar

from posemill.errors import StoreCorrupted
from posemill.provenance import library_versions
from posemill.storage.commits import (
    RecordName,
    create_if_absent,
    list_latest,
    list_records,
    read_record,
    seal,
)
from posemill.storage.store_root import (
    COMMITS,
    create_store,
    describe_configuration,
    read_attributes,
)


class Commit(Protocol):
    """What every kind of commit tells."""

    @property
    def record(self) -> RecordName: ...

    @property
    def configuration_hash(self) -> str: ...


CommitT = TypeVar("CommitT", bound=Commit)


class Store(ABC, Generic[CommitT]):
    """A store on a local disk; pickled as its path."""

    kind: ClassVar[str]
    schema_version: ClassVar[int]

    def __init__(self, root: Path, attributes: Mapping[str, Any]) -> None:
        """Use `create`, `open` or `open_or_create`."""
        self.root = root
        self.configuration: dict[str, Any] = attributes["configuration"]
        self.configuration_hash: str = attributes["configuration_hash"]
        self._commits: dict[RecordName, CommitT] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).open, (self.root,)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Self:
        """The store at `path`.

        Raises:
            InputError: there is none, or a newer posemill made it.
            StoreCorrupted: its root metadata was altered.
        """
        root = Path(path)
        return cls(root, read_attributes(root, cls.kind, cls.schema_version))

    @classmethod
    def _create_at(
        cls,
        path: str | os.PathLike[str],
        configuration: Mapping[str, Any],
        attributes: Mapping[str, Any],
        populate: Callable[[Path], None],
    ) -> bool:
        """Make a store, whole or not at all; False where something is there."""
        common = {
            "kind": cls.kind,
            "schema_version": cls.schema_version,
            "versions": dict(library_versions()),
        }
        described = describe_configuration(configuration)
        return create_store(Path(path), {**common, **attributes, **described}, populate)

    @staticmethod
    @abstractmethod
    def _parse_commit(body: Mapping[str, Any], marker_sha256: str) -> CommitT:
        """A commit from its record's content and sha256."""

    def records(self) -> dict[int, RecordName]:
        """By shard the record of the highest generation; one listing.

        Raises:
            StoreCorrupted: the folder of records is not there.
        """
        return list_latest(self.root / COMMITS)

    def all_records(self) -> list[RecordName]:
        """Also those that a later generation has taken the place of; one listing."""
        return list_records(self.root / COMMITS)

    def _latest_commits(self) -> dict[int, CommitT]:
        """By shard; one listing."""
        return {shard: self.commit(name) for shard, name in self.records().items()}

    def _is_committed(self, name: RecordName) -> bool:
        return self._record_path(name).exists()

    def _publish(self, name: RecordName, body: Mapping[str, Any]) -> bool:
        """Commit; False where another process was first."""
        return create_if_absent(self._record_path(name), seal(body))

    def commit(self, name: RecordName) -> CommitT:
        """What a record says.

        Raises:
            StoreCorrupted: it was altered, or belongs elsewhere.
        """
        if name not in self._commits:
            path = self._record_path(name)
            commit = self._parse_commit(*read_record(path))
            if commit.record != name or commit.configuration_hash != self.configuration_hash:
                raise StoreCorrupted(
                    f"{path}: belongs to another shard, generation or store ({commit.record}). "
                    "Remove the foreign file."
                )
            self._commits[name] = commit
        return self._commits[name]

    def _record_path(self, name: RecordName) -> Path:
        return self.root / COMMITS / str(name)
