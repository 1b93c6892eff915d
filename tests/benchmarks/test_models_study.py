"""The study in small, one seed: every kind of model learns; of their order nothing is said."""

from dataclasses import replace

import numpy as np
import pytest
from models_study.actions import PLAIN, action_clips
from models_study.motions import CLASSES
from models_study.plan import CONTENDERS, Contender
from models_study.stored_clips import TESTED, TRAIN, ClipFolder, Group, write_clips
from models_study.trial import Trial, train_config
from study.outcomes import recognised

from posemill.pipelines.evaluate import EvaluateConfig, evaluate
from posemill.pipelines.train import train

SHOWN = ("stand_up", "raise_then_kick", "squat_4", "straight_arm_sway")
TRAINED_PER_CLASS, TESTED_PER_CLASS = 8, 16
CHANCE = 1 / len(SHOWN)
FEW_PIXELS = {"size_hw": "16,16", "length": "8"}


@pytest.fixture(scope="module")
def clips(tmp_path_factory) -> ClipFolder:
    labels = {CLASSES.index(name) for name in SHOWN}
    learnt, fresh = (
        [clip for clip in action_clips(subset, per_class) if clip.label in labels]
        for subset, per_class in (("train", TRAINED_PER_CLASS), ("test", TESTED_PER_CLASS))
    )
    groups = [Group(TRAIN, PLAIN, learnt), Group(TESTED, PLAIN, fresh)]
    return write_clips(tmp_path_factory.mktemp("study") / "clips", 0, groups)


def small(contender: Contender) -> Contender:
    if contender.model != "poseconv3d":
        return contender
    return replace(contender, recipe_settings={**contender.recipe_settings, **FEW_PIXELS})


@pytest.mark.parametrize(
    ("name", "epochs"),
    [
        ("PoTion + jitter", 46),
        ("JMRN + jitter", 40),
        ("PA3D global+dilated", 30),
        ("PoseConv3D", 28),
    ],
)
def test_every_model_learns_32_clips_and_beats_chance_by_far(name, epochs, clips, tmp_path):
    (contender,) = (each for each in CONTENDERS if each.name == name)
    config = train_config(Trial(small(contender), "plain", 0), epochs)
    train(clips.store, tmp_path / "run", config, catalog=clips.catalog)

    def accuracy(subset: str) -> float:
        asked = EvaluateConfig(subset=subset, catalog=clips.catalog)
        answers = evaluate(tmp_path / "run", clips.store, asked).predictions
        return float(np.mean(list(recognised(answers).values())))

    assert accuracy(TRAIN) > 0.85
    # Of 64 clips, chance alone is right on so many in one of 200 tries.
    assert accuracy(TESTED) > 1.6 * CHANCE
