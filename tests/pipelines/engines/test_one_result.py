"""The commands on every engine: what they leave behind is the same, whatever ran the shards."""

from __future__ import annotations

import json
import os
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from chain import index, markers
from chaos import assert_same_features, assert_same_poses, posemill, run
from kills import kill_half_way
from poison import ESTIMATOR_FAULTS, NOBODY_WIDTH, plant, write_video
from processes import MARK, marked, wait_until

from posemill.pipelines.engines import ENGINES
from posemill.storage.poses import PoseStore

GOOD = ("a", "c", "n", "z")
POISON = {"decoder_crash": "crashed", "decoder_exception": "failed", "estimator_hang": "timeout"}
"""Of all kinds, which `test_extract_poison` has, those that differ for who runs the shards."""
_WIDTHS = {fault: width for width, fault in ESTIMATOR_FAULTS.items()}

pytestmark = pytest.mark.timeout(600)


@dataclass(frozen=True)
class Job:
    """A folder of videos, and the commands that make stores of it."""

    root: Path

    def extract(self, out: Path, *options: object) -> list[str]:
        return posemill(
            *("extract", self.root / "catalog", "-o", out, "--json", "--shard-videos", 3),
            *("--estimator", "poison", "--reproducible", "--video-timeout", 4, *options),
        )

    def retry(self, poses: Path, *options: object) -> list[str]:
        return posemill(
            "retry", poses, "--reason", "unreadable", "--status", "quarantined", "--json", *options
        )

    def materialize(self, poses: Path, out: Path, *options: object) -> list[str]:
        recipe = ("--recipe", "potion", "--json")
        return posemill("materialize", poses, "-o", out, *recipe, *options)


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Job:
    """Good videos, one without people, a broken one, a missing one, and poison."""
    root = tmp_path_factory.mktemp("mixed")
    videos = root / "videos"
    videos.mkdir()
    for name in (*GOOD, "missing"):
        write_video(videos / f"{name}.mp4")
    write_video(videos / "nobody.mp4", NOBODY_WIDTH)
    (videos / "text.mp4").write_text("no video\n")
    for name in POISON:
        where, _, fault = name.partition("_")
        write_video(videos / f"{name}.mp4", _WIDTHS[fault] if where == "estimator" else 128)
    index(videos, root / "catalog")
    (videos / "missing.mp4").unlink()
    return Job(root)


@pytest.fixture(scope="module", autouse=True)
def _plugin(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = plant(tmp_path_factory.mktemp("plugin"))
    support = Path(__file__).parents[2] / "support"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(folder), str(support)]))
        yield


@pytest.fixture(scope="module")
def reference(job: Job) -> Path:
    """What one local worker makes of it."""
    run(job.extract(job.root / "reference.zarr", "--workers", 1), expected=1)
    run(job.materialize(job.root / "reference.zarr", job.root / "reference.features"))
    return job.root


def on(engine: str) -> tuple[object, ...]:
    return ("--engine", engine, "--workers", 2)


def told(said: str) -> dict[str, Any]:
    """The JSON that a command printed last."""
    (line,) = [line for line in said.splitlines() if line.startswith("{")]
    return dict(json.loads(line))


@pytest.mark.parametrize("engine", sorted(ENGINES))
def test_a_mixed_set_ends_the_same_on_every_engine(
    engine: str, job: Job, reference: Path, tmp_path: Path
) -> None:
    poses, features = tmp_path / "poses.zarr", tmp_path / "features.zarr"
    summary = told(run(job.extract(poses, *on(engine)), expected=1))
    assert (summary["ok"], summary["empty"], summary["missing"]) == (4, 1, 1)
    assert summary["quarantined"] == len(POISON) + 1
    entries = PoseStore.open(poses).entries()
    reasons = {name: each.reason for name, each in entries.items() if each.status == "quarantined"}
    assert reasons == {**POISON, "text": "unreadable"}
    assert_same_poses(poses, reference / "reference.zarr")
    done = markers(poses)
    again = told(run(job.extract(poses, *on(engine)), expected=1))
    assert (again["extracted_now"], markers(poses)) == (0, done)
    rendered = told(run(job.materialize(poses, features, *on(engine))))
    assert rendered["rendered_now"] == len(entries)
    assert_same_features(features, reference / "reference.features")
    assert told(run(job.materialize(poses, features, *on(engine))))["rendered_now"] == 0
    retried = told(run(job.retry(poses, *on(engine)), expected=1))
    assert retried["now"] == {"quarantined": 1}
    assert len(markers(poses)) == len(done) + 1
    for store in (poses, features):
        verdict = told(run(posemill("verify", store, "--json", *on(engine))))
        assert verdict["whole"]
        assert not list(store.glob("mail/*/*"))


@pytest.mark.parametrize("engine", sorted(ENGINES))
def test_a_killed_driver_leaves_no_process_and_the_next_one_goes_on(
    engine: str, job: Job, reference: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark, poses = uuid.uuid4().hex, tmp_path / "poses.zarr"
    monkeypatch.setenv(MARK, mark)
    before = kill_half_way(job.extract(poses, *on(engine)), poses, num_shards=4)
    wait_until(lambda: not marked(mark))
    run(job.extract(poses, *on(engine)), expected=1)
    after = markers(poses)
    assert {name: after[name] for name in before} == before
    assert_same_poses(poses, reference / "reference.zarr")


@pytest.mark.parametrize("engine", sorted(ENGINES))
def test_engine_and_its_options_come_from_a_file_too(engine: str, job: Job, tmp_path: Path) -> None:
    config = tmp_path / "extract.yaml"
    config.write_text(f"engine: {engine}\nworkers: 1\nengine-option: [nonsense=1]\n")
    for dry_run in ((), ("--dry-run",)):
        said = run(job.extract(tmp_path / "poses.zarr", "--config", config, *dry_run), expected=2)
        assert f"--engine {engine} has no option nonsense" in said
    assert not (tmp_path / "poses.zarr").exists()


@pytest.mark.parametrize(
    ("engine", "package"), [("ray", "ray"), ("beam", "apache-beam")], ids=["ray", "beam"]
)
def test_without_its_package_an_engine_says_how_to_install_it(
    engine: str, package: str, job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocker = tmp_path / "path"
    blocker.mkdir()
    hidden = package.replace("-", "_")
    (blocker / "sitecustomize.py").write_text(f"import sys\nsys.modules[{hidden!r}] = None\n")
    plugin = os.environ["PYTHONPATH"]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(blocker), plugin]))
    said = run(job.extract(tmp_path / "poses.zarr", *on(engine)), expected=2)
    assert f"needs the package '{package}'" in said
    assert f"pip install 'posemill[{engine}]'" in said
