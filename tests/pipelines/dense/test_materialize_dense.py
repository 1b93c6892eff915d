"""Features of an estimator's own maps: equal to the recipe's of those maps, cut by hand."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from chain import run_materialize

from posemill.errors import InputError
from posemill.pipelines.materialize import MaterializeConfig, plan_materialize
from posemill.schema import Clip
from posemill.storage.catalog import read_catalog, write_catalog
from posemill.storage.dense.reader import DenseArray
from posemill.storage.features import FeatureStore
from posemill.storage.poses import PoseStore
from posemill.transforms.clips import clip_poses
from posemill.transforms.potion import potion_u, time_encoding
from posemill.transforms.recipes import create_recipe
from posemill.transforms.recipes.canvas import scale_to_canvas, valid_part
from posemill.transforms.sample import DenseMaps, Sample
from posemill.transforms.seeding import clip_generator

SMALL = "canvas_hw=12,16"
RECIPES = {
    "potion": ("source=dense", SMALL),
    "jmrn": ("source=dense", "skeleton=own", SMALL),
    "tempposeconv-p": ("source=dense", "fields=18", "length=2", SMALL),
    "tempposeconv-fdiff": ("channels=64", "length=2", SMALL),
}
SPANS = {"early": (0.0, 0.5), "middle": (0.4, 1.1), "late": (1.0, None)}


@pytest.fixture(scope="module")
def spans(some_videos: Path) -> Path:
    """A catalog with clips of parts of a video, and of whole videos."""
    given = read_catalog(some_videos.parent / "catalog")
    parts = [Clip(name, "people1", *span) for name, span in SPANS.items()]
    out = some_videos.parent / "spans"
    write_catalog(out, replace(given, clips=(*given.clips, *parts)))
    return out


def settings_of(recipe: str) -> dict[str, str]:
    return dict(item.split("=") for item in RECIPES[recipe])  # type: ignore[misc]


def sample_of(store: PoseStore, clip: Clip) -> Sample:
    """A clip's maps from arrays that are read whole, cut by its times."""
    pose = store.read(clip.video_id)
    end = np.inf if clip.end_seconds is None else clip.end_seconds
    frames = (pose.pts_seconds >= clip.start_seconds) & (pose.pts_seconds < end)
    maps = store.read_dense(clip.video_id)
    cut = {kind: maps.kept(kind)[:][frames] for kind in ("joints", "parts", "features")}  # type: ignore[arg-type]
    dense = DenseMaps(np.arange(frames.sum()), **cut)
    return Sample(clip_poses(pose, clip.start_seconds, clip.end_seconds), dense=dense)


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_row_is_the_recipe_of_the_clips_maps(
    recipe: str, dense_poses: Path, spans: Path, tmp_path: Path
) -> None:
    summary = run_materialize(
        dense_poses, tmp_path / "f", recipe, *RECIPES[recipe], workers=1, catalog=spans
    )
    # Of four readable videos, and of three parts of one.
    assert (summary.plan.num_clips, summary.num_valid) == (8, 7)
    store, poses = FeatureStore.open(tmp_path / "f"), PoseStore.open(dense_poses)
    render = create_recipe(recipe, settings_of(recipe))
    clips = {clip.id: clip for clip in read_catalog(spans).clips}
    valid = store.valid()
    for number, row in enumerate(store.rows()):
        if row is None or not valid[number]:
            continue
        expected = render(sample_of(poses, clips[row.clip_id]), clip_generator(0, row.clip_id))
        for name, array in expected.items():
            np.testing.assert_array_equal(store.read(name, number), array, err_msg=row.clip_id)


def test_potion_is_the_sum_over_time_of_the_kept_heatmaps(
    dense_poses: Path, spans: Path, tmp_path: Path
) -> None:
    run_materialize(
        dense_poses, tmp_path / "f", "potion", *RECIPES["potion"], workers=1, catalog=spans
    )
    poses, store = PoseStore.open(dense_poses), FeatureStore.open(tmp_path / "f")
    sample = sample_of(poses, Clip("middle", "people1", *SPANS["middle"]))
    assert sample.dense is not None
    maps = sample.dense.kept("joints")[:].astype(np.float64)
    s = np.einsum("tkyx,tc->kcyx", maps, time_encoding(len(maps), 3).astype(np.float64))
    valid_hw = valid_part(sample.pose, (12, 16))
    u, maximum = potion_u(scale_to_canvas(s.astype(np.float32), valid_hw, (12, 16)))
    (number,) = (n for n, row in enumerate(store.rows()) if row and row.clip_id == "middle")
    np.testing.assert_allclose(store.read("maximum", number), maximum, rtol=1e-5)
    assert np.abs(store.read("u", number) / 255.0 - u).max() <= 0.51 / 255
    assert maximum.max() > 1  # joints were found, over several frames


def test_only_the_frames_that_a_cube_takes_are_read(
    dense_poses: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Sequence[int]] = []
    read = DenseArray.read

    def noted(array: DenseArray, frames: np.ndarray) -> np.ndarray:
        asked.append(frames.tolist())
        return read(array, frames)

    monkeypatch.setattr(DenseArray, "read", noted)
    store = PoseStore.open(dense_poses)
    pose = store.read("people0")
    recipe = create_recipe("tempposeconv-f", {"channels": "64", "length": "2"})
    sample = Sample(pose, dense=store.read_dense("people0"))
    arrays = recipe(sample, clip_generator(0, "c"))
    assert asked == [arrays["frame_index"].tolist()]


@pytest.mark.parametrize(
    ("recipe", "settings", "message"),
    [
        ("potion", ("source=dense",), r"own maps of joints, .* keeps parts; .* --keep joints"),
        ("tempposeconv-f", (), r"own maps of features, .* keeps parts; .* --keep features"),
        ("tempposeconv-p", ("fields=18",), r"fields=18 tells of the estimator's own maps; set"),
    ],
)
def test_what_the_store_does_not_keep_is_refused_before_any_work(
    dense_poses: Path, tmp_path: Path, recipe: str, settings: tuple[str, ...], message: str
) -> None:
    kept = PoseStore.open(dense_poses)
    parts_alone = {**kept.configuration, "keep": ["parts"]}
    store = PoseStore.create(tmp_path / "p", parts_alone, catalog_hint=kept.catalog_hint)
    with pytest.raises(InputError, match=message):
        plan_materialize(MaterializeConfig(store.url, tmp_path / "f", recipe, settings))
    assert not (tmp_path / "f").exists()


@pytest.mark.parametrize(
    ("recipe", "setting", "message"),
    [
        ("tempposeconv-f", "channels=7", r"features of 7 channels, .* have 64; set channels=64"),
        ("tempposeconv-p", "source=dense", r"parts of 34 channels, .* have 36; set fields=18"),
    ],
)
def test_another_number_of_channels_is_refused_with_the_setting(
    dense_poses: Path, tmp_path: Path, recipe: str, setting: str, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        plan_materialize(MaterializeConfig(dense_poses, tmp_path / "f", recipe, (setting,)))


def test_a_lost_map_stops_the_features_and_names_the_file(
    dense_poses: Path, spans: Path, tmp_path: Path
) -> None:
    poses = Path(shutil.copytree(dense_poses, tmp_path / "poses.zarr"))
    for path in poses.glob("shards/*/dense/*/joints/c/0/0/0/0"):
        path.unlink()
    with pytest.raises(Exception, match=r"joints/c/0/0/0/0: cannot be read as it was committed"):
        run_materialize(
            poses, tmp_path / "f", "potion", *RECIPES["potion"], workers=1, catalog=spans
        )
    assert FeatureStore.open(tmp_path / "f").committed() == {}


def test_stores_of_part_fields_that_were_made_before_the_setting_go_on() -> None:
    assert "fields" not in create_recipe("tempposeconv-p", {}).configuration()["settings"]
    dense = create_recipe("tempposeconv-p", {"source": "dense", "fields": "18"})
    assert dense.configuration()["settings"]["fields"] == 18
