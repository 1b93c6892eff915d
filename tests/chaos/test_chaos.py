"""Killed, doubled, on full and failing disks: in the end all is as if nothing had happened.

`make chaos` kills more often; here it is a few times. POSEMILL_CHAOS_SEED draws other moments.
"""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import pytest
from chain import index
from chaos import (
    Stage,
    assert_same_features,
    assert_same_poses,
    bytes_on_disk,
    kill_at_random,
    make_read_only,
    posemill,
    run,
    small_disk,
)

from posemill.pipelines.fixtures import FixtureParameters, write_fixtures
from posemill.storage.poses import PoseStore

KILLS = int(os.environ.get("POSEMILL_CHAOS_KILLS", "4"))
SEED = int(os.environ.get("POSEMILL_CHAOS_SEED", "0"))
NUM_CLIPS = 8 if KILLS < 20 else 48

pytestmark = pytest.mark.timeout(240 + 30 * KILLS)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Good, broken and missing videos, their catalog, and what is made of them in peace."""
    root = tmp_path_factory.mktemp("undisturbed")
    videos = root / "videos"
    write_fixtures(videos, FixtureParameters(num_clips=NUM_CLIPS, seed=9, max_frames=48), workers=2)
    (videos / "text.mp4").write_text("no video")
    catalog_of_all(root, age_seconds=1e9)
    run(extract(root, root / "poses.zarr"), expected=1)
    run(materialize(root / "poses.zarr", root / "features.zarr"))
    return root


def extract(root: Path, out: Path) -> list[str]:
    options = ("--estimator", "figure", "--reproducible", "--shard-videos", 2)
    return posemill("extract", root / "catalog", "-o", out, *options)


def materialize(poses: Path, out: Path) -> list[str]:
    settings = ("--set", "views=4", "--set", "length=96")
    return posemill("materialize", poses, "-o", out, "--recipe", "volume", *settings)


def test_jobs_killed_at_random_moments_complete(undisturbed: Path, tmp_path: Path) -> None:
    """Extraction and rendering; then all videos once more, as if their files were new, and again
    what was rendered of them, in the place of what is there."""
    rng = random.Random(SEED)  # noqa: S311  (of moments and victims)
    poses, features = tmp_path / "poses.zarr", tmp_path / "features.zarr"
    found = []

    def disturb(command: list[str], store: Path, exit_status: int) -> None:
        before = Path(shutil.copytree(store, f"{store}.before")) if store.exists() else None
        found.append(kill_at_random(Stage(command, store, before), KILLS // 4, rng, log))
        run(command, expected=exit_status)
        if before is not None:
            shutil.rmtree(before)

    log = tmp_path / "log"
    shutil.copytree(undisturbed / "videos", tmp_path / "videos")
    catalog_of_all(tmp_path, age_seconds=1e9)
    disturb(extract(tmp_path, poses), poses, 1)
    assert_same_poses(poses, undisturbed / "poses.zarr")
    disturb(materialize(poses, features), features, 0)
    assert_same_features(features, undisturbed / "features.zarr")

    catalog_of_all(tmp_path, age_seconds=1.1e9)
    disturb(posemill("retry", poses, "--changed"), poses, 0)
    assert 1 in {name.generation for name in PoseStore.open(poses).records().values()}
    assert_same_poses(poses, undisturbed / "poses.zarr")
    disturb(materialize(poses, features), features, 0)
    assert_same_features(features, undisturbed / "features.zarr")

    total = sum(each.total for each in found)
    assert total >= KILLS // 4 * 4, found
    assert sum(each.at_work for each in found) >= total // 4, found
    for store in (poses, features):
        run(posemill("verify", store))
        # What the dead left is found and removed, and nothing else.
        run(posemill("gc", store))
        run(posemill("verify", store))
    assert_same_poses(poses, undisturbed / "poses.zarr")
    assert_same_features(features, undisturbed / "features.zarr")


def catalog_of_all(root: Path, age_seconds: float) -> None:
    """Index the videos, all last changed then; one of them is gone when it is to be read."""
    videos, gone = root / "videos", root / "videos" / "gone.mp4"
    shutil.copy(next(videos.glob("train/*/*.mp4")), gone)
    for path in videos.rglob("*.mp4"):
        os.utime(path, (age_seconds, age_seconds))
    shutil.rmtree(root / "catalog", ignore_errors=True)
    index(videos, root / "catalog")
    gone.unlink()


def test_a_full_disk_fails_the_job_and_space_completes_it(
    undisturbed: Path, tmp_path: Path
) -> None:
    needed = bytes_on_disk(undisturbed / "poses.zarr")
    with small_disk(tmp_path / "disk", 2 * needed) as disk:
        # Room for half of the store; the rest of the disk is taken.
        ballast = disk / "ballast"
        ballast.write_bytes(bytes(2 * needed - needed // 2))
        said = run(extract(undisturbed, disk / "poses.zarr"), expected=3)
        assert "No space left" in said
        condemned = [line for line in said.splitlines() if "quarantined" in line]
        assert all("text" in line for line in condemned), condemned
        ballast.unlink()
        run(extract(undisturbed, disk / "poses.zarr"), expected=1)
        run(posemill("verify", disk / "poses.zarr"))
        assert_same_poses(disk / "poses.zarr", undisturbed / "poses.zarr")


def test_a_disk_that_became_read_only_condemns_nobody(undisturbed: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 20_000_000) as disk:
        poses = disk / "poses.zarr"
        PoseStore.create(poses, PoseStore.open(undisturbed / "poses.zarr").configuration)
        make_read_only(disk, read_only=True)
        said = run(extract(undisturbed, poses), expected=3)
        assert "Read-only file system" in said
        make_read_only(disk, read_only=False)
        run(extract(undisturbed, poses), expected=1)
        assert_same_poses(poses, undisturbed / "poses.zarr")


@pytest.mark.parametrize("kind", ["poses", "features"])
def test_a_bit_flipped_and_a_file_cut_are_found_and_made_again(
    undisturbed: Path, tmp_path: Path, kind: str
) -> None:
    poses = shutil.copytree(undisturbed / "poses.zarr", tmp_path / "poses.zarr")
    features = shutil.copytree(undisturbed / "features.zarr", tmp_path / "features.zarr")
    store, pattern = {
        "poses": (poses, "shards/*/triplets/c/*/*/*"),
        "features": (features, "volume/c/*/*/*/*/*/*"),
    }[kind]
    flipped, cut = (path for path in sorted(store.glob(pattern))[:2])
    data = bytearray(flipped.read_bytes())
    data[len(data) // 2] ^= 1
    flipped.write_bytes(data)
    cut.write_bytes(cut.read_bytes()[:-7])
    said = run(posemill("verify", store), expected=3)
    for path in (flipped, cut):
        assert path.relative_to(store).as_posix() in said
    run(posemill("verify", store, "--repair"))
    run(extract(undisturbed, poses), expected=1)
    run(materialize(poses, features))
    run(posemill("verify", store))
    assert_same_poses(poses, undisturbed / "poses.zarr")
    assert_same_features(features, undisturbed / "features.zarr")
