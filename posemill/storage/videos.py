"""Many videos as columns: a data set of 650,000 is read in a second and takes little memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, overload

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from posemill.schema import Video
from posemill.storage.tables import VIDEO_SCHEMA, videos_from_table, videos_to_table

_BATCH = 16_384


class VideoTable(Sequence[Video]):
    """A sequence of videos that makes each `Video` when it is asked for."""

    __slots__ = ("table",)

    def __init__(self, table: pa.Table) -> None:
        """Take a table with (at least) the columns of `VIDEO_SCHEMA`; see `require_valid`."""
        self.table = table.select(VIDEO_SCHEMA.names).replace_schema_metadata(None)

    @classmethod
    def of(cls, videos: Iterable[Video]) -> VideoTable:
        """The same videos as a table; a table is returned as it is."""
        if isinstance(videos, VideoTable):
            return videos
        return cls(videos_to_table(tuple(videos)))

    @classmethod
    def joined(cls, tables: Iterable[VideoTable]) -> VideoTable:
        """The videos of all tables, one after the other."""
        return cls(pa.concat_tables([VIDEO_SCHEMA.empty_table(), *(t.table for t in tables)]))

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @overload
    def __getitem__(self, index: int) -> Video: ...
    @overload
    def __getitem__(self, index: slice) -> VideoTable: ...
    def __getitem__(self, index: int | slice) -> Video | VideoTable:
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            if step == 1:
                return VideoTable(self.table.slice(start, max(stop - start, 0)))
            return self.take(np.arange(start, stop, step))
        (video,) = videos_from_table(self.table.slice(range(len(self))[index], 1))
        return video

    def __iter__(self) -> Iterator[Video]:
        for start in range(0, len(self), _BATCH):
            yield from videos_from_table(self.table.slice(start, _BATCH))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, VideoTable):
            return NotImplemented
        return bool(self.table.equals(other.table))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"VideoTable({len(self)} videos)"

    def require_valid(self) -> None:
        """Look at every row, as making its `Video` does.

        Raises:
            ValueError: a row that is no video, or an id given twice.
        """
        for _ in self:
            pass
        require_unique("video id", self.ids())

    def ids(self) -> list[str]:
        return self._texts("id")

    def uris(self) -> list[str]:
        return self._texts("uri")

    def identities(self) -> list[str]:
        return self._texts("identity")

    def num_bytes(self) -> npt.NDArray[np.int64]:
        """(N,) sizes of the files."""
        return np.asarray(self.table["num_bytes"], np.int64)

    def duration_seconds(self) -> npt.NDArray[np.float64]:
        """(N,) lengths of the files; NaN where unknown."""
        return np.asarray(self.table["duration_seconds"], np.float64)

    def start_seconds(self) -> npt.NDArray[np.float64]:
        """(N,) where the spans start."""
        return np.asarray(self.table["start_seconds"], np.float64)

    def end_seconds(self) -> npt.NDArray[np.float64]:
        """(N,) where the spans end; NaN for the end of the file."""
        return np.asarray(self.table["end_seconds"], np.float64)

    def take(self, rows: npt.NDArray[Any]) -> VideoTable:
        """The videos at these places, or those where a mask holds."""
        if rows.dtype == np.bool_:
            rows = np.flatnonzero(rows)
        return VideoTable(self.table.take(pa.array(rows)))

    def with_uris(self, uris: Sequence[str]) -> VideoTable:
        """The same videos, found elsewhere."""
        place = self.table.schema.get_field_index("uri")
        return VideoTable(self.table.set_column(place, VIDEO_SCHEMA.field("uri"), [uris]))

    def _texts(self, column: str) -> list[str]:
        texts: list[str] = self.table[column].to_pylist()
        return texts


def require_unique(what: str, names: Sequence[str]) -> None:
    """Raises:
    ValueError: a name that is there twice.
    """
    if len(set(names)) < len(names):
        twice = [name for name, count in Counter(names).items() if count > 1]
        raise ValueError(f"each {what} may be there once; given twice: {twice[:5]}")
