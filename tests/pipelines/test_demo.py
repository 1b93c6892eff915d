"""The whole chain on two dozen clips, as `make demo` runs it on hundreds."""

from __future__ import annotations

import html
import json
import re
import shlex
from collections import Counter

import pytest
from typer.testing import CliRunner

from posemill.cli import app
from posemill.pipelines.demo import RECIPES, DemoConfig, DemoResult, run_demo
from posemill.pipelines.progress import ProgressDisplay
from posemill.storage.features import FeatureStore


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[DemoConfig, DemoResult]:
    out = tmp_path_factory.mktemp("demo") / "out"
    config = DemoConfig(out=out, num_clips=24, num_epochs=2, seed=3)
    with ProgressDisplay() as display:
        return config, run_demo(config, display)


def test_the_report_is_one_file_that_names_every_stage(
    demo: tuple[DemoConfig, DemoResult],
) -> None:
    page = demo[1].report.read_text(encoding="utf-8")
    for command in ("fixtures", "index folder", "extract", "train", "evaluate"):
        assert f"posemill {command} " in page
    for recipe in RECIPES:
        assert f"--recipe {recipe}" in page
    assert f"{demo[1].accuracy:.1%}" in page
    # Every other of six held-out classes; a sheet of PoTion maps; two volumes; a temporal cube.
    assert page.count("data:image/png;base64,") == 3 + 1 + 2 + 1
    assert not re.search(r'(src|href)="(?!data:)', page), "it must not refer to other files"
    assert "<script" not in page


def test_the_accuracy_is_that_of_the_evaluation(demo: tuple[DemoConfig, DemoResult]) -> None:
    config, result = demo
    figures = json.loads((config.out / "runs" / "potion" / "evaluation-test.json").read_text())
    assert (figures["accuracy"], figures["clips"]) == (result.accuracy, 6)
    assert result.chance == 1 / 12


def test_all_features_of_all_clips_are_there(demo: tuple[DemoConfig, DemoResult]) -> None:
    for recipe in RECIPES:
        store = FeatureStore.open(demo[0].out / f"{recipe}.zarr")
        assert int(store.valid().sum()) == 24


def test_a_second_run_gives_the_same_without_doing_the_work_again(
    demo: tuple[DemoConfig, DemoResult],
) -> None:
    config, result = demo
    commits = {path: path.stat().st_mtime_ns for path in config.out.glob("*.zarr/commits/*.json")}
    with ProgressDisplay() as display:
        again = run_demo(config, display)
    assert again.accuracy == result.accuracy
    # fixtures, extract, three features, train
    assert again.report.read_text(encoding="utf-8").count("(all there already)") == 6
    assert {path: path.stat().st_mtime_ns for path in commits} == commits
    assert len(list(config.out.glob("*.zarr/commits/s*.json"))) == len(
        [path for path in commits if path.name.startswith("s")]
    )


def test_each_line_of_the_report_is_the_command_of_its_stage(
    demo: tuple[DemoConfig, DemoResult],
) -> None:
    page = html.unescape(demo[1].report.read_text(encoding="utf-8"))
    lines = re.findall(
        r"posemill ((?:fixtures|index|extract|materialize|train|evaluate) [^<]+)<", page
    )
    assert Counter(line.split()[0] for line in lines) == {
        **dict.fromkeys(("fixtures", "index", "extract", "train", "evaluate"), 1),
        "materialize": len(RECIPES),
    }
    for line in lines:  # other settings than those of the stage would be refused
        told = CliRunner().invoke(app, [*shlex.split(line), "--json"], catch_exceptions=False)
        assert told.exit_code == 0, line
        summary = json.loads(told.stdout)
        now = ("rendered_now", "extracted_now", "epochs_now")
        assert not any(summary.get(name) for name in now), f"{line} did the work again: {summary}"
