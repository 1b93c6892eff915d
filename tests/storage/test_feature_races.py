"""Writers of the same rows that stop, die or overtake each other at every step."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from committed_files import check_every_byte
from stepped import Stepped, stepping

from posemill.errors import StoreCorrupted
from posemill.storage.feature_attempts import signs_in
from posemill.storage.features import ArraySpec, Block, FeatureRow, FeatureStore

NUM_CLIPS, PER_BLOCK = 6, 3
NUM_PAIRS = min(81, int(os.environ.get("POSEMILL_CHAOS_KILLS", "8")))
SEED = int(os.environ.get("POSEMILL_CHAOS_SEED", "0"))
SPECS = (
    ArraySpec("volume", ("y", "x"), (8, 8), "uint8", 1 / 255),
    ArraySpec("flat", ("x",), (8,), "uint8"),
)


@pytest.fixture
def store(place: str) -> FeatureStore:
    return new_store(place)


def new_store(place: str) -> FeatureStore:
    """Two pose shards of two blocks of rows each."""
    store = FeatureStore.create(f"{place}/features.zarr", SPECS, {}, (), clips_per_shard=PER_BLOCK)
    store.add_rows(
        [FeatureRow(f"{s}/{i}", "v", -1, -1, {}, s) for s in range(2) for i in range(NUM_CLIPS)]
    )
    return store


def arrays(state: str) -> dict[str, np.ndarray[Any, Any]]:
    """Features of a state of the poses; of some states they are stored in as many bytes."""
    rng = np.random.default_rng(sum(map(ord, state)))
    return {
        "volume": rng.integers(0, 256, (NUM_CLIPS, 8, 8)).astype(np.uint8),
        "flat": np.full((NUM_CLIPS, 8), ord(state[0]), np.uint8),
    }


def blocks(state: str) -> Iterator[Block]:
    for first in range(0, NUM_CLIPS, PER_BLOCK):
        part = slice(first, first + PER_BLOCK)
        yield {name: array[part] for name, array in arrays(state).items()}, np.ones(PER_BLOCK, bool)


def write(store: FeatureStore, state: str, shard: int = 0) -> bool:
    """By a writer of its own."""
    return FeatureStore.open(store.url).write_shard(shard, state, blocks(state))


def make(store: FeatureStore, state: str, shard: int = 0) -> None:
    """As `materialize` does: until they are made of this state."""
    other = FeatureStore.open(store.url)
    for _ in range(5):
        if other.write_shard(shard, state, blocks(state)) or other.is_made(shard, state):
            return
    raise AssertionError("never made")


def assert_whole(store: FeatureStore, state: str, shard: int = 0) -> None:
    """All is as committed, of this state, and nobody's sign is left."""
    store = FeatureStore.open(store.url)
    commit = store.committed()[shard]
    assert commit.pose_marker_sha256 == state
    check_every_byte(store, commit)
    start, _ = store.row_range(shard)
    for name, values in arrays(state).items():
        assert np.array_equal(store.read(name, slice(start, start + NUM_CLIPS)), values)
    assert store.valid()[start : start + NUM_CLIPS].all()


def signs(store: FeatureStore) -> int:
    return len(signs_in(store.objects.tree()))


def as_a_worker(store: FeatureStore, state: str, now: Callable[[], str]) -> None:
    """Write features of a state; if another writer is first, of the state that is now."""
    other = FeatureStore.open(store.url)
    while not (other.write_shard(0, state, blocks(state)) or other.is_made(0, now())):
        state = now()


def clean_up(store: FeatureStore, state: str) -> None:
    """As a run of `materialize` alone on the store."""
    other = FeatureStore.open(store.url)
    if 0 in other.inspect(suspects=True).problems:
        make(store, state)
    found = other.inspect(suspects=True)
    assert not found.problems
    other.forget_attempts(found)


@pytest.mark.parametrize("dies", [False, True])
@pytest.mark.parametrize("states", ["abb", "abc", "-bb", "-bc"])
def test_a_writer_that_is_overtaken_at_any_step(
    store: FeatureStore, states: str, dies: bool
) -> None:
    """Of what is there first, what a writer stops at, and what another one makes meanwhile."""
    before, old, new = states
    write(store, "other", shard=1)
    with stepping(store.objects):
        for step in range(20):
            remake(store, before)
            writer = Stepped(lambda: as_a_worker(store, old, lambda: new), step)
            if not writer.start_and_stop():
                break
            make(store, new)
            writer.go_on(and_die=dies)
            if dies:
                clean_up(store, new)
            assert_whole(store, new)
            assert signs(store) == 0
    # A sign, 4 objects and which are valid, a commit, the sign; and before the objects, that
    # none is valid where there were some.
    assert step == (9 if before != "-" else 8)
    assert_whole(store, "other", shard=1)


def remake(store: FeatureStore, state: str) -> None:
    """Pose shard 0 as if only this state of it had been written, or none: "-"."""
    names = [name for name in store.objects.tree() if name.startswith("commits/s000000")]
    store.objects.delete(*names)
    if state != "-":
        make(store, state)


@pytest.mark.parametrize("first_dies", [False, True])
@pytest.mark.parametrize("states", ["bb", "bc"])
def test_two_writers_that_die_over_each_other(
    tmp_path: Path, states: str, first_dies: bool
) -> None:
    """One stops at any step, a second one dies at any step, then the first goes on or dies."""
    store = new_store(str(tmp_path))
    old, new = states
    pairs = random.Random(SEED).sample(list(product(range(9), range(9))), NUM_PAIRS)  # noqa: S311
    with stepping(store.objects):
        for step, step_of_second in pairs:
            remake(store, "a")
            first = Stepped(lambda: as_a_worker(store, old, lambda: new), step)
            assert first.start_and_stop()
            second = Stepped(lambda: as_a_worker(store, new, lambda: new), step_of_second)
            second.start_and_stop()
            if second.is_alive():
                second.go_on(and_die=True)
            first.go_on(and_die=first_dies)
            make(store, new)
            clean_up(store, new)
            assert_whole(store, new)
            assert signs(store) == 0


@pytest.mark.parametrize("step", range(6))
def test_who_wakes_late_writes_no_more_than_the_object_at_hand(
    store: FeatureStore, step: int
) -> None:
    with stepping(store.objects):
        writer = Stepped(lambda: write(store, "a"), step)
        assert writer.start_and_stop()
        make(store, "b")
        make(store, "c")
        names = list(store.committed()[0].files)
        before = store.objects.read_all(names)
        records = store.all_records()
        writer.go_on(and_die=False)
    after = store.objects.read_all(names)
    changed = [name for name in names if after[name] != before[name] and "valid" not in name]
    # The steps: the sign, an object of each output for two blocks, and which rows are valid.
    assert len(changed) == (1 if 1 <= step <= 4 else 0)
    assert (store.all_records() == records) == (not changed)  # then the rows are void
    assert store.is_made(0, "c") == (not changed)
    assert signs(store) == 0


def test_who_wakes_late_before_its_first_object_changes_nothing(store: FeatureStore) -> None:
    make(store, "z")
    with stepping(store.objects):
        writer = Stepped(lambda: write(store, "a"), 0)
        assert writer.start_and_stop()
        make(store, "b")
        records = store.all_records()
        writer.go_on(and_die=False)
    assert store.all_records() == records
    assert_whole(store, "b")
    assert signs(store) == 0


def test_a_repair_that_lost_touches_nothing(store: FeatureStore) -> None:
    """`verify --repair` found something, and another run made it again meanwhile."""
    make(store, "a")
    damaged = store.committed()[0]
    make(store, "b")
    before = store.objects.tree()
    assert not store.void(damaged)
    assert store.objects.tree() == before
    assert_whole(store, "b")


@pytest.mark.parametrize("dies", [False, True])
def test_a_repair_that_stops_at_any_step(store: FeatureStore, dies: bool) -> None:
    with stepping(store.objects):
        for step in range(5):
            remake(store, "a")
            repair = Stepped(lambda: store.void(store.committed()[0]), step)
            if not repair.start_and_stop():
                break
            make(store, "b")
            repair.go_on(and_die=dies)
            make(store, "b")  # a repair alone makes nothing
            clean_up(store, "b")
            assert_whole(store, "b")
    assert step == 2  # the record that says so, and that no row is valid


def test_what_two_frozen_writers_leave_is_found_by_verify(store: FeatureStore) -> None:
    """The bound of what is noticed: whoever stops right before a write, sleeps while another run
    makes the shard and yet another finds it whole, and is killed by the time of its next step."""
    make(store, "a")
    with stepping(store.objects):
        writer = Stepped(lambda: write(store, "b"), stop_at=2)
        assert writer.start_and_stop()
        make(store, "c")
        clean_up(store, "c")
        writer.go_on(and_die=True)
    assert store.is_made(0, "c")
    with pytest.raises(StoreCorrupted, match="volume/c/0/0/0: has another CRC-32C"):
        check_every_byte(store, store.committed()[0])


@pytest.mark.parametrize("name", ["valid/c/1", "flat/c/0/0"])
@pytest.mark.parametrize("how", ["lost", "cut"])
def test_lost_and_cut_objects_are_found_by_a_listing(
    store: FeatureStore, name: str, how: str
) -> None:
    make(store, "a")
    make(store, "other", shard=1)
    data = store.objects.read(name)
    store.objects.delete(name)
    if how == "cut":
        store.objects.write(name, data[:-1])
    with pytest.raises(StoreCorrupted, match=f"of 1 of 2 pose shards .*{name}"):
        store.valid()
    assert store.inspect().num_valid == NUM_CLIPS
    make(store, "a")
    assert_whole(store, "a")
    assert store.objects.read(name) == data


def test_looking_reads_one_small_object_of_a_block_and_lists_twice(
    store: FeatureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(store, "a")
    make(store, "other", shard=1)
    seen = FeatureStore.open(store.url)
    assert seen.rows()
    asked: list[str] = []
    kind = type(store.objects)
    for method in ("read", "size", "tree", "names"):
        real = getattr(kind, method)

        def count(self: Any, *names: str, method: str = method, real: Any = real) -> Any:
            asked.append(" ".join((method, *names)))
            return real(self, *names)

        monkeypatch.setattr(kind, method, count)
    assert seen.inspect(suspects=True).num_valid == 2 * NUM_CLIPS
    records = [f"read s00000{shard}.g000.json" for shard in range(2)]
    valid = [f"read valid/c/{number}" for number in range(4)]
    assert sorted(asked) == sorted([*records, *valid, "names", "tree"])
