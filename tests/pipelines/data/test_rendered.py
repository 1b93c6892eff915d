"""Clips rendered on the fly: equal to what a store holds, and what losses change."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from chain import run_materialize

from posemill.errors import InputError
from posemill.pipelines.data import rendered
from posemill.pipelines.data.sources import open_source
from posemill.storage.poses import PoseStore
from posemill.transforms.seeding import clip_generator
from posemill.transforms.skeletons import COCO_17

SETTINGS = {
    "potion": {"canvas_hw": "12,16"},
    "jmrn": {"canvas_hw": "12,16", "people": "each"},
    "volume": {"length": "6", "size_hw": "16,16", "views": "2"},
    "limb-volume": {"length": "6", "size_hw": "16,16", "draw": "cache"},
    "tempposeconv-pdiff": {"length": "2", "canvas_hw": "12,16"},
}
ONE_PERSON = 3  # shown by this clip alone throughout, so that nobody covers a lost joint


@pytest.mark.parametrize("recipe", SETTINGS)
def test_what_is_rendered_equals_what_is_stored(poses: Path, tmp_path: Path, recipe: str) -> None:
    assignments = (f"{key}={value}" for key, value in SETTINGS[recipe].items())
    run_materialize(poses, tmp_path / "f", recipe, *assignments)
    stored = open_source(tmp_path / "f")
    fresh = open_source(poses, recipe, SETTINGS[recipe])
    assert fresh.specs == stored.specs
    assert fresh.classes == stored.classes
    assert fresh.skeleton == stored.skeleton
    assert fresh.recipe == stored.recipe
    assert fresh.configuration == stored.configuration
    assert fresh.configuration_hash == stored.configuration_hash
    clips = stored.select("default", "train")
    assert fresh.select("default", "train") == clips
    for number, clip_id in enumerate(clips.clip_ids):
        rng = clip_generator(0, clip_id)  # of the seed, epoch 0 and view 0, as a store is made
        ours, theirs = fresh.read(clips, number, rng), stored.read(clips, number, rng)
        assert ours.keys() == theirs.keys()
        for name, array in ours.items():
            np.testing.assert_array_equal(array, theirs[name])
            assert array.dtype == theirs[name].dtype


def test_held_poses_give_what_reading_gives_and_stay_out_of_pickles(
    poses: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = open_source(poses, "potion", SETTINGS["potion"])
    clips = source.select("default", "train")
    rng = np.random.default_rng(0)
    read = source.read(clips, 3, rng)
    held = source.holding(clips)
    copied = pickle.loads(pickle.dumps(held))  # noqa: S301 (our own bytes)
    np.testing.assert_array_equal(copied.read(clips, 3, rng)["u"], read["u"])
    assert len(pickle.dumps(held)) < 1.01 * len(pickle.dumps(source))
    monkeypatch.setattr(rendered, "HELD_BYTES", 10)
    too_much = source.holding(clips)
    with monkeypatch.context() as patch:
        patch.setattr(PoseStore, "read", lambda *_: pytest.fail("read though it is held"))
        np.testing.assert_array_equal(held.read(clips, 3, rng)["u"], read["u"])
    np.testing.assert_array_equal(too_much.read(clips, 3, rng)["u"], read["u"])


def test_a_lost_joint_is_one_of_the_limbs_and_changes_nothing_else(poses: Path) -> None:
    settings = {"draw": "train", "length": "8", "canvas_hw": "32,40"}
    source = open_source(poses, "tempposeconv-j", settings)
    clips = source.select("default", "train")
    plain, lossy = (
        source.dropping(p).read(clips, ONE_PERSON, np.random.default_rng(1)) for p in (0.0, 1.0)
    )
    np.testing.assert_array_equal(plain["frame_index"], lossy["frame_index"])
    lost = (plain["joints"] != lossy["joints"]).any(axis=(2, 3))  # (T, K)
    names = [COCO_17.keypoints[joint] for joint in np.flatnonzero(lost.any(axis=0))]
    assert {name.split("_")[-1] for name in names} <= {"elbow", "wrist", "knee", "ankle"}
    assert lost.sum(axis=1).max() == 1  # one of the only person
    assert lost.sum() >= 6  # of 8 frames; some joints are not seen anyhow
    assert not lossy["joints"][lost].any()


def test_losses_of_a_smaller_probability_are_among_those_of_a_greater(poses: Path) -> None:
    source = open_source(poses, "potion", SETTINGS["potion"])
    clips = source.select("default", "train")
    few, many = (
        source.dropping(p).sample(clips, 0, np.random.default_rng(0)).pose.score
        for p in (0.25, 0.75)
    )
    assert ((few > 0) >= (many > 0)).all()
    assert (few > 0).sum() > (many > 0).sum()
    assert 0.5 < (many == 0).any(axis=1).mean() < 1.0


def test_stored_maps_lose_no_joints(poses: Path, tmp_path: Path) -> None:
    run_materialize(poses, tmp_path / "f", "potion", "canvas_hw=12,16")
    with pytest.raises(InputError, match="drawn already, so that no joint can be dropped; give"):
        open_source(tmp_path / "f").dropping(0.1)


def test_a_store_is_what_it_is_and_a_recipe_must_fit(poses: Path, tmp_path: Path) -> None:
    run_materialize(poses, tmp_path / "f", "potion", "canvas_hw=12,16")
    with pytest.raises(InputError, match="holds poses: name the recipe to render them by"):
        open_source(poses)
    with pytest.raises(InputError, match="of the recipe 'potion', not of 'volume'; leave out"):
        open_source(tmp_path / "f", "volume")
    with pytest.raises(InputError, match=r"with canvas_hw=12,16, not with canvas_hw=20,20; leave"):
        open_source(tmp_path / "f", "potion", {"canvas_hw": "20,20", "sigma": "1"})
    with pytest.raises(InputError, match="has no setting 'colour'"):
        open_source(tmp_path / "f", "potion", {"colour": "red"})
    assert open_source(tmp_path / "f", "potion", {"sigma": "1"}).recipe.canvas_hw == (12, 16)
    with pytest.raises(InputError, match="does not exist"):
        open_source(tmp_path / "nothing")


def test_subsets_that_are_not_there_are_refused(poses: Path, tmp_path: Path) -> None:
    run_materialize(poses, tmp_path / "f", "potion", "canvas_hw=12,16")
    for source in (open_source(poses, "potion"), open_source(tmp_path / "f")):
        with pytest.raises(InputError, match=r"no subset 'val' .*there are: default: test, train"):
            source.select("default", "val")
