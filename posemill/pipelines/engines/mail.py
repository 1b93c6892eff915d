"""A channel for engines that have none: messages as objects in a place that all can reach.

A run has a folder of its own, named by when it began. The driver makes it and
removes it; while it is there, the run is wanted, and workers elsewhere go on.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from math import inf
from threading import Lock
from time import monotonic
from typing import Self
from uuid import uuid4

from posemill.errors import EnvironmentFault
from posemill.pipelines.engines.message_json import Told, from_lines, to_lines
from posemill.storage.durable import disk_faults
from posemill.storage.mail_folders import mail_folder_name, make_mail_part
from posemill.storage.objects import LocalObjects, Objects, Place, open_objects

_OPEN = "open.json"
_LOCAL_SECONDS = 0.3
_REMOTE_SECONDS = 10.0
_BEAT_SECONDS = 3.0
_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Mailbox:
    """The messages of one run; cheap to pickle."""

    objects: Objects
    name: str
    """Of the run, unlike any other's."""

    @classmethod
    def create(cls, place: Place) -> Self:
        """A new one below `place`.

        Raises:
            EnvironmentFault: nothing can be written there.
        """
        name = mail_folder_name(datetime.now(UTC))
        mail = open_objects(place)
        box = cls(mail.at(name), name)
        with disk_faults(f"{place}, where workers are to leave messages"):
            make_mail_part(mail)
            box.objects.write(_OPEN, b"{}\n")
        return box

    @property
    def seconds(self) -> float:
        """How often to look and to write: a disk is near, and each request to a bucket costs."""
        return _LOCAL_SECONDS if isinstance(self.objects, LocalObjects) else _REMOTE_SECONDS

    @property
    def beat_seconds(self) -> float:
        """After how long a sender that has nothing to tell tells that it is there."""
        return max(_BEAT_SECONDS, _ROUNDS * self.seconds)

    @property
    def is_open(self) -> bool:
        """Whether the run is still wanted; where that cannot be seen it may be."""
        try:
            return self.objects.size(_OPEN) is not None
        except (OSError, EnvironmentFault):
            return True

    def collect(self) -> Iterator[list[Told]]:
        """Take the letters that have come, in the order in which each sender wrote its own.

        Raises:
            EnvironmentFault: it cannot be read, or is not of this version.
        """
        with disk_faults(self.objects.url):
            for name in self.objects.names():
                if name != _OPEN:
                    letter = from_lines(self.objects.read(name), f"{self.objects.url}/{name}")
                    self.objects.delete(name)
                    yield letter

    def close(self) -> None:
        """Tell that the run is over.

        Raises:
            EnvironmentFault: its object cannot be removed.
        """
        with disk_faults(self.objects.url):
            self.objects.delete(_OPEN)

    def remove(self) -> None:
        """Close, and remove all that is left.

        What a late sender still writes, or the place does not let go of, `gc` removes.

        Raises:
            EnvironmentFault: it cannot be closed.
        """
        self.close()
        with suppress(OSError, EnvironmentFault):
            self.objects.delete_tree()


@dataclass(slots=True)
class Sender:
    """Writes to a mailbox; of use to many threads at once."""

    box: Mailbox
    name: str = field(default_factory=lambda: uuid4().hex)
    _waiting: list[Told] = field(default_factory=list)
    _written: float = -inf
    """When the last letter was."""
    _numbers: Iterator[int] = field(default_factory=count)
    _posting: Lock = field(default_factory=Lock)
    _flushing: Lock = field(default_factory=Lock)

    def post(self, message: Told) -> None:
        """Have it sent with the next flush."""
        with self._posting:
            self._waiting.append(message)

    def flush(self) -> None:
        """Write what was posted, as one letter; nothing once the mailbox is closed.

        An empty one where the last is long ago.

        Raises:
            EnvironmentFault: it cannot be written; the next flush tries again.
        """
        with self._flushing:
            with self._posting:
                messages, self._waiting = self._waiting, []
            is_due = monotonic() - self._written > self.box.beat_seconds
            if not (messages or is_due) or not self.box.is_open:
                return
            try:
                self._write(to_lines(messages))
            except BaseException:
                with self._posting:
                    self._waiting = [*messages, *self._waiting]
                raise

    def flush_if_possible(self) -> None:
        """As `flush`; what cannot be written now is left to the next one."""
        with suppress(EnvironmentFault):
            self.flush()

    def _write(self, data: bytes) -> None:
        with disk_faults(self.box.objects.url):
            self.box.objects.write(f"{self.name}.{next(self._numbers):08d}.jsonl", data)
        self._written = monotonic()
