"""What both kinds of store are: a configuration at a place, and commits of shards."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar

from posemill.errors import EnvironmentFault, StoreCorrupted
from posemill.provenance import library_versions
from posemill.storage.commits import RecordName, latest_of, list_records, seal, unseal
from posemill.storage.durable import disk_faults, draft_name
from posemill.storage.objects import Objects, Place, open_objects
from posemill.storage.store_parts import COMMITS, MAIL
from posemill.storage.store_root import describe_configuration, read_attributes, seal_attributes

_PROBES = 5


class Commit(Protocol):
    """What every kind of commit tells."""

    @property
    def record(self) -> RecordName: ...

    @property
    def configuration_hash(self) -> str: ...


CommitT = TypeVar("CommitT", bound=Commit)


class Store(ABC, Generic[CommitT]):
    """A store on a disk or in a bucket; pickled as its place."""

    kind: ClassVar[str]
    schema_version: ClassVar[int]

    def __init__(self, objects: Objects, attributes: Mapping[str, Any]) -> None:
        """Use `create`, `open` or `open_or_create`."""
        self.objects = objects
        self.configuration: dict[str, Any] = attributes["configuration"]
        self.configuration_hash: str = attributes["configuration_hash"]
        self._commits: dict[RecordName, CommitT] = {}

    @property
    def url(self) -> str:
        """How it is named in messages and on the command line: a path, or `s3://bucket/name`."""
        return self.objects.url

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).open, (self.url,)

    @classmethod
    def open(cls, place: Place) -> Self:
        """The store at `place`: a path, or `s3://bucket/name`.

        Raises:
            InputError: there is none, or it is of another schema version.
            StoreCorrupted: its root metadata was altered.
            EnvironmentFault: the object store cannot be reached or refuses.
        """
        objects = open_objects(place)
        return cls(objects, read_attributes(objects, cls.kind, cls.schema_version))

    @classmethod
    def _describe(
        cls, configuration: Mapping[str, Any], attributes: Mapping[str, Any]
    ) -> dict[str, Any]:
        """All attributes of a new store's root."""
        common = {
            "kind": cls.kind,
            "schema_version": cls.schema_version,
            "versions": dict(library_versions()),
        }
        return seal_attributes({**common, **attributes, **describe_configuration(configuration)})

    def records(self) -> dict[int, RecordName]:
        """The latest record of every committed shard; one listing.

        Raises:
            StoreCorrupted: the part of the store that holds them is not there.
            EnvironmentFault: it cannot be read.
        """
        return latest_of(self.all_records())

    def all_records(self) -> list[RecordName]:
        """Every record, superseded ones too, in the order of shards and generations."""
        return list_records(self._commits_part)

    def commit(self, name: RecordName) -> CommitT:
        """What a record tells.

        Raises:
            StoreCorrupted: it was altered, belongs to another store, or is gone.
            EnvironmentFault: it cannot be read.
        """
        return self._load([name])[0]

    @staticmethod
    @abstractmethod
    def _parse_commit(body: Mapping[str, Any], marker_sha256: str) -> CommitT:
        """A commit from its record's content and sha256."""

    def _latest_commits(self) -> dict[int, CommitT]:
        """By shard; one listing, and a read of every record that is new."""
        latest = self.records()
        return dict(zip(latest, self._load(list(latest.values())), strict=True))

    def _is_committed(self, name: RecordName) -> bool:
        with disk_faults(self.url):
            return self._commits_part.size(str(name)) is not None

    def _publish(self, name: RecordName, body: Mapping[str, Any]) -> bool:
        """Commit; False where another process was first."""
        return self._commits_part.create_if_absent(str(name), seal(body))

    def _load(self, names: list[RecordName]) -> list[CommitT]:
        fresh = [str(name) for name in names if name not in self._commits]
        with disk_faults(self.url):
            try:
                records = self._commits_part.read_all(fresh)
            except FileNotFoundError as error:
                raise StoreCorrupted(
                    f"{error.filename}: this commit record is not there any more. Restore it from "
                    "a backup, or make the store again."
                ) from error
        for name in names:
            if name not in self._commits:
                self._commits[name] = self._parse_record(name, records[str(name)])
        return [self._commits[name] for name in names]

    def _parse_record(self, name: RecordName, data: bytes) -> CommitT:
        place = f"{self._commits_part.url}/{name}"
        commit = self._parse_commit(*unseal(data, place))
        if commit.record != name or commit.configuration_hash != self.configuration_hash:
            raise StoreCorrupted(
                f"{place}: belongs to another shard, generation or store ({commit.record}). "
                "Remove the foreign file."
            )
        return commit

    @property
    def mailbox(self) -> Place:
        """Where the workers of a run can leave messages for its driver; no part of the store."""
        return self.objects.at(MAIL).absolute_url

    def prove_writable(self) -> None:
        """Write an object, read it again and remove it: before work that ends in a commit.

        Raises:
            EnvironmentFault: the place refuses, or gave back other bytes.
        """
        name, found = draft_name("probe"), b""
        with disk_faults(self.url):
            for _ in range(_PROBES):
                self.objects.write(name, name.encode())
                with suppress(FileNotFoundError):  # `gc` takes it for what a killed one left
                    found = self.objects.read(name)
                    break
            self.objects.delete(name)
        if found != name.encode():
            raise EnvironmentFault(
                f"{self.url}: gave back other bytes than were written; check the disk or the "
                "object store"
            )

    @property
    def _commits_part(self) -> Objects:
        return self.objects.at(COMMITS)
