"""Broken videos by the thousand: each has its outcome, and none takes anything else along.

`make fuzz-video` breaks 10,000 files; here it is a few hundred. Each decoder gets them all.
To make a file again that is named by seed and number: POSEMILL_FUZZ_SEED,
POSEMILL_FUZZ_FIRST and POSEMILL_FUZZ_FILES=1.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Collection, Mapping
from pathlib import Path

import pytest
from chain import all_poses, ignore
from fuzz_video import Batch, Recipe, outcome, run, shoot_films, table, write_batch
from numpy.testing import assert_array_equal
from poison import plant

from posemill.pipelines.events import Event, ItemsRetried, WorkerLost, WorkerRetired
from posemill.schema import PoseSequence, VideoStatus
from posemill.storage.poses import PoseStore

FILES = int(os.environ.get("POSEMILL_FUZZ_FILES", "200"))
SEED = int(os.environ.get("POSEMILL_FUZZ_SEED", "0"))
FIRST = int(os.environ.get("POSEMILL_FUZZ_FIRST", "0"))
PER_BATCH = 2500
CONTAINED = {"crashed", "timeout", "memory"}
"""What a decoder may do to its process; an exception is a fault of ours."""
ENDS = {"ok", "empty", "damaged", "unreadable", *CONTAINED}

pytestmark = pytest.mark.timeout(300 + FILES // 4)


@pytest.fixture(autouse=True)
def _plugin(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(plant(tmp_path_factory.mktemp("plugin"), "brightness"))


@pytest.mark.parametrize("decoder", ["pyav", "opencv"])
def test_broken_files_are_told_apart_and_harm_nobody(tmp_path: Path, decoder: str) -> None:
    films = shoot_films(tmp_path / "whole")
    run(tmp_path / "whole", tmp_path / "whole.zarr", decoder, ignore)
    whole = all_poses(tmp_path / "whole.zarr")
    assert whole.keys() == {Path(film).stem for film in films}
    outcomes, setbacks = dict[Recipe, str](), list[str]()
    for first in range(FIRST, FIRST + FILES, PER_BATCH):
        numbers = range(first, min(first + PER_BATCH, FIRST + FILES))
        batch = write_batch(tmp_path / "batch", SEED, numbers, films)
        out = tmp_path / f"{first}.zarr"
        setbacks += _extract(batch, out, decoder)
        outcomes |= _outcomes(batch, out)
        _require_whole(batch, out, whole)
        shutil.rmtree(batch.folder)
    told = "\n".join([table(outcomes), *_named(outcomes, CONTAINED), *setbacks])
    sys.stdout.write(f"{told}\n")
    assert len(outcomes) == FILES
    assert _named(outcomes, set(outcomes.values()) - ENDS) == []


def _extract(batch: Batch, out: Path, decoder: str) -> list[str]:
    """What the workers' children died of; the workers do not die."""
    events: list[Event] = []
    run(batch.folder, out, decoder, events.append)
    assert [event for event in events if isinstance(event, WorkerLost | WorkerRetired)] == []
    retried = [event for event in events if isinstance(event, ItemsRetried)]
    return [f"{' '.join(event.item_ids)}: {event.message}" for event in retried]


def _outcomes(batch: Batch, out: Path) -> dict[Recipe, str]:
    """Of every broken file; those that are set aside are named."""
    entries = PoseStore.open(out).entries()
    assert entries.keys() == batch.mutants.keys() | batch.neighbours.keys()
    for video_id, entry in entries.items():
        if entry.status is VideoStatus.QUARANTINED:
            assert str(batch.folder / video_id) in entry.message
    return {recipe: outcome(entries[video_id]) for video_id, recipe in batch.mutants.items()}


def _require_whole(batch: Batch, out: Path, whole: Mapping[str, PoseSequence]) -> None:
    """Every whole file's poses are, bit for bit, those that it has among whole ones."""
    found = all_poses(out)
    for video_id, film in batch.neighbours.items():
        for name in ("xy_px", "score", "frame", "slot", "pts_seconds"):
            ours, alone = getattr(found[video_id], name), getattr(whole[Path(film).stem], name)
            assert_array_equal(ours, alone, err_msg=f"{video_id} {name}")


def _named(outcomes: Mapping[Recipe, str], ends: Collection[str]) -> list[str]:
    return [f"{ended}: {recipe}" for recipe, ended in outcomes.items() if ended in ends]
