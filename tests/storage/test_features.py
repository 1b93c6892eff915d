from __future__ import annotations

import json
import pickle
import shutil
import tracemalloc
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
import zarr
from committed_files import check_every_byte
from feature_blocks import in_blocks
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from posemill.errors import ConfigurationMismatch, InputError, StoreCorrupted
from posemill.schema import TimedBox
from posemill.storage.feature_records import commit_from_json, commit_to_json
from posemill.storage.feature_rows import rows_from_table, rows_to_table
from posemill.storage.features import (
    ArraySpec,
    Block,
    FeatureRow,
    FeatureStore,
    Unmade,
    clips_per_block,
)

SPECS = (
    ArraySpec("volume", ("keypoint", "y", "x"), (3, 4, 5), "uint8", 1 / 255, None, "heatmaps"),
    ArraySpec("motion", ("keypoint",), (3,), "float16"),
    ArraySpec("shifted", ("y",), (4,), "int16", 0.5, 10.0),
    ArraySpec("energy", (), (), "float32"),
)
CLASSES = ("left", "right", "jump")
CONFIGURATION = {"recipe": "volume", "sigma": 0.6}
Arrays = dict[str, np.ndarray[Any, Any]]


def _rows(pose_shard: int, count: int, start: int = 0) -> list[FeatureRow]:
    return [
        FeatureRow(
            clip_id=f"c{number}",
            video_id=f"v{number // 2}",
            label=number % 3,
            mirror_label=(1, 0, -1)[number % 3],
            subsets={"default": "val" if number % 4 == 0 else "train"},
            pose_shard=pose_shard,
            start_seconds=number / 4,
            end_seconds=number / 4 + 1 if number % 2 else None,
            boxes=(TimedBox(number / 4, 0.25, 0.0, 0.5, 1.0),) * (number % 3),
            labels=((), (1, 0), (2, 0, 1))[number % 3],
        )
        for number in range(start, start + count)
    ]


def _arrays(count: int, seed: int = 0) -> Arrays:
    rng = np.random.default_rng(seed)
    return {
        "volume": rng.integers(0, 256, (count, 3, 4, 5)).astype(np.uint8),
        "motion": rng.random((count, 3)).astype(np.float16),
        "shifted": rng.integers(-9, 9, (count, 4)).astype(np.int16),
        "energy": rng.random(count).astype(np.float32),
    }


def _mostly_valid(count: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    return np.arange(count) != 1


@pytest.fixture
def store(tmp_path: Path) -> FeatureStore:
    return FeatureStore.create(tmp_path / "features.zarr", SPECS, CONFIGURATION, CLASSES)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "features.zarr"
    store = FeatureStore.create(path, SPECS, CONFIGURATION, CLASSES)
    store.add_rows(_rows(4, 70) + _rows(2, 3, start=70))
    store.write_shard(4, "sha4", in_blocks(store, _arrays(70, seed=4), _mostly_valid(70)))
    store.write_shard(2, "sha2", in_blocks(store, _arrays(3, seed=2), _mostly_valid(3)))
    return path


@pytest.fixture
def filled(tmp_path: Path, template: Path) -> FeatureStore:
    """Pose shard 4 with 70 clips (rows 0..127), pose shard 2 with 3 (rows 128..191)."""
    return FeatureStore.open(shutil.copytree(template, tmp_path / "features.zarr"))


def test_rows_follow_the_plan_and_own_whole_shards(filled: FeatureStore) -> None:
    assert (filled.row_range(4), filled.row_range(2), filled.num_rows) == (
        (0, 128),
        (128, 192),
        192,
    )
    rows = filled.rows()
    assert rows[:70] == _rows(4, 70)
    assert rows[128:131] == _rows(2, 3, start=70)
    assert [row for row in rows if row is None] == [None] * (58 + 61)


def test_what_was_written_comes_back(filled: FeatureStore) -> None:
    for shard, count in ((4, 70), (2, 3)):
        start, _ = filled.row_range(shard)
        for name, written in _arrays(count, seed=shard).items():
            found = filled.read(name, slice(start, start + count))
            assert found.dtype == written.dtype
            assert np.array_equal(found, written)


def test_rows_are_read_in_any_order(filled: FeatureStore) -> None:
    volume = _arrays(70, seed=4)["volume"]
    assert np.array_equal(filled.read("volume", 69), volume[69])
    assert np.array_equal(filled.read("volume", np.int64(0)), volume[0])
    assert np.array_equal(filled.read("volume", [65, 2, 65, 0]), volume[[65, 2, 65, 0]])
    assert filled.read("volume", []).shape == (0, 3, 4, 5)
    assert filled.read("energy", 3).shape == ()
    assert filled.read("energy", 3) == _arrays(70, seed=4)["energy"][3]
    assert not filled.read("volume", slice(70, 128)).any()
    with pytest.raises(IndexError):
        filled.read("volume", 192)


def test_agrees_with_zarr(filled: FeatureStore) -> None:
    group = zarr.open_group(Path(filled.url), mode="r")
    for spec in SPECS:
        array = group[spec.name]
        assert isinstance(array, zarr.Array)
        assert array.chunks == (1, *spec.shape)
        assert array.shards == (64, *spec.shape)
        assert array.metadata.dimension_names == ("clip", *spec.dims)
        assert np.array_equal(array[...], filled.read(spec.name, slice(None)))


def test_labels_subsets_and_validity(filled: FeatureStore) -> None:
    numbers = np.arange(70)
    assert np.array_equal(filled.labels()[:70], numbers % 3)
    assert np.array_equal(filled.mirror_labels()[:70], np.array([1, 0, -1])[numbers % 3])
    assert (filled.labels()[70:128] == -1).all()
    assert np.array_equal(filled.subset("default", "val")[:70], numbers % 4 == 0)
    assert filled.subset("default", "val").sum() + filled.subset("default", "train").sum() == 73
    expected = np.zeros(192, bool)
    expected[:70] = _mostly_valid(70)
    expected[128:131] = _mostly_valid(3)
    assert np.array_equal(filled.valid(), expected)
    with pytest.raises(InputError, match="no subset 'test' of a split 'default'") as caught:
        filled.subset("default", "test")
    assert "there are: default: val, train. Put the videos below train/" in str(caught.value)


def test_splits_that_are_not_there_are_said_to_be_none(tmp_path: Path) -> None:
    store = FeatureStore.create(tmp_path / "features.zarr", SPECS[3:], {}, ())
    store.add_rows([FeatureRow("c", "v", -1, -1, {}, 0)])
    with pytest.raises(InputError, match=r"there are: none\. Put the videos below train/"):
        store.subset("default", "train")


@pytest.mark.parametrize("num_clips", [192, 180])
def test_writing_holds_a_block_at_a_time(tmp_path: Path, num_clips: int) -> None:
    spec = ArraySpec("out", ("x",), (20_000,), "uint8")
    store = FeatureStore.create(tmp_path / "features.zarr", [spec], {}, (), clips_per_shard=16)
    store.add_rows([FeatureRow(f"c{i}", "v", -1, -1, {}, 0) for i in range(num_clips)])

    def random_block(first: int) -> Block:
        count = min(16, num_clips - first)
        out = np.random.default_rng(first).integers(0, 256, (count, 20_000), np.uint8)
        return {"out": out}, np.ones(count, np.bool_)

    tracemalloc.start()
    store.write_shard(0, "sha", (random_block(first) for first in range(0, num_clips, 16)))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # The block, the last one's padded copy, random bytes compressed to as many, and a
    # copy of these: 4 blocks and something to spare, of the 12 that there are.
    assert peak_bytes < 6 * 16 * 20_000
    for first in range(0, num_clips, 16):
        written = random_block(first)[0]["out"]
        assert np.array_equal(store.read("out", slice(first, first + len(written))), written)


def test_blocks_are_taken_only_while_they_are_needed(filled: FeatureStore, tmp_path: Path) -> None:
    store = FeatureStore.create(tmp_path / "empty", SPECS, CONFIGURATION, CLASSES)
    store.add_rows(_rows(4, 70))
    taken: list[int] = []

    def blocks(store: FeatureStore, overtaken_at: int) -> Iterator[Block]:
        """Blocks that another writer of the same state overtakes."""
        for number, block in enumerate(in_blocks(store, _arrays(70, 7), np.ones(70, bool))):
            if number == overtaken_at:
                FeatureStore.open(Path(store.url)).write_shard(
                    4, "new", in_blocks(store, _arrays(70, 7), np.ones(70, bool))
                )
            taken.append(number)
            yield block

    # Committed already: none. Overtaken in the first generation: no more.
    assert not filled.write_shard(4, "sha4", blocks(filled, 9))
    assert taken == []
    assert not store.write_shard(4, "new", blocks(store, 0))
    assert taken == [0]
    # Overtaken in a later one, after it had declared the rows invalid: all, so that they
    # are valid again, with the same bytes.
    taken.clear()
    assert not filled.write_shard(4, "new", blocks(filled, 1))
    assert taken == [0, 1]
    for each in (store, filled):
        start, _ = each.row_range(4)
        assert each.valid()[start : start + 70].all()
        assert np.array_equal(
            each.read("volume", slice(start, start + 70)), _arrays(70, 7)["volume"]
        )
        check_every_byte(each, each.committed()[4])


def test_a_block_that_cannot_be_made_leaves_rows_that_are_not_valid(filled: FeatureStore) -> None:
    def fails_after(count: int) -> Iterator[Block]:
        yield from list(in_blocks(filled, _arrays(70, 7), np.ones(70, bool)))[:count]
        raise RuntimeError("no more")

    before, commit = filled.valid(), filled.committed()[4]
    with pytest.raises(RuntimeError, match="no more"):
        filled.write_shard(4, "new", fails_after(0))
    assert np.array_equal(filled.valid(), before)
    check_every_byte(filled, commit)
    with pytest.raises(RuntimeError, match="no more"):
        filled.write_shard(4, "new", fails_after(1))
    with xr.open_zarr(Path(filled.url)) as dataset:  # as others see it
        assert not dataset["valid"][:128].any()
        assert dataset["valid"][128:].sum() == 2
    with pytest.raises(StoreCorrupted, match="features of 1 of 2 pose shards are not as they"):
        filled.valid()
    assert filled.committed()[4] == commit
    assert filled.write_shard(4, "sha4", in_blocks(filled, _arrays(70, 4), np.ones(70, bool)))
    assert filled.valid()[:70].all()


def test_xarray_opens_it_without_a_warning(filled: FeatureStore) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with xr.open_zarr(Path(filled.url)) as dataset:
            dataset.load()
    assert dict(dataset.sizes) == {"clip": 192, "keypoint": 3, "y": 4, "x": 5, "split": 1}
    assert dataset["volume"].dims == ("clip", "keypoint", "y", "x")
    assert dataset["volume"].attrs["long_name"] == "heatmaps"
    raw = _arrays(70, seed=4)
    assert np.allclose(dataset["volume"][:70], raw["volume"] / 255)
    assert np.array_equal(dataset["shifted"][:70], raw["shifted"] * 0.5 + 10.0)
    assert dataset["motion"].dtype == np.float16
    assert dataset["clip_id"].values[[0, 69, 70, 128]].tolist() == ["c0", "c69", "", "c70"]
    assert dataset["video_id"].values[[0, 69]].tolist() == ["v0", "v34"]
    assert np.array_equal(dataset["label"], filled.labels())
    assert np.array_equal(dataset["valid"], filled.valid())
    assert dataset["subset"].attrs["split_names"] == ["default"]
    subset_names = dataset["subset"].attrs["subset_names"]["default"]
    assert subset_names[int(dataset["subset"][0, 0])] == "val"
    assert subset_names[int(dataset["subset"][1, 0])] == "train"
    assert dataset.attrs["classes"] == list(CLASSES)
    assert dataset.attrs["configuration"] == CONFIGURATION


def test_an_empty_store_opens_too(store: FeatureStore) -> None:
    with xr.open_zarr(Path(store.url)) as dataset:
        assert dataset.sizes["clip"] == 0
    assert (store.num_rows, store.rows(), store.committed()) == (0, [], {})
    assert store.labels().shape == store.valid().shape == (0,)


def test_growth_starts_a_new_range_and_moves_nothing(filled: FeatureStore) -> None:
    before = filled.read("volume", slice(None))
    more = [FeatureRow("new", "video", -1, -1, {"default": "test", "alt": "a"}, 9)]
    assert filled.add_rows(more)
    assert filled.row_range(9) == (192, 256)
    assert filled.row_range(4) == (0, 128)
    assert np.array_equal(filled.read("volume", slice(0, 192)), before)
    filled.write_shard(9, "sha9", in_blocks(filled, _arrays(1, seed=9), np.ones(1, bool)))
    with xr.open_zarr(Path(filled.url)) as dataset:
        assert dataset.sizes["clip"] == 256
        assert dataset["subset"].attrs["split_names"] == ["default", "alt"]
        assert dataset["subset"].attrs["subset_names"]["default"] == ["val", "train", "test"]
        assert dataset["subset"][192].values.tolist() == [2, 0]
        assert dataset["subset"][0].values.tolist() == [0, -1]
    again = FeatureStore.open(Path(filled.url))
    assert np.array_equal(again.read("volume", 192), _arrays(1, seed=9)["volume"][0])


def test_what_was_not_made_is_told_and_can_be_made_in_a_later_generation(
    filled: FeatureStore,
) -> None:
    fresh, told = _arrays(3, seed=7), {"c71": Unmade("missing video: a.mp4", "absent")}
    made = False

    def blocks() -> Iterator[Block]:
        nonlocal made
        yield from in_blocks(filled, fresh, _mostly_valid(3))
        made = True

    assert filled.write_shard(2, "new", blocks(), lambda: told if made else {})
    assert filled.committed()[2].unmade == filled.inspect().unmade == told
    assert filled.is_made(2, "new")
    assert filled.is_made(2, "new", generation=1)
    assert not filled.is_made(2, "new", generation=2)
    assert not filled.write_shard(2, "new", blocks(), generation=1)
    assert filled.write_shard(2, "new", in_blocks(filled, fresh, np.ones(3, bool)), generation=2)
    assert (filled.committed()[2].generation, filled.inspect().unmade) == (2, {})
    assert not filled.write_shard(2, "new", blocks(), generation=2)
    assert filled.valid()[128:131].all()


def test_records_of_before_tell_of_nothing_that_was_not_made(filled: FeatureStore) -> None:
    body = commit_to_json(filled.committed()[2])
    assert body.pop("unmade") == {}
    assert commit_from_json(body) == filled.committed()[2]


def test_a_shard_is_committed_once_per_state_of_its_poses(filled: FeatureStore) -> None:
    commit = filled.committed()[2]
    assert (commit.generation, commit.pose_marker_sha256, commit.rows) == (0, "sha2", (128, 192))
    fresh = _arrays(3, seed=7)
    assert not filled.write_shard(2, "sha2", in_blocks(filled, fresh, np.ones(3, bool)))
    assert np.array_equal(filled.read("volume", 128), _arrays(3, seed=2)["volume"][0])
    valid = np.array([False, True, False])
    assert filled.write_shard(2, "other", in_blocks(filled, fresh, valid))
    assert np.array_equal(filled.read("volume", 128), fresh["volume"][0])
    assert filled.valid()[128:131].tolist() == [False, True, False]
    commit = filled.committed()[2]
    assert (commit.generation, commit.pose_marker_sha256) == (1, "other")
    check_every_byte(filled, commit)
    check_every_byte(filled, filled.committed()[4])


def test_one_write_is_the_same_bytes_as_another(filled: FeatureStore, tmp_path: Path) -> None:
    twin = FeatureStore.create(tmp_path / "twin.zarr", SPECS, CONFIGURATION, CLASSES)
    twin.add_rows(_rows(4, 70) + _rows(2, 3, start=70))
    twin.write_shard(4, "sha4", in_blocks(twin, _arrays(70, seed=4), _mostly_valid(70)))
    assert twin.committed()[4] == filled.committed()[4]


def test_pickles_as_its_path(filled: FeatureStore) -> None:
    again = pickle.loads(pickle.dumps(filled))  # noqa: S301
    assert again.specs == SPECS
    assert np.array_equal(again.read("volume", 5), filled.read("volume", 5))
    row = _rows(0, 3)[2]
    assert pickle.loads(pickle.dumps(row)) == row  # noqa: S301


def test_a_plan_from_before_there_were_boxes_is_read() -> None:
    rows = _rows(0, 3)
    table = rows_to_table(rows)
    assert rows_from_table(table) == tuple(rows)
    without = tuple(replace(row, boxes=()) for row in rows)
    assert rows_from_table(table.drop_columns(["boxes"])) == without


def test_a_plan_from_before_there_were_several_labels_has_the_first() -> None:
    rows = [*_rows(0, 3), FeatureRow("none", "v", -1, -1, {}, 0)]
    assert rows_from_table(rows_to_table(rows)) == tuple(rows)
    older = rows_from_table(rows_to_table(rows).drop_columns(["labels"]))
    assert [row.labels for row in older] == [(0,), (1,), (2,), ()]


def test_label_sets_start_with_the_label(filled: FeatureStore) -> None:
    sets = filled.label_sets()
    assert sets[:3] == [(0,), (1, 0), (2, 0, 1)]
    assert sets[70] == ()  # padding
    assert [found[0] if found else -1 for found in sets] == filled.labels().tolist()


@given(
    st.lists(st.integers(1, 70), min_size=1, max_size=4),
    st.sampled_from(["uint8", "uint16", "int16", "int32", "float16", "float32", "bool"]),
    st.lists(st.integers(1, 3), max_size=3),
)
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_output_of_any_shards_comes_back(
    tmp_path_factory: pytest.TempPathFactory, counts: list[int], dtype: str, shape: list[int]
) -> None:
    spec = ArraySpec("out", tuple(f"d{axis}" for axis in range(len(shape))), tuple(shape), dtype)
    path = tmp_path_factory.mktemp("any") / "features.zarr"
    store = FeatureStore.create(path, [spec], {}, CLASSES)
    rng = np.random.default_rng(sum(counts))
    rows = [
        FeatureRow(f"{shard}/{i}", "v", -1, -1, {}, shard)
        for shard, count in enumerate(counts)
        for i in range(count)
    ]
    store.add_rows(rows)
    written = [rng.integers(0, 2, (count, *shape)).astype(dtype) for count in counts]
    valid = [rng.random(count) < 0.5 for count in counts]
    for shard in rng.permutation(len(counts)).tolist():
        blocks = in_blocks(store, {"out": written[shard]}, valid[shard])
        assert store.write_shard(shard, "x", blocks)
    for shard, count in enumerate(counts):
        start, stop = store.row_range(shard)
        assert start % 64 == stop % 64 == 0
        assert np.array_equal(store.read("out", slice(start, start + count)), written[shard])
        assert np.array_equal(store.valid()[start : start + count], valid[shard])
        assert not store.valid()[start + count : stop].any()


def test_wrong_arrays_are_refused(filled: FeatureStore) -> None:
    good, valid = _arrays(3), np.ones(3, bool)
    for arrays, mask, message in [
        ({"volume": good["volume"]}, valid, "expected the outputs"),
        ({**good, "energy": good["energy"].astype(np.float64)}, valid, r"\(3,\) float32, got"),
        ({**good, "motion": good["motion"][:2]}, valid, r"must be \(3, 3\) float16, got \(2, 3\)"),
        (good, valid[:2], r"valid must be \(3,\) bool"),
        (good, np.ones(3), r"valid must be \(3,\) bool"),
    ]:
        with pytest.raises(ValueError, match=message):
            filled.write_shard(2, "new", [(arrays, mask)])  # type: ignore[list-item]
    many = list(in_blocks(filled, _arrays(70), np.ones(70, bool)))
    for blocks, message in [
        ([], "expected 70 clips, got 0"),
        (many[:1], "expected 70 clips, got 64"),
        ([*many, many[1]], "expected 70 clips, got another block"),
        (many[::-1], r"valid must be \(64,\) bool, got \(6,\)"),
        ([(_arrays(70), np.ones(70, bool))], r"valid must be \(64,\) bool, got \(70,\)"),
    ]:
        with pytest.raises(ValueError, match=message):
            filled.write_shard(4, "new", blocks)
    assert [commit.generation for commit in filled.committed().values()] == [0, 0]
    with pytest.raises(InputError, match="pose shard 77 owns no rows"):
        filled.write_shard(77, "new", in_blocks(filled, good, valid))
    with pytest.raises(InputError, match="no output is called 'nope'"):
        filled.read("nope", 0)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (_rows(4, 1, start=500), "pose shard 4 owns the rows"),
        (_rows(8, 1), "a clip may be one row only"),
        (_rows(8, 1, 500) + _rows(9, 1, 501) + _rows(8, 1, 502), "pose shard 8 owns the rows"),
        ([FeatureRow("x", "v", 3, -1, {}, 8)], "not one of 3 classes"),
        ([FeatureRow("x", "v", 0, 3, {}, 8)], "not one of 3 classes"),
        ([FeatureRow("x", "v", 0, -1, {}, 8, labels=(0, 3))], "not one of 3 classes"),
    ],
)
def test_rows_are_validated(filled: FeatureStore, rows: list[FeatureRow], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        filled.add_rows(rows)
    assert filled.num_rows == 192


@pytest.mark.parametrize("values", [("", "v", 0, 0, {}, 0), ("c", "v", -2, 0, {}, 0)])
def test_a_row_is_validated(values: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError, match="clip"):
        FeatureRow(*values)


@pytest.mark.parametrize(("label", "labels"), [(0, (1, 0)), (0, (0, 0)), (0, (0, -1)), (-1, (0,))])
def test_labels_hold_each_class_once_and_the_label_first(
    label: int, labels: tuple[int, ...]
) -> None:
    with pytest.raises(ValueError, match="each class of the clip once"):
        FeatureRow("c", "v", label, -1, {}, 0, labels=labels)


@pytest.mark.parametrize(
    ("specs", "message"),
    [
        ([], "need names"),
        ([SPECS[0], SPECS[0]], "each once"),
        ([ArraySpec("label", (), (), "int32")], "cannot be called 'label'"),
        ([ArraySpec("a/b", (), (), "int32")], "cannot be called 'a/b'"),
        ([ArraySpec("x", ("clip",), (2,), "int32")], "dimension 'clip'"),
        ([ArraySpec("a", ("a",), (2,), "int32")], "also an output's name"),
        (
            [ArraySpec("a", ("x",), (2,), "int32"), ArraySpec("b", ("x",), (3,), "int32")],
            r"two sizes \(3, 2\)",
        ),
    ],
)
def test_outputs_must_fit_into_one_store(
    tmp_path: Path, specs: list[ArraySpec], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        FeatureStore.create(tmp_path / "f.zarr", specs, {}, CLASSES)
    assert list(tmp_path.iterdir()) == []


def test_another_configuration_is_refused_with_the_differences(filled: FeatureStore) -> None:
    FeatureStore.open_or_create(Path(filled.url), SPECS, CONFIGURATION, CLASSES)
    for specs, configuration, classes, line in [
        (
            SPECS,
            {**CONFIGURATION, "sigma": 1.0},
            CLASSES,
            "sigma: asked for 1.0, the store has 0.6",
        ),
        (SPECS, CONFIGURATION, CLASSES[:2], "classes: asked for "),
        (SPECS[:3], CONFIGURATION, CLASSES, "outputs.energy.dtype: asked for '(absent)'"),
    ]:
        with pytest.raises(ConfigurationMismatch) as caught:
            FeatureStore.open_or_create(Path(filled.url), specs, configuration, classes)
        assert line in str(caught.value)


def test_a_pose_store_is_no_feature_store(tmp_path: Path) -> None:
    (tmp_path / "zarr.json").write_text(json.dumps({"attributes": {"kind": "posemill-poses"}}))
    with pytest.raises(InputError, match="is not a posemill-features store"):
        FeatureStore.open(tmp_path)


def test_small_pose_shards_own_small_shards_of_rows(tmp_path: Path) -> None:
    store = FeatureStore.create(
        tmp_path / "features.zarr", SPECS, CONFIGURATION, CLASSES, clips_per_shard=3
    )
    store.add_rows(_rows(4, 3) + _rows(2, 2, start=3) + _rows(7, 4, start=5))
    # 3 clips fill one shard of 3 rows, 2 leave one row over, 4 take two shards.
    assert [store.row_range(shard) for shard in (4, 2, 7)] == [(0, 3), (3, 6), (6, 12)]
    written = {shard: _arrays(count, seed=shard) for shard, count in ((4, 3), (2, 2), (7, 4))}
    for shard, arrays in written.items():
        blocks = in_blocks(store, arrays, np.ones(len(arrays["energy"]), np.bool_))
        assert store.write_shard(shard, "sha", blocks)
    again = FeatureStore.open(Path(store.url))
    for name in ("volume", "energy"):
        got = again.read(name, [0, 1, 2, 3, 4, 6, 7, 8, 9])
        np.testing.assert_array_equal(
            got, np.concatenate([arrays[name] for arrays in written.values()])
        )
    assert again.valid().tolist() == [True] * 5 + [False] + [True] * 4 + [False] * 2
    for commit in again.committed().values():
        check_every_byte(again, commit)


@pytest.mark.parametrize(
    ("bytes_per_clip", "wanted", "expected"),
    [
        (1, 64, 64),
        (2**22, 64, 64),  # 64 x 4 MiB = 256 MiB
        (2**22 + 1, 64, 63),
        (30 * 10**6, 64, 8),  # 268.4 MB / 30 MB
        (2**28, 64, 1),
        (2**30, 64, 1),
        (2**30, 1, 1),
    ],
)
def test_a_block_holds_256_mib_at_most_and_a_clip_at_least(
    bytes_per_clip: int, wanted: int, expected: int
) -> None:
    assert clips_per_block(bytes_per_clip, wanted) == expected
