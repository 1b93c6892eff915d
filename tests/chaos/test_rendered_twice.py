"""Two runs render one store's features again at once; of each pair one is killed.

Poses change from one state to another and back, so that bytes of the wrong state never pass for
the right ones. `make chaos` kills more often.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from chain import run_materialize
from chaos import assert_same_features, family, posemill, run, wait_for_end
from dense_maps import made_pose

from posemill.schema import Clip, Video, VideoStatus
from posemill.storage.catalog import Catalog, write_catalog
from posemill.storage.features import FeatureStore
from posemill.storage.poses import PlanTable, PoseStore, VideoRecord

KILLS = int(os.environ.get("POSEMILL_CHAOS_KILLS", "8")) // 4
SEED = int(os.environ.get("POSEMILL_CHAOS_SEED", "0"))
NUM_SHARDS, PER_SHARD = 6, 3
SETTINGS = ("views=4", "length=64")

pytestmark = pytest.mark.timeout(240 + 60 * KILLS)


def videos(shard: int) -> list[Video]:
    return [Video(f"{shard}-{number}", "u", 1, "id") for number in range(PER_SHARD)]


def write_state(store: PoseStore, generation: int) -> None:
    """All shards' poses, as they are in the odd or in the even generations."""
    for shard in range(NUM_SHARDS):
        records = [
            VideoRecord(video.id, VideoStatus.OK, "", "", "id", pose, 80, 80)
            for number, video in enumerate(videos(shard))
            for pose in [made_pose(80, 1, seed=2 * (shard * PER_SHARD + number) + generation % 2)]
        ]
        assert store.write_shard(shard, records, generation=generation)


def new_poses(root: Path) -> PoseStore:
    every = [video for shard in range(NUM_SHARDS) for video in videos(shard)]
    clips = tuple(Clip(video.id, video.id) for video in every)
    write_catalog(root / "catalog", Catalog("made", str(root), every, clips, ()))
    configuration = {"skeleton": "coco-17", "estimator": "made"}
    store = PoseStore.create(root / "poses.zarr", configuration, catalog_hint=str(root / "catalog"))
    shards = np.repeat(np.arange(NUM_SHARDS), PER_SHARD)
    assert store.add_plan(0, PlanTable(0, shards, every, np.ones(len(every))))
    write_state(store, 0)
    return store


def last_change(features: Path) -> int:
    return max(path.stat().st_mtime_ns for path in features.glob("commits/s*"))


def kill_one_of_two(command: list[str], features: Path, rng: random.Random) -> bool:
    """Whether one was killed at work; the other one has gone on, and had no reason to complain."""
    before = last_change(features)
    pair = [
        subprocess.Popen(
            command, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        for _ in range(2)
    ]
    while last_change(features) == before and any(each.poll() is None for each in pair):
        time.sleep(0.01)
    time.sleep(rng.uniform(0, 0.5))
    victim, survivor = rng.sample(pair, 2)
    members = family(victim.pid)
    was_at_work = bool(members)
    with suppress(ProcessLookupError):
        os.killpg(victim.pid, signal.SIGKILL)
    said = survivor.communicate(timeout=300)[0]
    victim.communicate()
    assert survivor.returncode == 0, said.decode()
    assert not wait_for_end(members)
    return was_at_work


def test_features_that_two_runs_render_again_while_one_is_killed(tmp_path: Path) -> None:
    rng = random.Random(SEED)  # noqa: S311  (of moments and victims)
    poses, features = new_poses(tmp_path), tmp_path / "features.zarr"
    expected = [tmp_path / "state0.zarr", tmp_path / "state1.zarr"]
    run_materialize(Path(poses.url), expected[0], "volume", *SETTINGS, workers=1)
    shutil.copytree(expected[0], features)
    write_state(poses, 1)
    run_materialize(Path(poses.url), expected[1], "volume", *SETTINGS, workers=1)
    settings = [word for setting in SETTINGS for word in ("--set", setting)]
    command = posemill("materialize", poses.url, "-o", features, "--recipe", "volume", *settings)
    command += ["--workers", "1"]
    killed, generation = 0, 1
    for _ in range(2 * KILLS):
        killed += kill_one_of_two(command, features, rng)
        # The one that went on has made up for the one that was killed.
        assert_same_features(features, expected[generation % 2])
        if killed == KILLS:
            break
        generation += 1
        write_state(poses, generation)
    assert killed == KILLS
    run(command)
    run(posemill("verify", features))
    assert_same_features(features, expected[generation % 2])
    assert not list(features.glob("commits/*.begun"))
    assert FeatureStore.open(features).valid().sum() == NUM_SHARDS * PER_SHARD
