"""Accuracy on twelve people of four COCO pictures, against their annotations.

BlazePose's constants were chosen on these same twelve: this guards against
getting worse, and says little of how good the estimator is elsewhere.
"""

import json

import cv2
import numpy as np
import pytest

from posemill.models.estimators.base import EstimatorOptions
from posemill.models.estimators.blazepose import create
from posemill.transforms.oks import oks_matrix


@pytest.fixture(scope="module")
def best_oks(blazepose_weights, shared):
    """For each annotated person the similarity of the estimate that comes closest."""
    folder = shared / "poses" / "coco"
    truth = json.loads((folder / "test_coco.json").read_text())
    estimator = create(EstimatorOptions(weights=blazepose_weights))
    best = []
    for picture in truth["images"]:
        bgr = cv2.imread(str(folder / picture["file_name"]))
        (persons,) = estimator.estimate([cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)])
        people = [
            entry
            for entry in truth["annotations"]
            if entry["image_id"] == picture["id"] and entry["num_keypoints"] > 0
        ]
        joints = np.array([entry["keypoints"] for entry in people], np.float32).reshape(-1, 17, 3)
        area = np.array([entry["area"] for entry in people], np.float32)
        likeness = oks_matrix(
            joints[..., :2], joints[..., 2], persons.xy_px, persons.score, area_px2=area
        )
        best.extend(likeness.max(axis=1, initial=0.0).tolist())
    return best


def test_there_are_twelve_people(best_oks):
    assert len(best_oks) == 12


def test_mean_best_oks(best_oks):
    assert np.mean(best_oks) >= 0.70


def test_most_people_are_found_well(best_oks):
    assert sum(value >= 0.65 for value in best_oks) >= 10
