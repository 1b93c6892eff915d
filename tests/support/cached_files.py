"""What is in a cache of files."""

from __future__ import annotations

from pathlib import Path

from posemill.storage.files.cache import FileCache


def kept(cache: FileCache) -> list[Path]:
    """Whole files, sorted."""
    return sorted((cache.folder / "files").glob("*"))


def drafts(cache: FileCache) -> list[Path]:
    """Files that are being written, or were when their writer died."""
    return sorted((cache.folder / "drafts").glob("*"))
