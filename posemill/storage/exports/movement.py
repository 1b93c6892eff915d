"""An xarray Dataset a video, in the convention of the toolbox `movement`, as netCDF files.

The convention is that of neuroinformatics-unit/movement 0.15 (movement/validators/datasets.py,
`ValidPosesInputs`): `position (time, space, keypoints, individuals)` and `confidence (time,
keypoints, individuals)`, the names of joints, of people and of `x`, `y`, `z` as coordinates,
and the attributes `ds_type`, `source_software`, `time_unit` and `fps`. Its own reader of
netCDF is `xarray.open_dataset` and that validator.

Settled here: times are those of the store, so where frames do not come evenly `fps` is
their mean rate. `position` is NaN where a joint was not found. `confidence` is 0 there, and
NaN where the whole person is absent. Somebody's name is `id_` and the number of the track.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from posemill.errors import InputError, MissingDependency
from posemill.schema import PoseSequence
from posemill.settings import setting
from posemill.storage.durable import make_folder
from posemill.storage.exports.base import PoseExport, PoseItem, PoseSource
from posemill.storage.exports.tracks import find_tracks, too_large
from posemill.transforms.skeletons import get_skeleton

if TYPE_CHECKING:
    import xarray as xr

Space = Literal["2d", "3d"]
SUFFIX = ".nc"
_MAX_NAME_BYTES = 255


@dataclass(frozen=True)
class MovementExport(PoseExport):
    """A folder of netCDF files, a video or clip each, as the movement toolbox opens them."""

    name: ClassVar[str] = "movement"
    makes = "folder"
    clips = "asked"

    space: Space = setting("2d", "pixels, or metres with y down")
    people: int = setting(0, "tracks that are kept; 0 keeps all", low=0, high=1000)

    def check(self, source: PoseSource) -> None:
        if find_spec("xarray") is None:
            raise MissingDependency("xarray", "xarray", "posemill export movement")
        if self.space == "3d" and not source.has_3d:
            raise InputError(f"{source.url} has no 3-D poses; set space=2d")

    def unfit(self, item: PoseItem) -> str | None:
        if self.space == "3d" and item.poses.xyz_m is None:
            return "it has no 3-D poses"
        if len(f"{item.id.rpartition('/')[2]}{SUFFIX}".encode()) > _MAX_NAME_BYTES:
            return f"its id is too long for the name of a file, {_MAX_NAME_BYTES} bytes"
        return too_large(item.poses, self.people, 3 if self.space == "2d" else 4)

    @contextmanager
    def begin(self, draft: Path, source: PoseSource) -> Iterator[_Writer]:  # noqa: ARG002
        yield _Writer(self, draft)


class _Writer:
    def __init__(self, export: MovementExport, folder: Path) -> None:
        self._export, self._folder = export, folder

    def add(self, item: PoseItem) -> None:
        path = self._folder / f"{item.id}{SUFFIX}"
        make_folder(path.parent)
        export = self._export
        dataset = to_dataset(item.poses, space=export.space, max_people=export.people)
        dataset.attrs["source_file"] = item.video_id
        # The writer that scipy brings; movement's own readers take this netCDF, too.
        dataset.to_netcdf(path, engine="scipy", format="NETCDF3_64BIT")

    def end_shard(self) -> None:
        pass


def to_dataset(poses: PoseSequence, *, space: Space = "2d", max_people: int = 0) -> xr.Dataset:
    """Poses as a `movement` dataset, float32, of M tracks in T frames.

    Args:
        poses: of a video or a clip.
        space: `2d` in pixels, or `3d` in metres.
        max_people: tracks that are kept, the first by number; 0 keeps all.

    Raises:
        ValueError: poses without 3-D positions, where these are wanted.
        ImportError: xarray is not installed.
    """
    import xarray as xr

    values = poses.xy_px if space == "2d" else poses.xyz_m
    if values is None:
        raise ValueError("these poses have no 3-D positions; take space='2d'")
    tracks = find_tracks(poses, max_people)
    found = np.where((poses.score > 0)[..., None], values, np.float32(np.nan))
    position = tracks.spread(found, np.nan).transpose(1, 3, 2, 0)
    confidence = tracks.spread(poses.score, np.nan).transpose(1, 2, 0)
    names: dict[str, Sequence[Any]] = {
        "time": poses.pts_seconds.tolist(),
        "space": ("x", "y", "z")[: values.shape[2]],
        "keypoints": get_skeleton(poses.skeleton).keypoints,
        "individuals": [f"id_{slot}" for slot in tracks.slots.tolist()],
    }
    dims = list(names)
    return xr.Dataset(
        {
            "position": (dims, np.ascontiguousarray(position)),
            "confidence": ([dims[0], *dims[2:]], np.ascontiguousarray(confidence)),
        },
        coords={name: list(labels) for name, labels in names.items()},
        attrs={
            "source_software": "posemill",
            "ds_type": "poses",
            "time_unit": "seconds",
            **_rate(poses),
            "skeleton": poses.skeleton,
            "frame_width": poses.width,
            "frame_height": poses.height,
        },
    )


def _rate(poses: PoseSequence) -> dict[str, float]:
    """The mean number of frames a second; nothing of one frame, which has none."""
    span = float(poses.pts_seconds[-1] - poses.pts_seconds[0]) if poses.num_frames else 0.0
    return {"fps": round((poses.num_frames - 1) / span, 6)} if span > 0 else {}
