import numpy as np
from appearance_study.feature_stores import render, write_store
from appearance_study.plan import FEATURES
from appearance_study.scenes import CLASSES, SceneClip, make_scene, scene_clips

from posemill.pipelines.data.sources import open_source
from posemill.storage.features import FeatureStore
from posemill.transforms.recipes import create_recipe

CLIPS = [*scene_clips("train", 4), SceneClip("train", 1, 4)]  # a block of 16, and one more
FEATURE = FEATURES["vpn-crops"]
SETTINGS = {**FEATURE.settings, **FEATURE.cached, "pictures": "2", "size": "8"}


def test_clips_are_stored_in_order_as_the_recipe_renders_them(tmp_path):
    out = write_store(tmp_path / "made.zarr", CLIPS, 5, "vpn-crops", SETTINGS)
    store, recipe = FeatureStore.open(out), create_recipe("vpn-crops", SETTINGS)
    rows = [row for row in store.rows() if row is not None]
    assert [row.clip_id for row in rows] == [clip.id for clip in CLIPS]
    assert [row.label for row in rows] == [clip.label for clip in CLIPS]
    last = render(recipe, make_scene(CLIPS[-1], 5), 5, f"vpn-crops: {CLIPS[-1].id}")
    for name in ("frames", "poses", "score"):
        np.testing.assert_array_equal(store.read(name, len(CLIPS) - 1), last[name])
    source = open_source(out)
    assert source.classes == CLASSES
    assert len(source.select("default", "train")) == len(CLIPS)


def test_what_is_there_is_left_alone_and_a_draft_is_made_anew(tmp_path):
    out, few = tmp_path / "made.zarr", CLIPS[:2]
    (tmp_path / "made.draft").mkdir()
    (tmp_path / "made.draft" / "zarr.json").write_text("cut off")
    write_store(out, few, 5, "vpn-crops", SETTINGS)
    written = (out / "zarr.json").stat().st_mtime_ns
    assert write_store(out, [], 6, "vpn-crops", SETTINGS) == out
    assert (out / "zarr.json").stat().st_mtime_ns == written
    assert not (tmp_path / "made.draft").exists()
