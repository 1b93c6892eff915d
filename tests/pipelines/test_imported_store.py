"""A store that was imported, whatever the format, is like one that was extracted."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from chain import ignore, markers, run_materialize
from in_process import InThisProcess
from ntu_files import Body, write_skeleton
from pose_files import MAKERS

from posemill.pipelines import import_poses as import_module
from posemill.pipelines import materialize as materialize_module
from posemill.pipelines import verify as verify_module
from posemill.pipelines.import_poses import ImportConfig, import_poses
from posemill.pipelines.import_settings import ImportSettings, stored_settings
from posemill.pipelines.pose_job import PoseSummary
from posemill.pipelines.status import status
from posemill.pipelines.verify import verify
from posemill.schema import VideoStatus
from posemill.storage.catalog import write_catalog
from posemill.storage.datasets.list_file import index_list
from posemill.storage.features import FeatureStore
from posemill.storage.formats.base import Source
from posemill.storage.formats.registry import create_format, format_names
from posemill.storage.poses import PoseStore

NUM_VIDEOS = 2


@dataclass(frozen=True)
class Imported:
    """The files of one format, and the store made of them. Tests leave both as they are."""

    name: str
    root: Path

    @property
    def files(self) -> Path:
        return self.root / "files"

    @property
    def store(self) -> Path:
        return self.root / "poses.zarr"

    @property
    def settings(self) -> ImportSettings:
        maker = MAKERS[self.name]
        return ImportSettings(create_format(self.name, maker.settings), maker.size_wh, maker.fps)

    def sources(self) -> list[Source]:
        return list(self.settings.format.find(self.files))

    def bring(self, out: Path) -> PoseSummary:
        config = ImportConfig(
            self.files, out, self.settings, self.root / "catalog", videos_per_shard=NUM_VIDEOS
        )
        return import_poses(config, ignore)


@pytest.fixture(scope="module", autouse=True)
def here() -> Iterator[None]:
    """Everything in this process: no test is about workers."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (import_module, materialize_module, verify_module):
            patch.setattr(module, "create_engine", lambda *_: InThisProcess())
        yield


@pytest.fixture(scope="module", params=sorted(MAKERS))
def imported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Imported:
    made = Imported(request.param, tmp_path_factory.mktemp("imported"))
    MAKERS[made.name].write(made.files)
    write_labels(made.root / "catalog", [each.video_id for each in made.sources()])
    summary = made.bring(made.store)
    assert (summary.statuses, summary.not_whole) == ({VideoStatus.OK: NUM_VIDEOS}, {})
    return made


def write_labels(catalog: Path, ids: Sequence[str]) -> None:
    rows = [f"{id_}.mp4,{id_},wave,train" for id_ in ids]
    table = catalog.with_suffix(".csv")
    table.write_text("\n".join(["path,id,label,subset", *rows]))
    write_catalog(catalog, index_list(table))


def arrays_of(store: Path) -> dict[str, bytes]:
    """Every array of every shard as it is on disk, whatever its group is called."""
    shards = store / "shards"
    paths = [path.relative_to(shards) for path in shards.rglob("*") if path.is_file()]
    return {
        "/".join([path.parts[0].partition("-")[0], *path.parts[1:]]): (shards / path).read_bytes()
        for path in paths
        if "c" in path.parts
    }


def test_every_format_has_files_here() -> None:
    """A new one needs its maker in tests/support/pose_files.py."""
    assert sorted(MAKERS) == format_names()


def test_it_is_told_and_verified(imported: Imported) -> None:
    shown = status(imported.store)
    assert (shown["estimator"], shown["format"]) == ("imported", imported.name)
    assert (shown["videos_done"], shown["shards_to_do"], shown["ok"]) == (NUM_VIDEOS, 0, NUM_VIDEOS)
    assert shown["skeleton"] == imported.settings.format.skeleton
    report = verify(imported.store, on_event=ignore)
    assert (report.is_whole, report.num_damaged) == (True, 0)


def test_it_is_materialized(imported: Imported, tmp_path: Path) -> None:
    out = tmp_path / "features.zarr"
    made = run_materialize(imported.store, out, "potion", "skeleton=own", "canvas_hw=12,16")
    assert made.num_valid == NUM_VIDEOS
    assert verify(out, on_event=ignore).is_whole
    stored = FeatureStore.open(out)
    assert stored.read("u", slice(0, NUM_VIDEOS)).any()


def test_provenance_is_of_its_files(imported: Imported) -> None:
    store, given = PoseStore.open(imported.store), imported.settings.format
    assert stored_settings(store.configuration) == imported.settings
    entries = store.entries()
    for source in imported.sources():
        identity = entries[source.video_id].identity
        assert identity == given.look(source.uri).identity
        assert identity.endswith(f"-{sha256_of(given.files(source.uri))}")


def sha256_of(paths: Sequence[Path]) -> str:
    """Of one file its own; of several that of the names, sizes and hashes of all."""
    hashes = [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
    if len(hashes) == 1:
        return hashes[0]
    told = zip(paths, hashes, strict=True)
    text = "".join(f"{path.name}/{path.stat().st_size}-{each}\n" for path, each in told)
    return hashlib.sha256(text.encode()).hexdigest()


def test_a_second_run_does_nothing(imported: Imported) -> None:
    before = markers(imported.store), arrays_of(imported.store)
    assert imported.bring(imported.store).num_made_videos == 0
    assert (markers(imported.store), arrays_of(imported.store)) == before


def test_imported_again_it_is_equal_bit_by_bit(imported: Imported, tmp_path: Path) -> None:
    imported.bring(tmp_path / "again.zarr")
    ours, theirs = arrays_of(imported.store), arrays_of(tmp_path / "again.zarr")
    assert ours
    assert ours == theirs


def test_true_positions_come_to_recipes_of_3d(tmp_path: Path) -> None:
    """VPN's tensor of NTU RGB+D: joint k is k cm below the first, which is 1 m up."""
    body = Body()
    body.xyz[:, 1] -= np.arange(25) / 100
    ntu = Imported("ntu-skeleton", tmp_path)
    write_skeleton(ntu.files / "S001C001P001R001A001.skeleton", [[body]] * 3)
    write_labels(tmp_path / "catalog", ["S001C001P001R001A001"])
    ntu.bring(ntu.store)
    made = run_materialize(ntu.store, tmp_path / "vpn.zarr", "vpn-pose", "space=3d", "length=3")
    assert made.num_valid == 1
    (poses,) = FeatureStore.open(tmp_path / "vpn.zarr").read("poses", slice(0, 1))
    below = np.arange(25) / 100 - 0.01  # of the spine's middle, which is joint 1
    for time in range(3):
        np.testing.assert_allclose(poses[1, :, time], below, atol=1e-6)
        np.testing.assert_allclose(poses[0, :, time], 10 * below, atol=1e-6)
