"""Fetches files of a model from the Hugging Face hub, by its web addresses."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from urllib.parse import quote

from posemill.errors import WeightsUnavailable
from posemill.models.estimators.weights.published import HubRepo
from posemill.models.estimators.weights.web import OnBytes, download

_PUBLIC = "https://huggingface.co"
_COMMIT = re.compile(r"[0-9a-f]{40}")


def download_repo(repo: HubRepo, names: tuple[str, ...], folder: Path, on_bytes: OnBytes) -> str:
    """Put the files `names` of a repository into `folder`; the commit that all of them are of.

    HF_ENDPOINT names another hub than the public one.

    Raises:
        WeightsUnavailable: the hub cannot be reached, or has no such repository,
            revision or file.
        OSError: a file cannot be written.
    """
    hub = os.environ.get("HF_ENDPOINT", _PUBLIC).rstrip("/")
    commit = _commit(hub, repo, folder / ".commit.json")
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        address = f"{hub}/{repo.repo_id}/resolve/{commit}/{quote(name)}"
        download(address, folder / name, on_bytes)
    return commit


def _commit(hub: str, repo: HubRepo, scratch: Path) -> str:
    """What the revision stands for now."""
    if _COMMIT.fullmatch(repo.revision):
        return repo.revision
    address = f"{hub}/api/models/{repo.repo_id}/revision/{quote(repo.revision, safe='')}"
    download(address, scratch, lambda *_: None)
    try:
        answer = json.loads(scratch.read_bytes())
        commit = answer["sha"] if isinstance(answer, dict) else None
    except (ValueError, KeyError):
        commit = None
    scratch.unlink()
    if not isinstance(commit, str) or not _COMMIT.fullmatch(commit):
        raise WeightsUnavailable(
            f"{address} does not tell a commit; does HF_ENDPOINT name a hub of models?"
        )
    return commit
