"""Tar files of samples for the `webdataset` loader, a sample a row of a feature store.

A sample is the files of one tar file that share what stands before the first dot of
their names, and what stands after it is the key (webdataset/webdataset, docs "WebDataset
Format"): `00000012.json` and, for every output, `00000012.u.npy`. The name is the number of
the row, as ids may hold dots and slashes; the id is in the JSON.
"""

from __future__ import annotations

import io
import json
import re
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from posemill.errors import InputError
from posemill.settings import setting
from posemill.storage.exports.base import FeatureExport, FeatureItem, FeatureSource
from posemill.storage.feature_rows import NO_LABEL, FeatureRow

INDEX = "dataset.json"
_PREFIX = "features"
_BLOCK = tarfile.BLOCKSIZE
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True)
class WebDatasetExport(FeatureExport):
    """A folder of tar files of features, for webdataset's loaders."""

    name: ClassVar[str] = "webdataset"
    makes = "folder"

    shard_mb: int = setting(256, "size of a tar file, in 10^6 bytes", low=1, high=100_000)
    split: str = setting("", "whose subsets are kept in tar files apart; none if empty")
    keep_invalid: bool = setting(False, "take rows without features, too")

    def check(self, source: FeatureSource) -> None:
        if not self.split:
            return
        if self.split not in source.splits:
            raise InputError(
                f"{source.url} has no split {self.split!r}; there are: "
                f"{', '.join(source.splits) or 'none'}"
            )
        for subset in source.splits[self.split]:
            if not _NAME.fullmatch(subset):
                raise InputError(
                    f"the subset {subset!r} of the split {self.split!r} cannot begin the name of a "
                    "file; expected letters, digits, dots, dashes and underscores. Leave split "
                    "empty."
                )

    def unfit(self, row: FeatureRow) -> str | None:
        if self.split and self.split not in row.subsets:
            return f"it is in no subset of the split {self.split!r}"
        return None

    @contextmanager
    def begin(self, draft: Path, source: FeatureSource) -> Iterator[_Writer]:
        with ExitStack() as open_files:
            writer = _Writer(self, draft, source, open_files)
            yield writer
        (draft / INDEX).write_text(_index(source, writer.counts()), encoding="ascii")


class _Writer:
    def __init__(
        self,
        export: WebDatasetExport,
        folder: Path,
        source: FeatureSource,
        open_files: ExitStack,
    ) -> None:
        self._export, self._folder, self._source = export, folder, source
        self._open_files = open_files
        self._series: dict[str, _Series] = {}

    def add(self, item: FeatureItem) -> None:
        prefix = item.row.subsets[self._export.split] if self._export.split else _PREFIX
        if prefix not in self._series:
            limit = self._export.shard_mb * 1_000_000
            series = _Series(self._folder, prefix, limit)
            self._series[prefix] = self._open_files.enter_context(series)
        self._series[prefix].add(_sample(item, self._source.classes))

    def counts(self) -> dict[str, int]:
        """Name of each tar file to the number of its samples."""
        return {
            name: count
            for _, series in sorted(self._series.items())
            for name, count in series.counts.items()
        }


class _Series:
    """Tar files that are numbered, one open at a time."""

    def __init__(self, folder: Path, prefix: str, limit: int) -> None:
        self._folder, self._prefix, self._limit = folder, prefix, limit
        self._tar: tarfile.TarFile | None = None
        self._num_bytes = 0
        self.counts: dict[str, int] = {}

    def __enter__(self) -> _Series:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._tar is not None:
            self._tar.close()

    def add(self, sample: dict[str, bytes]) -> None:
        num_bytes = sum(_BLOCK + len(data) + -len(data) % _BLOCK for data in sample.values())
        if self._tar is None or self._num_bytes + num_bytes > self._limit:
            self._next()
        for name, data in sample.items():
            self._member(name, data)
        self._num_bytes += num_bytes
        self.counts[next(reversed(self.counts))] += 1

    def _next(self) -> None:
        self.__exit__()
        name = f"{self._prefix}-{len(self.counts):06d}.tar"
        path = self._folder / name
        self._tar = tarfile.open(path, "x:", format=tarfile.USTAR_FORMAT)  # noqa: SIM115  as long as it grows
        self._num_bytes = 0
        self.counts[name] = 0

    def _member(self, name: str, data: bytes) -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mode = len(data), 0o644  # time and owner are 0
        if self._tar is not None:
            self._tar.addfile(member, io.BytesIO(data))


def _sample(item: FeatureItem, classes: tuple[str, ...]) -> dict[str, bytes]:
    key = f"{item.number:08d}"
    arrays = {f"{key}.{name}.npy": _npy(array) for name, array in sorted(item.arrays.items())}
    told = json.dumps(_about(item, classes), sort_keys=True).encode()
    return {f"{key}.json": told, **arrays}


def _about(item: FeatureItem, classes: tuple[str, ...]) -> dict[str, Any]:
    row = item.row
    return {
        "clip_id": row.clip_id,
        "video_id": row.video_id,
        "start_seconds": row.start_seconds,
        "end_seconds": row.end_seconds,
        "label": row.label,
        "class": _class(row.label, classes),
        "mirror_label": row.mirror_label,
        "mirror_class": _class(row.mirror_label, classes),
        "splits": dict(row.subsets),
        "boxes": [asdict(box) for box in row.boxes],
        "valid": item.is_valid,
    }


def _class(label: int, classes: tuple[str, ...]) -> str | None:
    return None if label == NO_LABEL else classes[label]


def _npy(array: npt.NDArray[Any]) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asarray(array, order="C"), (1, 0), allow_pickle=False)
    return file.getvalue()


def _index(source: FeatureSource, counts: dict[str, int]) -> str:
    """What all samples share: the outputs, with their scales, the classes, the tar files."""
    outputs = {spec.name: asdict(spec) for spec in source.specs}
    told = {
        "classes": list(source.classes),
        "outputs": outputs,
        "configuration": source.configuration,
        "shards": [{"name": name, "samples": count} for name, count in counts.items()],
    }
    return json.dumps(told, indent=1, sort_keys=True) + "\n"
