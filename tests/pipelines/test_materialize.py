"""Features from real (small) pose stores: content, resume, growth, refusals."""

from __future__ import annotations

import shutil
import subprocess
import sys
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray
from chain import index, markers, run_extract, run_materialize
from kills import kill_half_way

from posemill.errors import ConfigurationMismatch, InputError
from posemill.pipelines.materialize import MaterializeConfig, plan_materialize
from posemill.schema import TimedBox, TimedLabel
from posemill.storage.catalog import read_catalog, write_catalog
from posemill.storage.features import FeatureRow, FeatureStore
from posemill.storage.poses import PoseStore
from posemill.transforms.recipes import create_recipe, recipe_names
from posemill.transforms.sample import Sample
from posemill.transforms.seeding import clip_generator

SMALL = {
    "volume": ("length=6", "size_hw=16,16"),
    "limb-volume": ("length=6", "size_hw=16,16", "draw=cache", "views=2"),
    "potion": ("canvas_hw=12,16",),
    "jmrn": ("canvas_hw=12,16", "people=each"),
    "tempposeconv-j": ("length=2", "canvas_hw=12,16"),
    "tempposeconv-p": ("length=2", "canvas_hw=12,16"),
    "tempposeconv-jdiff": ("length=2", "canvas_hw=12,16"),
    "tempposeconv-pdiff": ("length=2", "canvas_hw=12,16"),
    "parnet": ("draw=cache",),
    "vpn-pose": ("length=6",),
    "graph-sequence": ("length=6", "stream=bone-motion"),
}
RECIPES = tuple(SMALL)
DENSE = {"tempposeconv-f", "tempposeconv-fdiff"}
PICTURED = {"parnet-frames", "rgb-clip", "rgbpose", "vpn-crops"}  # see pictures/


@pytest.fixture(scope="module")
def features(poses: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One small feature store of each recipe."""
    root = tmp_path_factory.mktemp("features")
    for recipe in RECIPES:
        run_materialize(poses, root / recipe, recipe, *SMALL[recipe])
    return {recipe: root / recipe for recipe in RECIPES}


def rows_by_clip(store: FeatureStore) -> dict[str, int]:
    return {row.clip_id: number for number, row in enumerate(store.rows()) if row is not None}


def assert_equal_features(ours: Path, theirs: Path) -> None:
    mine, other = FeatureStore.open(ours), FeatureStore.open(theirs)
    np.testing.assert_array_equal(mine.valid(), other.valid())
    assert mine.rows() == other.rows()
    for spec in mine.specs:
        np.testing.assert_array_equal(
            mine.read(spec.name, slice(None)), other.read(spec.name, slice(None))
        )


def test_every_recipe_of_ours_is_rendered_here() -> None:
    assert {*RECIPES, *DENSE, *PICTURED} == set(recipe_names())


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_row_is_the_recipe_of_its_poses(
    features: dict[str, Path], poses: Path, recipe: str
) -> None:
    store, source = FeatureStore.open(features[recipe]), PoseStore.open(poses)
    render = create_recipe(recipe, dict(item.split("=") for item in SMALL[recipe]))
    assert len(rows_by_clip(store)) == 8
    for clip_id, number in rows_by_clip(store).items():
        expected = render(Sample(source.read(clip_id)), clip_generator(0, clip_id))
        for name, array in expected.items():
            np.testing.assert_array_equal(store.read(name, number), array)
        assert any(array.any() for array in expected.values())


@pytest.mark.parametrize("recipe", RECIPES)
def test_xarray_opens_it_with_names_and_without_warnings(
    features: dict[str, Path], recipe: str
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dataset = xarray.open_zarr(features[recipe])
    spec = FeatureStore.open(features[recipe]).specs[0]
    assert dataset[spec.name].dims == ("clip", *spec.dims)
    if spec.dtype == "uint8":
        assert float(dataset[spec.name].max()) <= 1.0
        assert dataset[spec.name].attrs["precision"] == "within 0.00196"
    assert dataset["valid"].values.sum() == 8


def test_labels_mirrors_and_subsets_come_from_the_catalog(features: dict[str, Path]) -> None:
    store = FeatureStore.open(features["potion"])
    for clip_id, number in rows_by_clip(store).items():
        subset, label, _ = clip_id.split("/")
        assert store.classes[store.labels()[number]] == label
        swapped = label.replace("left", "RIGHT").replace("right", "left").replace("RIGHT", "right")
        assert store.classes[store.mirror_labels()[number]] == swapped
        assert store.subset("default", subset)[number]


def test_the_second_run_renders_nothing(features: dict[str, Path], poses: Path) -> None:
    before = markers(features["potion"])
    summary = run_materialize(poses, features["potion"], "potion", *SMALL["potion"])
    assert summary.plan.num_clips_to_do == 0
    assert markers(features["potion"]) == before


def test_the_number_of_workers_changes_nothing(
    features: dict[str, Path], poses: Path, tmp_path: Path
) -> None:
    run_materialize(poses, tmp_path / "two", "volume", *SMALL["volume"], workers=2)
    assert_equal_features(tmp_path / "two", features["volume"])


def test_killed_half_way_the_same_command_completes(poses: Path, tmp_path: Path) -> None:
    out = tmp_path / "killed"
    command = [sys.executable, "-m", "posemill", "materialize", str(poses), "-o", str(out)]
    settings = ("views=10", "length=96")  # much, to be slower than the kill
    command += ["--recipe", "volume", "--workers", "1"]
    command += [word for setting in settings for word in ("--set", setting)]
    before = kill_half_way(command, out, num_shards=4)
    subprocess.run(command, check=True)
    after = markers(out)
    assert len(after) == 4
    assert {name: after[name] for name in before} == before
    run_materialize(poses, tmp_path / "whole", "volume", *settings, workers=1)
    assert_equal_features(out, tmp_path / "whole")


def test_growth_adds_rows_and_leaves_the_others(videos: Path, tmp_path: Path) -> None:
    root, poses, out = tmp_path / "videos", tmp_path / "poses.zarr", tmp_path / "features.zarr"
    shutil.copytree(videos, root, ignore=shutil.ignore_patterns("test"))
    run_extract(index(root, tmp_path / "catalog"), poses)
    run_materialize(poses, out, "potion", *SMALL["potion"])
    before, known = markers(out), FeatureStore.open(out).rows()
    shutil.copytree(videos / "test", root / "test")
    run_extract(index(root, tmp_path / "catalog"), poses)
    summary = run_materialize(poses, out, "potion", *SMALL["potion"])
    assert (summary.plan.num_clips, summary.plan.num_clips_to_do, summary.num_valid) == (8, 2, 8)
    assert FeatureStore.open(out).rows()[: len(known)] == known
    after = markers(out)
    assert {name: after[name] for name in before} == before


def test_an_extraction_and_another_run_may_add_clips_meanwhile(
    videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, poses, out = tmp_path / "videos", tmp_path / "poses.zarr", tmp_path / "features.zarr"
    shutil.copytree(videos, root, ignore=shutil.ignore_patterns("test"))
    run_extract(index(root, tmp_path / "catalog"), poses)
    real = FeatureStore.add_rows

    def overtaken(self: FeatureStore, rows: Sequence[FeatureRow]) -> bool:
        patch.undo()
        shutil.copytree(videos / "test", root / "test")
        run_extract(index(root, tmp_path / "catalog"), poses)
        assert run_materialize(poses, out, "potion", *SMALL["potion"]).num_valid == 8
        return real(self, rows)

    with monkeypatch.context() as patch:
        patch.setattr(FeatureStore, "add_rows", overtaken)
        summary = run_materialize(poses, out, "potion", *SMALL["potion"])
    assert (summary.plan.num_clips, summary.num_rendered, summary.num_valid) == (8, 0, 8)


def test_features_of_other_poses_are_refused(poses: Path, catalog: Path, tmp_path: Path) -> None:
    run_materialize(poses, tmp_path / "f", "potion", *SMALL["potion"])
    given = read_catalog(catalog)
    videos = given.videos[:2]  # of one shard
    clips = tuple(clip for clip in given.clips if clip.video_id in {v.id for v in videos})
    fewer, others = tmp_path / "catalog", tmp_path / "poses.zarr"
    write_catalog(fewer, replace(given, videos=videos, clips=clips))
    run_extract(fewer, others)
    with pytest.raises(InputError, match="made from other poses; materialize into a new store"):
        run_materialize(others, tmp_path / "f", "potion", *SMALL["potion"])


def test_videos_without_poses_keep_a_row_that_is_not_valid(videos: Path, tmp_path: Path) -> None:
    root = tmp_path / "videos"
    shutil.copytree(videos / "test", root)
    (root / "broken.mp4").write_text("no video")
    run_extract(index(root, tmp_path / "catalog"), tmp_path / "poses.zarr")
    summary = run_materialize(tmp_path / "poses.zarr", tmp_path / "f", "potion", *SMALL["potion"])
    store = FeatureStore.open(tmp_path / "f")
    assert (summary.plan.num_clips, summary.num_valid) == (3, 2)
    number = rows_by_clip(store)["broken"]
    assert not store.valid()[number]
    assert store.labels()[number] == -1


def test_another_recipe_or_setting_is_refused(features: dict[str, Path], poses: Path) -> None:
    with pytest.raises(ConfigurationMismatch, match=r"sigma"):
        run_materialize(poses, features["potion"], "potion", *SMALL["potion"], "sigma=2")
    with pytest.raises(ConfigurationMismatch, match=r"recipe.name: asked for 'volume'"):
        run_materialize(poses, features["potion"], "volume", *SMALL["volume"])


@pytest.mark.parametrize(
    ("recipe", "settings", "message"),
    [
        ("nope", (), r"'nope'.*potion, .*tempposeconv-f, .*volume"),
        ("potion", ("sigma",), r"key=value, got 'sigma'"),
        ("potion", ("colour=red",), r"colour"),
        ("potion", ("sigma=wide",), r"sigma.*wide"),
        ("volume", ("draw=train",), r"draw=train gives another random view .*; set draw=cache"),
        ("tempposeconv-f", (), r"own maps of features, .* keeps none; .* --keep features"),
        ("volume", ("length=4096", "size_hw=1024,1024"), r"would take 73.0 GB, at most 2.1 GB"),
        ("potion", ("source=dense",), r"own maps of joints, .* keeps none; .* --keep joints"),
        ("jmrn", ("people=box",), r"no clip of the catalog 'videos' has one; set people=all"),
        ("vpn-pose", ("space=3d",), r"needs 3-D poses, and .*poses.zarr has none; set space=2d"),
        ("volume", ("skeleton=ntu-25",), r"'coco-17' cannot become 'ntu-25': nothing in them make"),
    ],
)
def test_wrong_recipes_and_settings_are_refused(
    poses: Path, tmp_path: Path, recipe: str, settings: tuple[str, ...], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        run_materialize(poses, tmp_path / "out", recipe, *settings)
    assert list(tmp_path.iterdir()) == []


def test_features_are_of_the_skeleton_that_the_recipe_makes(features: dict[str, Path]) -> None:
    skeletons = {
        name: FeatureStore.open(features[name]).configuration["skeleton"] for name in SMALL
    }
    assert skeletons["potion"] == "coco-17"
    assert skeletons["jmrn"] == "coco-17-neck"
    assert skeletons["parnet"] == "parnet-14"


def test_boxes_of_the_catalog_tell_people_apart(poses: Path, tmp_path: Path) -> None:
    hint = PoseStore.open(poses).catalog_hint
    assert hint is not None
    catalog = read_catalog(Path(hint))
    whole = TimedBox(0.0, 0.0, 0.0, 1.0, 1.0)
    first, *others = catalog.clips
    clips = (replace(first, boxes=()), *(replace(clip, boxes=(whole,)) for clip in others))
    write_catalog(tmp_path / "boxed", replace(catalog, clips=clips))
    out, settings = tmp_path / "out", ("canvas_hw=12,16", "people=box")
    summary = run_materialize(poses, out, "jmrn", *settings, catalog=tmp_path / "boxed")
    # A clip without a box has a row that is not valid; the others' are those of the recipe.
    assert (summary.plan.num_clips, summary.num_valid) == (8, 7)
    store, source = FeatureStore.open(out), PoseStore.open(poses)
    rows = rows_by_clip(store)
    assert not store.valid()[rows[first.id]]
    render = create_recipe("jmrn", {"canvas_hw": "12,16", "people": "box"})
    sample = Sample(source.read(others[0].video_id), boxes=(whole,))
    expected = render(sample, clip_generator(0, others[0].id))
    np.testing.assert_array_equal(store.read("p", rows[others[0].id]), expected["p"])
    assert expected["p"][0].any()


def test_every_class_of_a_clip_is_kept_once(poses: Path, tmp_path: Path) -> None:
    hint = PoseStore.open(poses).catalog_hint
    assert hint is not None
    catalog = read_catalog(Path(hint))
    own, other = catalog.clips[0].labels[0].name, catalog.classes[-1]
    timed = (TimedLabel(own, 0, 1), TimedLabel(other, 0, 2), TimedLabel(own, 1, 2))
    clips = (replace(catalog.clips[0], labels=timed), *catalog.clips[1:])
    several, out = replace(catalog, clips=clips), tmp_path / "out"
    write_catalog(tmp_path / "several", several)
    run_materialize(poses, out, "potion", *SMALL["potion"], catalog=tmp_path / "several")
    store = FeatureStore.open(out)
    number = rows_by_clip(store)[clips[0].id]
    assert store.label_sets()[number] == (store.classes.index(own), store.classes.index(other))
    assert store.labels()[number] == store.classes.index(own)
    with pytest.raises(InputError, match=f"classes {own} in the catalog and {own}, {other} in"):
        run_materialize(poses, out, "potion", *SMALL["potion"])


def test_a_catalog_that_moved_is_asked_for(videos: Path, tmp_path: Path) -> None:
    shutil.copytree(videos / "test", tmp_path / "videos")
    catalog = index(tmp_path / "videos", tmp_path / "catalog")
    run_extract(catalog, tmp_path / "poses.zarr")
    moved = catalog.rename(tmp_path / "moved")
    with pytest.raises(InputError, match="--catalog"):
        run_materialize(tmp_path / "poses.zarr", tmp_path / "f", "potion")
    run_materialize(tmp_path / "poses.zarr", tmp_path / "f", "potion", catalog=moved)


def test_a_dry_run_tells_and_writes_nothing(poses: Path, tmp_path: Path) -> None:
    config = MaterializeConfig(poses, tmp_path / "out", "potion", SMALL["potion"])
    plan = plan_materialize(config)
    # u: 17 x 3 x 12 x 16 uint8; maximum: 17 x 3 float32; num_frames and valid_hw: 3 int32.
    assert plan.bytes_per_clip == 17 * 3 * 12 * 16 + 17 * 3 * 4 + 3 * 4
    assert (plan.num_clips, plan.num_clips_to_do, len(plan.pending)) == (8, 8, 4)
    assert list(tmp_path.iterdir()) == []


def test_poses_that_are_no_store_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        run_materialize(tmp_path / "none", tmp_path / "out", "potion")
