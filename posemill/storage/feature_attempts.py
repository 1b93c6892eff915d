"""Who writes the rows of a pose shard: announced before the first byte, looked up before each.

Rows have fixed places, so a writer that was stopped for long may put old bytes over newer
ones. Each attempt leaves a sign, `commits/s000123.g001-<12 hex>.begun`, before it touches
the rows, and takes it away once they are known to be as they were committed. Before it puts
an object in its place it looks whether somebody has committed what it is about to write.
So what a dead writer may have changed lies in a shard that has its sign.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Mapping

from posemill.storage.commits import RecordName
from posemill.storage.feature_records import FeatureCommit
from posemill.storage.objects import Objects

_SIGN = re.compile(r"s(\d{6,})\.g(\d{3,})-[0-9a-f]{12}\.begun")


class Overtaken(Exception):
    """The rows are committed: what this attempt would write does not belong there any more."""


class WriteAttempt:
    """One attempt to write a pose shard's rows as the generation `name`.

    `newest` gives the latest commit from that generation on, None where there is none.
    """

    def __init__(
        self,
        commits: Objects,
        name: RecordName,
        pose_marker_sha256: str,
        newest: Callable[[RecordName], FeatureCommit | None],
    ) -> None:
        self._commits = commits
        self._name = name
        self._pose_marker_sha256 = pose_marker_sha256
        self._newest = newest
        self._sign = f"{_stem(name)}-{uuid.uuid4().hex[:12]}.begun"
        self.has_begun = False
        """Whether it may have touched the rows."""

    def begin(self) -> None:
        """Leave the sign, then look: whoever commits later finds one of both.

        Raises:
            Overtaken: somebody has committed the rows; nothing is touched.
            OSError: the disk refuses.
        """
        self.require_first()
        self._commits.write(self._sign, b"")
        self.has_begun = True
        self.require_first()

    def end(self) -> None:
        """Take the sign away: what this attempt did to the rows is settled.

        Raises:
            OSError: the disk refuses.
        """
        if self.has_begun:
            self._commits.delete(self._sign)

    def require_first(self, *, must_finish: bool = False) -> None:
        """Go on only while nobody has committed the rows.

        With `must_finish` (it has declared them invalid) also where they were committed
        from the same poses: then it writes the same bytes, and makes them valid again.

        Raises:
            Overtaken: somebody has.
            OSError: the disk refuses.
        """
        found = self._newest(self._name)
        if found is not None and not (must_finish and found.is_of(self._pose_marker_sha256)):
            raise Overtaken


def signs_in(names: Iterable[str]) -> Mapping[str, RecordName]:
    """The signs among names of objects, and what those attempts would become."""
    found = ((name, _SIGN.fullmatch(name.rpartition("/")[2])) for name in names)
    return {name: RecordName(int(match[1]), int(match[2])) for name, match in found if match}


def _stem(name: RecordName) -> str:
    return str(name).removesuffix(".json")
