"""Published weights as they lie in this machine's cache: found, checked, never downloaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from posemill.cache_folder import cache_folder
from posemill.errors import WeightsUnavailable
from posemill.models.estimators.weights.manifest import Manifest, file_sha256, read_manifest
from posemill.models.estimators.weights.published import Packaged, PublishedWeights
from posemill.models.estimators.weights.tables import choose_published

_WHOLE_HASH = 64  # digits


@dataclass(frozen=True, slots=True)
class CachedWeights:
    """Weights that are here, every file compared with the hash that it must have."""

    published: PublishedWeights
    folder: Path
    sha256: Mapping[str, str]
    """Of each file, by its name in the folder."""
    manifest: Manifest | None
    """None for files that nobody pulled: packaged ones, or put there by hand."""

    @property
    def path(self) -> Path:
        """What the estimator loads: a file, or the folder."""
        return self.folder / self.published.entry


class WeightsState(StrEnum):
    """What lies where weights belong."""

    PRESENT = "present"
    ABSENT = "absent"
    DAMAGED = "damaged"  # there, but not what was published or pulled


def find_weights(estimator: str, name: str | None = None) -> Path:
    """The file or folder of the weights `name`, or of the default ones; never downloads.

    Raises:
        InputError: no published weights are called so.
        WeightsUnavailable: they are not here, or not what was published or pulled.
    """
    return cached_weights(choose_published(estimator, name)).path


def cached_weights(published: PublishedWeights, cache_dir: Path | None = None) -> CachedWeights:
    """The weights, all their bytes read and compared; never downloads.

    Raises:
        WeightsUnavailable: they are not here, or not what was published or pulled.
    """
    folder = weights_folder(published, cache_dir)
    manifest = read_manifest(folder)
    hashes = {}
    for name, known in _known_hashes(published).items():
        pulled = "" if manifest is None else manifest.sha256.get(name, "")
        if not pulled and len(known) < _WHOLE_HASH and not isinstance(published.source, Packaged):
            raise WeightsUnavailable(f"{_not_here(published, folder)}; {how_to_get(published)}")
        hashes[name] = _checked_hash(published, folder / name, [known, pulled])
    return CachedWeights(published, folder, hashes, manifest)


def weights_state(
    published: PublishedWeights, cache_dir: Path | None = None
) -> tuple[WeightsState, str]:
    """Whether weights are here and whole; if not, what is wrong and what to do."""
    try:
        cached_weights(published, cache_dir)
    except WeightsUnavailable as error:
        is_there = weights_folder(published, cache_dir).is_dir()
        return WeightsState.DAMAGED if is_there else WeightsState.ABSENT, str(error)
    return WeightsState.PRESENT, ""


def weights_folder(published: PublishedWeights, cache_dir: Path | None = None) -> Path:
    """Where weights lie, be they there or not."""
    if isinstance(published.source, Packaged):
        return Path(__file__).parents[1] / published.source.folder
    return (cache_dir or cache_folder()) / published.estimator / published.name


def kept_names(published: PublishedWeights) -> tuple[str, ...]:
    """The files that lie in the folder once the weights were pulled."""
    if published.converter:
        return (published.entry,)
    return tuple(file.name for file in published.files)


def require_hash(path: Path, got: str, known: str, remedy: str) -> None:
    """Raises:
    WeightsUnavailable: `got` does not begin with the digits that are known of the hash.
    """
    if not got.startswith(known):
        raise WeightsUnavailable(
            f"{path} ({path.stat().st_size} bytes) has the sha256 {got}, expected {known}: "
            f"damaged, or another version; {remedy}"
        )


def how_to_get(published: PublishedWeights) -> str:
    """What a user may do whose weights are not here."""
    size = f"{published.num_bytes / 1e6:.0f} MB, once" if published.num_bytes else "once"
    on_the_way = "" if published.converter else "pass --pull, "
    return (
        f"run `{pull_command(published)}` ({size}), {on_the_way}"
        f"or give {_what_to_give(published)} with --weights PATH"
    )


def pull_command(published: PublishedWeights) -> str:
    """The command that fetches exactly these weights."""
    name = "" if published.default else f" --name {published.name}"
    trust = " --trust" if published.converter else ""
    return f"posemill models pull {published.estimator}{name}{trust}"


def _known_hashes(published: PublishedWeights) -> dict[str, str]:
    """What is published of the hashes of the kept files."""
    hashes = {file.name: file.sha256 for file in published.files}
    return {name: hashes.get(name, "") for name in kept_names(published)}


def _checked_hash(published: PublishedWeights, path: Path, known: list[str]) -> str:
    try:
        got = file_sha256(path)
    except OSError as error:
        raise WeightsUnavailable(
            f"{_not_here(published, path)}: {error.strerror}; {how_to_get(published)}"
        ) from error
    for digits in known:
        require_hash(path, got, digits, f"remove it and {how_to_get(published)}")
    return got


def _not_here(published: PublishedWeights, path: Path) -> str:
    return f"the weights {published.name} of {published.estimator} are not on this machine: {path}"


def _what_to_give(published: PublishedWeights) -> str:
    if published.entry:
        return "a file of such weights"
    return f"a folder that holds {', '.join(kept_names(published))}"
