"""The study in small, one seed: pictures and poses are learnt together, by heart and not alone.

That every joint network learns a few clips is among the tests of the networks.
"""

from dataclasses import replace

import numpy as np
from appearance_study.feature_stores import write_store
from appearance_study.plan import FEATURES, Sizes, chosen
from appearance_study.scenes import CLASSES, scene_clips
from appearance_study.trial import TRAIN, Trial, run_trial, train_config, write_features
from study.outcomes import recognised

from posemill.pipelines.evaluate import EvaluateConfig, evaluate
from posemill.pipelines.train import train
from posemill.pipelines.training.settings import ClipSettings

FEW_PIXELS = {"size": "32", "crop": "32"}


def test_16_clips_are_learnt_from_pictures_and_poses(tmp_path):
    (contender,) = chosen(("rgbpose",))
    features, store = FEATURES[contender.features], tmp_path / "made.zarr"
    settings = {**features.settings, **features.cached, **FEW_PIXELS}
    write_store(store, scene_clips("train", 4), 0, features.recipe, settings)
    config = replace(train_config(Trial(contender, 0), epochs=1), clips=ClipSettings(repeat=14))
    train(store, tmp_path / "run", config)
    answers = evaluate(tmp_path / "run", store, EvaluateConfig(subset=TRAIN)).predictions
    assert np.mean(list(recognised(answers).values())) > 0.9


def test_a_trial_tells_of_every_test_clip_whether_it_was_recognised(tmp_path):
    (contender,) = chosen(("parnet-tmp",))
    sizes = Sizes(seeds=(3,), train_per_class=2, test_per_class=2, epochs=1)
    features = write_features(tmp_path, contender.features, 3, sizes)
    result = run_trial(Trial(contender, 3), features, tmp_path / "runs", sizes.epochs)
    assert result.right.keys() == {clip.id for clip in scene_clips("test", 2)}
    assert (tmp_path / "runs" / "parnet-tmp-3").is_dir()
    assert len(CLASSES) * sizes.test_per_class == len(result.right)
