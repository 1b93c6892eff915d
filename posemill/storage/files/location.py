"""Where a video is: a file of this machine, an address, or a member of a tar file at either.

::

    /data/a.mp4                       a local file
    s3://bucket/a.mp4                 an object; also gs://
    https://host/a.mp4?key=1          a file on a web server; also http://
    /data/shard-0001.tar#a/b.mp4      a member of a tar file
    s3://bucket/shard-0001.tar#b.mp4  the same, at an address

Whatever begins with a word and a colon is an address, and none but these schemes
are taken: no `concat:`, `file:`, `data:` or `pipe:`, and no chain such as
`simplecache::https://`. A relative path of such a name is written `./word:...`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from posemill.errors import InputError

BUCKETS = frozenset({"s3", "gs"})
WEB = frozenset({"https", "http"})

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
# Ends of lines, whatever else moves a cursor, and halves of characters, which UTF-8 lacks.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_LOCAL_MEMBER = re.compile(r"(.+?\.tar)#(.+)")
_REMOTE_MEMBER = re.compile(r"([^#]+?\.tar(?:\?[^#]*)?)#(.+)")
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_HOST = re.compile(r"(?:[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_NO_PARTS = {"", ".", ".."}
_CHAINED = "addresses are not chained by ::"


@dataclass(frozen=True, slots=True)
class Location:
    """Where a video's bytes are; made by `parse`.

    Raises:
        InputError: an address or a member that is not taken, see the module.
    """

    place: str
    """An absolute local path, or an address."""
    member: str = ""
    """Name in the tar file that is at `place`; empty where the video is a file of its own."""

    def __post_init__(self) -> None:
        if reason := _fault(self.place) or (_fault_of_member(self.member) if self.member else ""):
            raise InputError(
                f"{str(self)!r} is no place of a video: {reason}. Expected a path, s3://, gs:// "
                "or https://, or one of these to a .tar file, with # and a member's name. "
                "Correct the place."
            )

    @classmethod
    def parse(cls, text: str) -> Location:
        """The location that `str` makes this text of.

        Raises:
            InputError: an address or a member that is not taken, or a relative path.
        """
        pattern = _LOCAL_MEMBER if text.startswith("/") else _REMOTE_MEMBER
        match = pattern.fullmatch(text)
        return cls(match[1], match[2]) if match else cls(text)

    def __str__(self) -> str:
        return f"{self.place}#{self.member}" if self.member else self.place

    @property
    def scheme(self) -> str:
        """`s3`, `gs`, `https` or `http`; empty for a local file."""
        return "" if self.place.startswith("/") else self.place.partition(":")[0]

    @property
    def whole(self) -> Location:
        """The file itself: for a member the tar file that it is in."""
        return Location(self.place) if self.member else self

    @property
    def suffix(self) -> str:
        """Of the video's name, in lower case: `.mp4`."""
        name = self.member or (urlsplit(self.place).path if self.scheme in WEB else self.place)
        return PurePosixPath(name).suffix.lower()


def join(root: str, uri: str) -> str:
    """The text of a location: a catalog's uri, below its root where it is relative.

    Raises:
        InputError: the uri is an address that is not taken.
    """
    if uri.startswith("/"):
        return uri
    if _SCHEME.match(uri):
        return str(Location.parse(uri))
    return f"{root.rstrip('/')}/{uri.removeprefix('./')}"


def relative_uri(path: str) -> str:
    """How a path below a catalog's root is written so that nothing takes it for an address."""
    return f"./{path}" if _SCHEME.match(path) else path


def is_address(text: str) -> bool:
    """Whether a text is to be understood as an address, taken or not."""
    return _SCHEME.match(text) is not None


def _fault(place: str) -> str:
    """Why this can be no place; empty if it can."""
    if _UNPRINTABLE.search(place):
        return "it has a control character or one that is not UTF-8"
    if place.startswith("/"):
        return ""
    match = _SCHEME.match(place)
    if match is None:
        return "it is a relative path"
    scheme, rest = match[1], place[match.end() :]
    if rest.startswith(":"):
        return _CHAINED
    if scheme not in BUCKETS | WEB:
        return f"{scheme}: is not taken"
    if not rest.startswith("//"):
        return f"{scheme}: needs // and a {'bucket' if scheme in BUCKETS else 'host'}"
    return (_fault_of_object if scheme in BUCKETS else _fault_of_page)(rest.removeprefix("//"))


def _fault_of_object(rest: str) -> str:
    bucket, _, key = rest.partition("/")
    if not _BUCKET.fullmatch(bucket):
        return f"{bucket!r} is no name of a bucket"
    if "::" in key:
        return _CHAINED
    if key and not _NO_PARTS.isdisjoint(key.split("/")):
        return "its key has an empty, `.` or `..` part"
    return ""


def _fault_of_page(rest: str) -> str:
    host, slash, path = rest.partition("/")
    if "@" in host:
        return "it names a user or a password, which would be kept in catalogs and messages"
    if not _HOST.fullmatch(host):
        return f"{host!r} is no name of a host"
    name = path.partition("?")[0]
    if "::" in name:
        return _CHAINED
    if "#" in path:
        return "# is for members of a .tar file"
    if "\\" in path or " " in path:
        return "it has a space or a backslash, to be written %20 and %5C"
    if not slash or not _NO_PARTS.isdisjoint(name.split("/")):
        return "its path is absent, or has an empty, `.` or `..` part"
    return ""


def _fault_of_member(member: str) -> str:
    if _UNPRINTABLE.search(member):
        return "the member's name has a control character or one that is not UTF-8"
    if not _NO_PARTS.isdisjoint(member.split("/")):
        return "the member's name has an empty, `.` or `..` part, or starts with /"
    return ""
