"""Fetches published weights into this machine's cache, whole or not at all."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import cast

from posemill.errors import EnvironmentFault, InputError, WeightsUnavailable
from posemill.models.estimators.weights.archive import extract_member
from posemill.models.estimators.weights.cached import (
    CachedWeights,
    WeightsState,
    cached_weights,
    kept_names,
    require_hash,
    weights_folder,
    weights_state,
)
from posemill.models.estimators.weights.hub import download_repo
from posemill.models.estimators.weights.manifest import file_sha256, new_manifest, write_manifest
from posemill.models.estimators.weights.published import (
    HubRepo,
    Packaged,
    PublishedWeights,
    WebFile,
    Wheel,
)
from posemill.models.estimators.weights.tables import choose_published
from posemill.models.estimators.weights.web import OnBytes, download
from posemill.models.estimators.weights.wheel import download_wheel

_AGAIN = "what came is not what was published; pull again, or ask who runs the network"


def ignore_bytes(received: int, expected: int | None) -> None:
    """An `OnBytes` that nobody hears."""


def pull_with_companions(
    published: PublishedWeights, *, trust: bool = False, on_bytes: OnBytes = ignore_bytes
) -> CachedWeights:
    """`pull_weights`, and all that is pulled along with these."""
    for estimator, name in published.companions:
        pull_weights(choose_published(estimator, name), trust=trust, on_bytes=on_bytes)
    return pull_weights(published, trust=trust, on_bytes=on_bytes)


def pull_weights(
    published: PublishedWeights,
    *,
    trust: bool = False,
    on_bytes: OnBytes = ignore_bytes,
    cache_dir: Path | None = None,
) -> CachedWeights:
    """Put weights into the cache where they are not there and whole.

    The folder appears at once with all that belongs to it, so whoever is killed
    leaves nothing that is taken for whole. Of several pulls at once one fetches
    and the others wait. `trust` allows to read a pickle, once, to convert it.

    Raises:
        InputError: weights that come as a pickle, without `trust`.
        MissingDependency: a package that fetches or converts them is not installed.
        WeightsUnavailable: they cannot be fetched, or are not what was published.
        EnvironmentFault: the cache cannot be written.
    """
    if published.converter and not trust:
        raise InputError(
            f"{published.name} comes as a pickle, which can run code when it is read: pass "
            f"--trust if you trust {_address(published)}; it is read once, and kept as tensors only"
        )
    folder = weights_folder(published, cache_dir)
    if isinstance(published.source, Packaged):
        return cached_weights(published)
    try:
        with _alone(folder):
            if weights_state(published, cache_dir)[0] is not WeightsState.PRESENT:
                _renew(published, folder, on_bytes)
            return cached_weights(published, cache_dir)
    except OSError as error:
        raise EnvironmentFault(
            f"the weights {published.name} cannot be kept in {folder}: {error}; "
            "point POSEMILL_CACHE at a folder that can be written"
        ) from error


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """While no other process is pulling into `folder`; the lock ends with its holder."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _beside(folder, "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _renew(published: PublishedWeights, folder: Path, on_bytes: OnBytes) -> None:
    """Put a folder with what was fetched in the place of what is there."""
    drafts, old = _beside(folder, "pulling"), _beside(folder, "old")
    for leftover in (drafts, old):  # of somebody who was killed
        shutil.rmtree(leftover, ignore_errors=True)
    try:
        fetched, kept = drafts / "fetched", drafts / "kept"
        for each in (fetched, kept):
            each.mkdir(parents=True)
        source, source_sha256 = _fetch(published, fetched, kept, on_bytes)
        _require_published(published, kept)
        write_manifest(kept, new_manifest(source, source_sha256, kept, kept_names(published)))
        if folder.exists():
            folder.rename(old)
        kept.rename(folder)
    finally:
        for leftover in (drafts, old):
            shutil.rmtree(leftover, ignore_errors=True)


def _fetch(
    published: PublishedWeights, fetched: Path, kept: Path, on_bytes: OnBytes
) -> tuple[str, str]:
    """Bring the files into `kept`; what to note of their source, and its hash."""
    match published.source:
        case HubRepo() as repo:
            commit = download_repo(repo, kept_names(published), kept, on_bytes)
            return f"{repo.repo_id}@{commit}", ""
        case Wheel() as wheel:
            got = download_wheel(wheel, fetched)
            _unpack(published, got, kept)
            return wheel.requirement, wheel.sha256
        case WebFile() as web:
            got = fetched / web.url.rpartition("/")[2]
            download(web.url, got, on_bytes)
            digits = file_sha256(got)
            require_hash(got, digits, web.sha256, f"{_AGAIN} ({web.url})")
            _unpack(published, got, kept)
            return web.url, digits
        case Packaged():
            raise ValueError(f"the weights {published.name} are packaged, nothing is to be fetched")


def _unpack(published: PublishedWeights, got: Path, kept: Path) -> None:
    if published.converter:
        _converter(published.converter)(got, kept / published.entry, trust=True)
    elif any(file.member for file in published.files):
        for file in published.files:
            extract_member(got, file.member, kept / file.name)
    else:
        got.rename(kept / published.files[0].name)


def _converter(address: str) -> Callable[..., None]:
    module, _, function = address.partition(":")
    return cast(Callable[..., None], getattr(import_module(module), function))


def _require_published(published: PublishedWeights, folder: Path) -> None:
    """Raises:
    WeightsUnavailable: a file did not come, or has another hash than the published one.
    """
    known = {file.name: file.sha256 for file in published.files}
    for name in kept_names(published):
        path = folder / name
        if not path.is_file():
            raise WeightsUnavailable(f"{_address(published)} has no file {name}")
        require_hash(path, file_sha256(path), known.get(name, ""), _AGAIN)


def _address(published: PublishedWeights) -> str:
    match published.source:
        case WebFile(url=url):
            return url
        case HubRepo(repo_id=repo_id):
            return f"the hub's {repo_id}"
        case Wheel(requirement=requirement):
            return requirement
        case Packaged(folder=folder):
            return folder


def _beside(folder: Path, what: str) -> Path:
    return folder.with_name(f".{folder.name}.{what}")
