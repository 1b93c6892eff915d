"""The whole chain on fixture videos, ending in one HTML report.

Every stage is the command that its line names; the demo does nothing that a
user could not type. A second run does only what is missing.
"""

from __future__ import annotations

import platform
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from time import monotonic
from types import MappingProxyType
from typing import Any, TypeVar

from posemill.models.estimators.base import EstimatorOptions
from posemill.pipelines.engines.base import EngineOptions
from posemill.pipelines.evaluate import EvaluateConfig, evaluate
from posemill.pipelines.extract import ExtractConfig, extract
from posemill.pipelines.fixtures import FixtureParameters, FixtureSummary, write_fixtures
from posemill.pipelines.materialize import MaterializeConfig, MaterializeSummary, materialize
from posemill.pipelines.metrics import Evaluation
from posemill.pipelines.pose_job import PoseSummary
from posemill.pipelines.preview import preview_features, preview_poses
from posemill.pipelines.progress import ProgressDisplay
from posemill.pipelines.report import DemoReport, EpochPoint, Picture, StageRun, write_report
from posemill.pipelines.runs import open_run
from posemill.pipelines.train import EpochEnded, TrainEvent, TrainResult, train
from posemill.pipelines.training.config import Machine, TrainConfig, with_settings
from posemill.storage.catalog import Catalog, write_catalog
from posemill.storage.datasets.folder import index_folder
from posemill.storage.poses import PoseStore

RECIPES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "volume": (),
        # Half the usual size: a quarter of the training time, for about a point of accuracy.
        "potion": ("canvas_hw=32,43",),
        "tempposeconv-j": (),
    }
)
"""The recipes that the demo renders, and their settings."""
TRAIN_SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        # As wide as fits into the demo's five minutes on two cores.
        "model.width": "40",
        # Dropout after every convolution needs far more steps than there are here.
        "model.dropout": "0",
        "augmentation.beta_px": "2",
        "augmentation.gamma_px": "1",
    }
)
"""Of the network, where they differ from the published ones, and of the jitter."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class DemoConfig:
    """How large the demo is, and where it goes."""

    out: Path
    num_clips: int = 900
    num_epochs: int = 80
    seed: int = 0
    workers: int = 2


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What the demo came to."""

    report: Path
    accuracy: float
    """On held-out clips, from estimated poses."""
    chance: float
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        return {
            "report": str(self.report),
            "accuracy": self.accuracy,
            "chance": self.chance,
            "seconds": round(self.seconds, 1),
        }


def run_demo(config: DemoConfig, display: ProgressDisplay) -> DemoResult:
    """Fixtures, catalog, poses, three features, a trained model, its evaluation, the report.

    Raises:
        PosemillError: as the stages do.
    """
    return _Demo(config, display).run()


class _Demo:
    """One run; gathers what the report tells of each stage."""

    def __init__(self, config: DemoConfig, display: ProgressDisplay) -> None:
        self._config = config
        self._display = display
        self._engine = EngineOptions(workers=config.workers)
        self._stages: list[StageRun] = []
        out = config.out
        self._videos, self._catalog, self._poses = (
            out / "videos",
            out / "catalog",
            out / "poses.zarr",
        )
        self._features = {recipe: out / f"{recipe}.zarr" for recipe in RECIPES}
        self._run_dir, self._pictures = out / "runs" / "potion", out / "pictures"

    def run(self) -> DemoResult:
        started = monotonic()
        self._write_fixtures()
        self._index()
        extracted = self._extract()
        shapes = {recipe: self._materialize(recipe).shapes for recipe in RECIPES}
        self._train()
        evaluation = self._evaluate()
        seconds = monotonic() - started
        report = write_report(
            self._config.out / "report.html",
            DemoReport(
                title="Posemill demo",
                introduction=(
                    "Rendered action videos went through the whole chain: poses were estimated "
                    "from the decoded frames, rendered into three kinds of features, and a "
                    "PoTion network was trained on one of them. People in the training and the "
                    "held-out clips differ in body and clothes. Each stage has the command that "
                    "does the same; where one says that all was there already, its time is that "
                    "of looking."
                ),
                stages=self._stages,
                statuses=extracted.statuses,
                facts=self._facts(extracted, shapes, seconds),
                poses=self._pose_pictures(),
                features=self._feature_pictures(),
                curve=[
                    EpochPoint(loss=entry["loss"], accuracy=entry["accuracy"])
                    for entry in open_run(self._run_dir).read_metrics(self._config.num_epochs)
                ],
                evaluation=evaluation,
                versions={
                    "python": platform.python_version(),
                    **{name: version(name) for name in ("posemill", "torch", "zarr", "numpy")},
                },
            ),
        )
        return DemoResult(report, evaluation.accuracy, evaluation.chance, seconds)

    def _stage(
        self,
        name: str,
        command: Sequence[object],
        work: Callable[[], T],
        describe: Callable[[T], str],
        nothing_to_do: Callable[[T], bool] = lambda _result: False,
    ) -> T:
        started = monotonic()
        result = work()
        summary = describe(result) + (" (all there already)" if nothing_to_do(result) else "")
        line = shlex.join(["posemill", *map(str, command)])
        self._stages.append(StageRun(name, line, monotonic() - started, summary))
        return result

    def _write_fixtures(self) -> FixtureSummary:
        config = self._config
        return self._stage(
            "fixtures",
            [
                *("fixtures", self._videos, "--clips", config.num_clips),
                *("--seed", config.seed, "--workers", config.workers),
            ],
            lambda: write_fixtures(
                self._videos,
                FixtureParameters(num_clips=config.num_clips, seed=config.seed),
                workers=config.workers,
                on_progress=self._display.counter("fixtures"),
            ),
            lambda done: f"{done.num_train} videos to train, {done.num_test} to test",
            lambda done: done.rendered == 0,
        )

    def _index(self) -> Catalog:
        def work() -> Catalog:
            catalog = index_folder(self._videos)
            write_catalog(self._catalog, catalog, overwrite=True)
            return catalog

        return self._stage(
            "index",
            ["index", "folder", self._videos, "-o", self._catalog, "--overwrite"],
            work,
            lambda catalog: f"{len(catalog.videos)} videos, {len(catalog.classes)} classes",
        )

    def _extract(self) -> PoseSummary:
        config = ExtractConfig(
            catalog=self._catalog,
            out=self._poses,
            estimator="figure",
            options=EstimatorOptions(reproducible=True),
            engine_options=self._engine,
        )
        return self._stage(
            "extract",
            [
                *("extract", self._catalog, "-o", self._poses, "--estimator", config.estimator),
                *("--reproducible", "--workers", self._config.workers),
            ],
            lambda: extract(config, self._display),
            lambda done: f"{done.num_frames:,} frames",
            lambda done: done.num_made_videos == 0,
        )

    def _materialize(self, recipe: str) -> MaterializeSummary:
        out = self._features[recipe]
        config = MaterializeConfig(
            poses=self._poses,
            out=out,
            recipe=recipe,
            settings=RECIPES[recipe],
            engine_options=self._engine,
        )
        return self._stage(
            f"materialize {recipe}",
            [
                *("materialize", self._poses, "-o", out, "--recipe", recipe),
                *(word for setting in RECIPES[recipe] for word in ("--set", setting)),
                *("--workers", self._config.workers),
            ],
            lambda: materialize(config, self._display),
            lambda done: f"{done.num_valid} clips",
            lambda done: done.plan.num_clips_to_do == 0,
        )

    def _train(self) -> TrainResult:
        machine = Machine(threads=self._config.workers)
        plain = TrainConfig(epochs=self._config.num_epochs, seed=self._config.seed, machine=machine)
        config = with_settings(plain, TRAIN_SETTINGS.items())
        count = self._display.counter("train")

        def show(event: TrainEvent) -> None:
            if isinstance(event, EpochEnded):
                count(event.epoch, event.num_epochs)

        return self._stage(
            "train",
            [
                *("train", self._features["potion"], "--model", config.model.name),
                *("-o", self._run_dir, "--epochs", config.epochs),
                *(word for each in TRAIN_SETTINGS.items() for word in ("--set", "=".join(each))),
                *("--seed", config.seed, "--threads", machine.threads),
            ],
            lambda: train(self._features["potion"], self._run_dir, config, show),
            lambda done: f"{done.num_epochs} epochs on {done.num_clips} clips",
            lambda done: done.num_epochs_before == done.num_epochs,
        )

    def _evaluate(self) -> Evaluation:
        features, threads = self._features["potion"], self._config.workers
        config = EvaluateConfig(threads=threads)
        return self._stage(
            "evaluate",
            ["evaluate", self._run_dir, features, "--threads", threads],
            lambda: evaluate(self._run_dir, features, config),
            lambda done: f"accuracy {done.accuracy:.1%} on {len(done.predictions)} clips",
        )

    def _facts(
        self,
        extracted: PoseSummary,
        shapes: dict[str, Any],
        seconds: float,
    ) -> dict[str, str]:
        facts = {"whole run": f"{seconds:.0f} s", "frames": f"{extracted.num_frames:,}"}
        for recipe, outputs in shapes.items():
            facts[f"{recipe}, one clip"] = ", ".join(
                f"{name} {list(shape)}" for name, shape in outputs.items()
            )
        return facts

    def _pose_pictures(self) -> list[Picture]:
        """One held-out video of each of a few classes."""
        entries = PoseStore.open(self._poses).entries()
        first_of_class: dict[str, str] = {}
        for video_id in sorted(entries):
            subset, label, _ = video_id.split("/")
            if subset == "test" and entries[video_id].status.has_frames:
                first_of_class.setdefault(label, video_id)
        videos = list(first_of_class.values())[::2]
        paths = preview_poses(self._poses, self._pictures / "poses", videos, self._catalog)
        return [Picture.read(path, video) for path, video in zip(paths, videos, strict=True)]

    def _feature_pictures(self) -> list[Picture]:
        return [
            Picture.read(path, f"{recipe}: {path.stem}")
            for recipe, limit in (("potion", 24), ("volume", 2), ("tempposeconv-j", 1))
            for path in preview_features(self._features[recipe], self._pictures / recipe, limit)
        ]
