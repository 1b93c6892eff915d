"""Maps of a video on their way to the process that commits them."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posemill.errors import DiskRefused, EnvironmentFault
from posemill.storage.dense.halves import to_halves
from posemill.storage.dense.scratch import Scratch, place_in
from posemill.storage.dense.spool import DenseSpool


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[Scratch]:
    created = Scratch.create(tmp_path)
    yield created
    created.close()


def some_maps(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 3, shape).astype(np.float32)


def test_what_is_appended_comes_back_in_blocks_as_float16(scratch: Scratch) -> None:
    joints, features = some_maps(7, 17, 4, 6), some_maps(7, 3, 1, 2, seed=1)
    with DenseSpool(scratch.path, "a/b c") as spool:
        for frame in range(7):
            spool.append({"joints": joints[frame], "features": features[frame]})
        handles = pickle.loads(pickle.dumps(spool.finish()))  # noqa: S301
    assert {kind: maps.shape for kind, maps in handles.items()} == {
        "joints": (7, 17, 4, 6),
        "features": (7, 3, 1, 2),
    }
    for kind, written in (("joints", joints), ("features", features)):
        blocks = list(handles[kind].blocks(3))
        assert [len(block) for block in blocks] == [3, 3, 1]
        np.testing.assert_array_equal(np.concatenate(blocks), written.astype(np.float16))


def test_a_video_without_frames_has_no_maps(scratch: Scratch) -> None:
    with DenseSpool(scratch.path, "v") as spool:
        assert spool.finish() == {}
    assert list(scratch.path.iterdir()) == []


def test_a_spool_begins_anew_after_one_that_was_lost(scratch: Scratch) -> None:
    with DenseSpool(scratch.path, "v") as lost:
        lost.append({"joints": some_maps(2, 3, 4), "parts": some_maps(2, 3, 4)})
    with DenseSpool(scratch.path, "v") as spool:
        spool.append({"joints": some_maps(5, 1, 1)})
        (handle,) = spool.finish().values()
    assert np.array_equal(next(handle.blocks(9))[0], some_maps(5, 1, 1).astype(np.float16))
    assert [path.name for path in place_in(scratch.path, "v").iterdir()] == ["joints"]
    scratch.discard(["v", "of which there is nothing"])
    assert list(scratch.path.iterdir()) == []


def test_frames_of_other_kinds_or_shapes_are_refused(scratch: Scratch) -> None:
    with DenseSpool(scratch.path, "v") as spool:
        spool.append({"joints": some_maps(2, 3, 4)})
        with pytest.raises(ValueError, match=r"\['joints'\] of every frame, got \['parts'\]"):
            spool.append({"parts": some_maps(2, 3, 4)})
        with pytest.raises(ValueError, match=r"\(2, 3, 5\) of frame 1 after \(2, 3, 4\)"):
            spool.append({"joints": some_maps(2, 3, 5)})


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=1))
def test_halves_are_the_nearest_or_the_greatest(values: list[float]) -> None:
    given_values = np.array(values, np.float32)
    halves = to_halves(given_values)
    assert np.isfinite(halves).all()
    # A half has 11 significant bits, down to steps of 2^-24.
    limited = np.clip(given_values, -65504, 65504)
    error = np.abs(halves.astype(np.float64) - limited)
    assert (error <= np.maximum(np.abs(limited) * 2.0**-11, 2.0**-25)).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_refused(scratch: Scratch, value: float) -> None:
    maps = some_maps(2, 3, 4)
    maps[1, 2, 3] = value
    with DenseSpool(scratch.path, "v") as spool, pytest.raises(ValueError, match="1 of 24 values"):
        spool.append({"joints": maps})


def test_a_full_disk_is_the_environments_fault(
    scratch: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    with DenseSpool(scratch.path, "v") as spool:
        spool.append({"joints": some_maps(2, 3, 4)})
        (place_in(scratch.path, "v") / "joints").unlink()
        with Path("/dev/full").open("wb", buffering=0) as full:
            os.dup2(full.fileno(), spool._files["joints"]._stream.fileno())
        with pytest.raises(DiskRefused, match="No space left"):
            spool.append({"joints": some_maps(2, 3, 4)})


@pytest.mark.parametrize("damage", ["flip", "cut", "remove"])
def test_files_that_changed_meanwhile_are_not_committed(scratch: Scratch, damage: str) -> None:
    with DenseSpool(scratch.path, "v") as spool:
        for frame in range(4):
            spool.append({"joints": some_maps(2, 3, 4, seed=frame)})
        handle = spool.finish()["joints"]
    data = bytearray(handle.path.read_bytes())
    data[50] ^= 4
    if damage == "remove":
        handle.path.unlink()
    else:
        handle.path.write_bytes(data if damage == "flip" else data[:-10])
    with pytest.raises(EnvironmentFault, match=str(handle.path)):
        list(handle.blocks(3))


def test_what_a_killed_worker_left_is_swept_and_what_a_living_one_has_is_not(
    tmp_path: Path,
) -> None:
    code = (
        "import sys, time; from pathlib import Path\n"
        "from posemill.storage.dense.scratch import Scratch\n"
        "scratch = Scratch.create(Path(sys.argv[1]))\n"
        "(scratch.path / 'maps').write_bytes(b'maps'); print('ready', flush=True); time.sleep(99)"
    )
    worker = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert worker.stdout is not None
    assert worker.stdout.readline() == "ready\n"
    theirs = {path.name for path in tmp_path.iterdir()}
    ours = Scratch.create(tmp_path)
    assert theirs < {path.name for path in tmp_path.iterdir()}
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()
    worker.stdout.close()
    last = Scratch.create(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        name
        for scratch in (ours, last)
        for name in (scratch.path.name, f"{scratch.path.name}.lock")
    }
    ours.close()
    last.close()
    assert list(tmp_path.iterdir()) == []


def test_by_default_it_is_in_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSEMILL_CACHE", str(tmp_path))
    scratch = Scratch.create()
    assert scratch.path.parent == tmp_path / "scratch"
    scratch.close()
