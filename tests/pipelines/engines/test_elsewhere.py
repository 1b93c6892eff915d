"""Workers stand in another folder than the driver, as on another machine of a cluster."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import chdir
from pathlib import Path
from types import ModuleType

import pytest
from chain import ignore, index
from in_process import InThisProcess
from pifpaf_files import person, write_video

from posemill.models.estimators.base import EstimatorOptions
from posemill.models.estimators.figure_weights import PACKAGED_WEIGHTS
from posemill.pipelines import extract as extract_module
from posemill.pipelines import import_poses as import_module
from posemill.pipelines import materialize as materialize_module
from posemill.pipelines import retry as retry_module
from posemill.pipelines.engines.base import OnEvent, RunReport
from posemill.pipelines.extract import ExtractConfig, extract
from posemill.pipelines.import_poses import ImportConfig, import_poses
from posemill.pipelines.import_settings import ImportSettings
from posemill.pipelines.materialize import MaterializeConfig, materialize
from posemill.pipelines.retry import RetryConfig, retry
from posemill.pipelines.tasks import ShardTask, WorkerSpec
from posemill.storage.formats.registry import create_format
from posemill.storage.objects import Place


class Elsewhere(InThisProcess):
    """One worker that stands in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def run(
        self, tasks: Sequence[ShardTask], worker: WorkerSpec, on_event: OnEvent, mailbox: Place
    ) -> RunReport:
        with chdir(self._folder):
            return super().run(tasks, worker, on_event, mailbox)


@pytest.fixture(autouse=True)
def _stand_apart(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Elsewhere(tmp_path_factory.mktemp("elsewhere"))
    modules: Sequence[ModuleType] = (
        *(extract_module, import_module),
        *(materialize_module, retry_module),
    )
    for module in modules:
        monkeypatch.setattr(module, "create_engine", lambda *_: engine)
    monkeypatch.chdir(tmp_path)


def test_relative_places_are_those_of_the_driver(videos: Path, tmp_path: Path) -> None:
    kind = next(path for path in sorted(videos.iterdir()) if path.is_dir())
    shutil.copytree(kind, tmp_path / "videos" / kind.name)
    (tmp_path / "videos" / kind.name / "text.mp4").write_text("no video")
    shutil.copy(PACKAGED_WEIGHTS, tmp_path / "weights.npz")
    poses, features = Path("poses.zarr"), Path("features.zarr")
    options = EstimatorOptions(weights=Path("weights.npz"))
    catalog = index(Path("videos"), Path("catalog"))
    summary = extract(ExtractConfig(catalog, poses, "figure", options), ignore)
    good = summary.statuses["ok"]
    assert summary.statuses == {"ok": good, "quarantined": 1}
    assert good >= 1
    rendered = materialize(MaterializeConfig(poses, features, "potion"), ignore)
    assert rendered.num_valid == good
    again = retry(RetryConfig(poses, weights=Path("weights.npz")), ignore)
    assert again.statuses == {"quarantined": 1}


def test_so_is_the_source_of_an_import(tmp_path: Path) -> None:
    write_video(tmp_path / "found" / "a.mp4.openpifpaf.json", [[person(10)], [person(11)]])
    settings = ImportSettings(create_format("openpifpaf", {}), size_wh=(640, 480), fps=24.0)
    summary = import_poses(ImportConfig(Path("found"), Path("poses.zarr"), settings), ignore)
    assert summary.statuses == {"ok": 1}
