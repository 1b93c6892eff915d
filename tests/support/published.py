"""Published weights that a test makes up, and a table of them in place of the real ones."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from posemill.models.estimators.weights import tables
from posemill.models.estimators.weights.published import PublishedFile, PublishedWeights, WebFile


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def zipped(members: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def weights(**changes: Any) -> PublishedWeights:
    """One file `net.onnx` of an estimator `demo`."""
    fields: dict[str, Any] = {
        "estimator": "demo",
        "name": "demo-s",
        "licence": "MIT",
        "accuracy": "COCO val2017 AP 12.3",
        "accuracy_source": "a paper",
        "source": WebFile("http://127.0.0.1:9/net.onnx"),
        "files": (PublishedFile("net.onnx"),),
        "entry": "net.onnx",
    }
    return PublishedWeights(**(fields | changes))


@dataclass(frozen=True)
class _EntryPoint:
    name: str
    table: tuple[PublishedWeights, ...]

    def load(self) -> tuple[PublishedWeights, ...]:
        return self.table


class _EntryPoints(list[_EntryPoint]):
    @property
    def names(self) -> set[str]:
        return {entry.name for entry in self}


def install_tables(
    monkeypatch: pytest.MonkeyPatch, published: Mapping[str, tuple[PublishedWeights, ...]]
) -> None:
    """Let these be all the tables that there are."""
    entries = [_EntryPoint(name, table) for name, table in published.items()]

    def entry_points(group: str, name: str | None = None) -> _EntryPoints:
        assert group == tables.ENTRY_POINT_GROUP
        return _EntryPoints(entry for entry in entries if name in (None, entry.name))

    monkeypatch.setattr(tables, "entry_points", entry_points)
