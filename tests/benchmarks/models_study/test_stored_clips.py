import numpy as np
import pytest
from models_study.actions import AGAINST_CUE, WITH_CUE, ActionClip, make_poses
from models_study.motions import CLASSES
from models_study.plan import Sizes
from models_study.stored_clips import PROBE_SPLIT, SPLIT, study_groups, write_clips

from posemill.storage.catalog import read_catalog
from posemill.storage.poses import PoseStore

TINY = Sizes(seeds=(0,), train_per_class=1, test_per_class=2, probe_per_class=1, epochs=1)


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    return write_clips(tmp_path_factory.mktemp("study") / "clips-5", 5, study_groups(TINY))


def test_subsets_have_as_many_clips_as_planned(clips):
    catalog = read_catalog(clips.catalog)
    subsets = [clip.splits[SPLIT] for clip in catalog.clips]
    counts = {name: subsets.count(name) for name in set(subsets)}
    assert counts == {
        "train": 12, "train-misled": 12, "test": 24, "with-cue": 12, "against-cue": 12,
    }  # fmt: skip
    probed = [clip.id for clip in catalog.clips if PROBE_SPLIT in clip.splits]
    assert probed == [f"test/{name}/000" for name in CLASSES]


def test_poses_are_those_that_were_made(clips):
    store = PoseStore.open(clips.store)
    clip = ActionClip("test", 3, 0)
    for subset, context in (("with-cue", WITH_CUE), ("against-cue", AGAINST_CUE)):
        stored = store.read(f"{subset}/{CLASSES[3]}/000")
        made = make_poses(clip, 5, context)
        seen = made.score > 0
        np.testing.assert_allclose(stored.xy_px[seen], made.xy_px[seen], atol=0.1)
        np.testing.assert_allclose(stored.score, made.score, atol=0.01)
        assert (stored.width, stored.height) == (made.width, made.height)


def test_what_is_there_is_left_alone_and_a_draft_is_made_anew(tmp_path, clips):
    written = (clips.catalog / "clips.parquet").stat().st_mtime_ns
    assert write_clips(clips.root, 5, []) == clips
    assert (clips.catalog / "clips.parquet").stat().st_mtime_ns == written
    (tmp_path / "clips-5.draft").mkdir()
    (tmp_path / "clips-5.draft" / "poses.zarr").write_text("cut off")
    again = write_clips(tmp_path / "clips-5", 5, study_groups(TINY)[:1])
    assert len(read_catalog(again.catalog).clips) == 12
    assert not (tmp_path / "clips-5.draft").exists()
