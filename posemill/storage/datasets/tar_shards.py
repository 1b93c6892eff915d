"""Tar files of samples (WebDataset) as a catalog; the videos stay in them.

A sample is what shares a key: a name up to the first dot after its last slash.
::

    train-0001.tar
        a/0001.mp4     the video; its id is `train-0001/a/0001`
        a/0001.cls     its class, as text
        a/0001.json    or in an object: {"label": "juggling", "subset": "train"}
        a/0001.txt     or as text here

The first of these that is there tells the class. Without a subset of its own a
sample has that of its tar file: `train`, `val` or `test`, which its name begins
with or its folder is called.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from posemill.errors import InputError, UnreadableVideo
from posemill.schema import Clip, TimedLabel, Video
from posemill.storage.catalog import Catalog
from posemill.storage.datasets.places import common_folder, uri_below
from posemill.storage.datasets.tree import SPLIT, SUBSETS, VIDEO_SUFFIXES
from posemill.storage.durable import input_faults
from posemill.storage.files.cache import FileCache
from posemill.storage.files.fetch import local_file, require_supported
from posemill.storage.files.location import Location, is_address
from posemill.storage.files.tar_members import (
    TarMember,
    member_identity,
    read_member,
    tar_members,
)

_LABELS = (".cls", ".json", ".txt")
_LABEL_BYTES = 1 << 20
_LABEL_LENGTH = 255
_SUBSET = re.compile(rf"({'|'.join(SUBSETS)})(?![A-Za-z0-9])")


@dataclass(frozen=True, slots=True)
class _Sample:
    location: Location
    member: TarMember
    video_id: str
    identity: str
    label: str
    subset: str


def index_tar(
    shards: Sequence[str], *, name: str | None = None, cache: FileCache | None = None
) -> Catalog:
    """The videos in tar files at paths or addresses; those at addresses are fetched once.

    Raises:
        InputError: no video, something that is no uncompressed tar file, two samples of one
            id, or a label that cannot be read.
        EnvironmentFault: an address gives no answer.
    """
    locations = [_location(shard) for shard in shards]
    require_supported(map(str, locations))
    store = cache or FileCache.of_environment()
    samples = [sample for location in locations for sample in _samples(location, store)]
    if not samples:
        raise InputError(
            f"{', '.join(shards) or 'no tar file'}: no video in it. Expected members with one of "
            f"the suffixes {' '.join(sorted(VIDEO_SUFFIXES))}. Give the tar files that hold them."
        )
    _require_own_ids(samples)
    root = common_folder(locations)
    return Catalog(
        name=name or PurePosixPath(root).name or "tar",
        root=root,
        videos=tuple(_video(root, sample) for sample in samples),
        clips=tuple(_clip(sample) for sample in samples),
        classes=tuple(sorted({sample.label for sample in samples if sample.label})),
    )


def _location(shard: str) -> Location:
    location = Location.parse(shard if is_address(shard) else str(Path(shard).resolve()))
    name = _name(location)
    if location.member or not name.endswith(".tar"):
        raise InputError(
            f"{shard}: expected the path or the address of an uncompressed .tar file. A .tar.gz "
            "has to be decompressed first, e.g. by gunzip: what is in the middle of it can only "
            "be reached from its start."
        )
    return location


def _name(location: Location) -> str:
    path = urlsplit(location.place).path if location.scheme else location.place
    return PurePosixPath(path).name


def _samples(location: Location, cache: FileCache) -> Iterator[_Sample]:
    with input_faults(location.place):
        try:
            with local_file(location, cache) as tar:
                yield from _samples_in(location, tar.path)
        except UnreadableVideo as error:
            raise InputError(f"{location}: {error}") from error


def _samples_in(location: Location, tar: Path) -> Iterator[_Sample]:
    groups: dict[str, list[TarMember]] = {}
    for member in tar_members(tar).values():
        folder, slash, file = member.name.rpartition("/")
        groups.setdefault(f"{folder}{slash}{file.partition('.')[0]}", []).append(member)
    stem = _name(location).removesuffix(".tar")
    default = _subset_of(location)
    for key, members in groups.items():
        videos = [each for each in members if _is_video(each.name)]
        if not videos:
            continue
        label, subset = _annotation(location, tar, key, members)
        for member in videos:
            own = key if len(videos) == 1 else str(PurePosixPath(member.name).with_suffix(""))
            yield _Sample(
                location=Location(location.place, member.name),
                member=member,
                video_id=f"{stem}/{own}",
                identity=member_identity(tar, member),
                label=label,
                subset=subset or default,
            )


def _is_video(name: str) -> bool:
    file = PurePosixPath(name).name
    return PurePosixPath(file).suffix.lower() in VIDEO_SUFFIXES and not file.startswith(".")


def _subset_of(location: Location) -> str:
    path = PurePosixPath(urlsplit(location.place).path if location.scheme else location.place)
    if match := _SUBSET.match(path.name):
        return match[1]
    return path.parent.name if path.parent.name in SUBSETS else ""


def _annotation(
    location: Location, tar: Path, key: str, members: Iterable[TarMember]
) -> tuple[str, str]:
    """Class and subset of a sample; empty where it tells none."""
    by_suffix = {member.name.removeprefix(key): member for member in members}
    label = subset = ""
    for suffix in _LABELS:
        member = by_suffix.get(suffix)
        if member is None:
            continue
        try:
            told = _told(_text(tar, member), is_object=suffix == ".json")
        except ValueError as error:
            raise InputError(
                f"{location}#{member.name}: {error}. Correct the member, or leave it out."
            ) from error
        label, subset = label or told.get("label", ""), subset or told.get("subset", "")
    return label, subset


def _text(tar: Path, member: TarMember) -> str:
    if member.num_bytes > _LABEL_BYTES:
        raise ValueError(
            f"a label of {member.num_bytes:,} bytes; expected {_LABEL_BYTES:,} at most"
        )
    return b"".join(read_member(tar, member)).decode()


def _told(text: str, *, is_object: bool) -> Mapping[str, str]:
    """`label` and `subset`, where they are told."""
    if not is_object:
        return {"label": _line("label", text.strip())}
    values = json.loads(text)
    if not isinstance(values, dict):
        raise ValueError(f"expected an object, got {text[:40]!r}")
    told = {name: values[name] for name in ("label", "subset") if values.get(name) is not None}
    return {name: _line(name, value) for name, value in told.items()}


def _line(what: str, value: object) -> str:
    """A name, of text or of a whole number."""
    is_name = isinstance(value, str | int) and not isinstance(value, bool)
    text = str(value)
    if not is_name or not text.isprintable() or len(text) > _LABEL_LENGTH:
        raise ValueError(
            f"expected a {what} in one line of {_LABEL_LENGTH} characters, got {text[:40]!r}"
        )
    return text


def _require_own_ids(samples: Iterable[_Sample]) -> None:
    first: dict[str, Location] = {}
    for sample in samples:
        if (other := first.setdefault(sample.video_id, sample.location)) is not sample.location:
            raise InputError(
                f"{other} and {sample.location} have the same id, {sample.video_id!r}. Rename one "
                "of the tar files."
            )


def _video(root: str, sample: _Sample) -> Video:
    uri = uri_below(root, sample.location)
    try:
        return Video(sample.video_id, uri, sample.member.num_bytes, sample.identity)
    except ValueError as error:
        raise InputError(f"{sample.location}: {error}. Rename the member.") from error


def _clip(sample: _Sample) -> Clip:
    return Clip(
        id=sample.video_id,
        video_id=sample.video_id,
        labels=(TimedLabel(sample.label),) if sample.label else (),
        splits={SPLIT: sample.subset} if sample.subset else {},
    )
