"""Both halves of the task can be done, each from one modality and from nothing else."""

import numpy as np
import pytest
from appearance_study.oracle import colour_of, motion_of
from appearance_study.scenes import CLASSES, SceneClip, clean_joints, make_scene

SEED = 11
COLOURS = {"red": "red", "blue": "blue", "sit_down": "grey", "stand_up": "grey"}
MOTIONS = {"red": "wave", "blue": "wave", "sit_down": "sit_down", "stand_up": "stand_up"}
NUMBERS = range(25)


@pytest.mark.parametrize("label", range(len(CLASSES)), ids=CLASSES)
def test_the_colour_is_told_by_any_one_picture(label):
    right = []
    for number in NUMBERS:
        scene = make_scene(SceneClip("test", label, number), SEED)
        picture = scene.pictures.rgb[number % len(scene.pictures.rgb)]
        right.append(colour_of(picture, scene.place_px) == COLOURS[CLASSES[label]])
    assert np.mean(right) >= 0.98


@pytest.mark.parametrize("label", range(len(CLASSES)), ids=CLASSES)
def test_the_motion_is_told_by_clean_joints(label):
    right = [
        motion_of(clean_joints(SceneClip("test", label, number), SEED)) == MOTIONS[CLASSES[label]]
        for number in range(100)
    ]
    assert np.mean(right) >= 0.98
