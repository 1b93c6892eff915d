"""ViTPose and RT-DETR end to end, with small networks of random weights."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from tiny_vitpose import POSE_SIZE_WH, save_pose

from posemill.errors import EnvironmentFault, InputError
from posemill.models.estimators.base import EstimatorOptions, FrameResult, trial_boxes
from posemill.models.estimators.vitpose import create
from posemill.models.estimators.vitpose.crop import crops_around
from posemill.models.estimators.vitpose.estimator import CroppedPeople, VitposeEstimator
from posemill.transforms.skeletons import COCO_17

SMALL = {"detector_size": "64"}
ALL_QUERIES = {**SMALL, "person_threshold": "0.0001"}
Frame = npt.NDArray[np.uint8]


def frames_of(sizes: list[tuple[int, int]]) -> list[Frame]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (height, width, 3), np.uint8) for width, height in sizes]


FRAMES = frames_of([(64, 48), (200, 120), (31, 90)])
BOXES = [
    np.array([[5, 5, 40, 45], [20, 3, 60, 40]], np.float32),
    np.zeros((0, 4), np.float32),
    np.array([[2, 10, 28, 80]], np.float32),
]


def built(weights: Path, parameters: dict[str, str] | None = None, **how: Any) -> VitposeEstimator:
    return create(EstimatorOptions(weights=weights, parameters=parameters or SMALL, **how))


def assert_equal(found: list[FrameResult], expected: list[FrameResult]) -> None:
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one.persons.xy_px, other.persons.xy_px)
        np.testing.assert_array_equal(one.persons.score, other.persons.score)


def test_every_box_that_the_detector_is_sure_of_gives_a_person(weights: Path):
    # With random weights every query is as sure as the others; so all are people, or none.
    everybody = built(weights, ALL_QUERIES).results(FRAMES)
    assert [len(result.persons.score) for result in everybody] != [0, 0, 0]
    for result in everybody:
        assert len(result.persons.score) <= 10
        assert result.persons.xy_px.shape[1:] == (17, 2)
        assert ((result.persons.score >= 0) & (result.persons.score <= 1)).all()
    nobody = built(weights, {**SMALL, "person_threshold": "0.9999"}).results(FRAMES)
    assert [len(result.persons.score) for result in nobody] == [0, 0, 0]


def test_boxes_take_the_detectors_place_and_none_is_loaded(weights: Path, tmp_path: Path):
    shutil.copytree(weights / "pose", tmp_path / "pose")
    estimator = built(tmp_path, boxes_given=True)
    found = estimator.results(FRAMES, BOXES)
    assert [len(result.persons.score) for result in found] == [2, 0, 1]
    assert_equal(found, built(weights).results(FRAMES, BOXES))
    crops = crops_around(BOXES[0], POSE_SIZE_WH[0] / POSE_SIZE_WH[1], 1.25)
    inside = (found[0].persons.xy_px - crops.left_top[:, None]) / crops.size[:, None]
    # The peak is within a cell (of 16 rows, 12 columns) of the crop.
    assert (np.abs(inside - 0.5) <= 0.5 + 1 / 11).all()


def test_without_boxes_an_estimator_built_for_boxes_refuses(weights: Path):
    with pytest.raises(InputError, match="was built for boxes"):
        built(weights, boxes_given=True).results(FRAMES)


def test_mixed_sizes_share_batches_and_change_nothing(weights: Path):
    estimator = built(weights)
    assert len({estimator.bucket((frame.shape[1], frame.shape[0])) for frame in FRAMES}) == 1
    assert not estimator.spec.needs_boxes
    together = estimator.results(FRAMES * 4, BOXES * 4)
    for place, result in enumerate(together):
        (alone,) = estimator.results([FRAMES[place % 3]], [BOXES[place % 3]])
        np.testing.assert_allclose(result.persons.xy_px, alone.persons.xy_px, atol=1 / 16)


def test_reproducible_is_bit_equal_for_any_split(weights: Path):
    estimator = built(weights, ALL_QUERIES, reproducible=True)
    assert estimator.spec.max_batch == 1
    alone = [estimator.results([frame])[0] for frame in FRAMES]
    assert_equal(estimator.results(FRAMES), alone)
    assert_equal(
        estimator.results(FRAMES[::-1], BOXES[::-1])[::-1], estimator.results(FRAMES, BOXES)
    )


def test_people_per_forward_splits_a_crowd(weights: Path):
    crowd = [np.tile(BOXES[0], (10, 1)).astype(np.float32)]
    at_once = built(weights).results(FRAMES[:1], crowd)
    in_parts = built(weights, {**SMALL, "people_per_forward": "3"}).results(FRAMES[:1], crowd)
    assert len(at_once[0].persons.score) == len(in_parts[0].persons.score) == 20
    np.testing.assert_allclose(at_once[0].persons.score, in_parts[0].persons.score, atol=1e-5)


def test_flip_averages_with_the_mirrored_crop(weights: Path):
    plain, flipped = built(weights), built(weights, {**SMALL, "flip": "true"})
    frame, box = [FRAMES[0]], [BOXES[0][:1]]
    batch, _ = plain.preprocess(frame, box)
    assert isinstance(batch, CroppedPeople)
    mirrored = CroppedPeople(batch.crops, batch.pictures[:, :, ::-1].copy())
    there = plain.infer(batch)[0].heatmaps
    back = plain.infer(mirrored)[0].heatmaps[:, list(COCO_17.mirror), :, ::-1]
    averaged = flipped.infer(batch)[0].heatmaps
    np.testing.assert_allclose(averaged, (there + back) / 2, atol=1e-6)
    assert np.abs(averaged - there).max() > 1e-4


def test_kept_maps_have_the_shape_that_is_told(weights: Path):
    estimator = built(weights, keep=frozenset({"joints"}))
    for frame, result in zip(FRAMES, estimator.results(FRAMES, BOXES), strict=True):
        size_wh = frame.shape[1], frame.shape[0]
        assert result.dense["joints"].shape == estimator.dense_shapes(size_wh)["joints"]
        assert result.dense["joints"].any() == bool(len(result.persons.score))
        assert result.dense["joints"].dtype == np.float32


def test_odd_frames_pass(weights: Path):
    grey = np.full((64, 64, 3), 128, np.uint8)
    odd = [grey, *frames_of([(1, 1), (1, 300), (500, 2)])]
    for result in built(weights, ALL_QUERIES).results(odd):
        assert np.isfinite(result.persons.xy_px).all()
    with pytest.raises(InputError, match="must be RGB"):
        built(weights).results([np.zeros((4, 4), np.uint8)])


def test_fingerprint_tells_what_decides_the_poses(weights: Path, tmp_path: Path):
    shutil.copytree(weights, tmp_path / "other")
    save_pose(tmp_path / "other" / "pose", seed=5)
    told = {
        built(weights).fingerprint(),
        built(tmp_path / "other").fingerprint(),
        built(weights, boxes_given=True).fingerprint(),
        built(weights, {**SMALL, "flip": "yes"}).fingerprint(),
        built(weights, {**SMALL, "person_threshold": "0.5"}).fingerprint(),
    }
    assert len(told) == 5
    shutil.copytree(weights, tmp_path / "same")
    assert built(tmp_path / "same").fingerprint() == built(weights).fingerprint()


def test_a_detector_elsewhere_is_taken(weights: Path):
    elsewhere = {**SMALL, "detector": str(weights / "detector")}
    estimator = built(weights / "pose", elsewhere)
    assert estimator.fingerprint() == built(weights).fingerprint()


def test_experts_are_chosen_by_dataset_index(weights: Path, tmp_path: Path):
    folder = save_pose(tmp_path / "plus", num_experts=3)
    maps = []
    for index in ("0", "2"):
        estimator = built(folder, {"dataset_index": index}, boxes_given=True)
        batch, _ = estimator.preprocess(FRAMES[:1], BOXES[:1])
        maps.append(estimator.infer(batch)[0].heatmaps)
    assert np.abs(maps[0] - maps[1]).max() > 1e-4
    with pytest.raises(InputError, match="have 3 experts"):
        built(folder, {"dataset_index": "3"}, boxes_given=True)
    with pytest.raises(InputError, match="have 1 experts"):
        built(weights, {**SMALL, "dataset_index": "1"})


def test_output_that_is_no_number_is_the_environments_fault(weights: Path):
    estimator = built(weights)
    import torch

    estimator._network._mean = torch.full((1, 3, 1, 1), float("nan"))
    with pytest.raises(EnvironmentFault, match="no numbers"):
        estimator.results(FRAMES, BOXES)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"keep": frozenset({"parts"})}, "no maps of parts"),
        ({"scales": (0.5, 1.0)}, "at one size"),
        ({"device": "cuda:99"}, "cannot be used"),
        ({"parameters": {"flipp": "true"}}, "no parameter 'flipp'"),
        ({"parameters": {"flip": "maybe"}}, "must be true or false"),
        ({"parameters": {"padding": "wide"}}, "must be float"),
        ({"parameters": {"padding": "0.5"}}, "from 1 to 4"),
        ({"parameters": {"detector_size": "100"}}, "multiple of 32"),
        ({"parameters": {"detector": "nowhere-to-be-found"}}, "is no folder"),
    ],
)
def test_options_that_do_not_fit_are_refused(weights: Path, how: dict[str, Any], message: str):
    with pytest.raises(InputError, match=message):
        create(EstimatorOptions(weights=weights, **how))


def test_a_trial_gives_boxes_where_they_are_needed(weights: Path):
    grey = [np.full((48, 64, 3), 128, np.uint8)]
    found, given = built(weights), built(weights, boxes_given=True)
    assert trial_boxes(found.spec, grey) is None
    boxes = trial_boxes(given.spec, grey)
    assert boxes is not None
    np.testing.assert_array_equal(boxes, [[[-0.5, -0.5, 63.5, 47.5]]])
    assert len(given.results(grey, boxes)[0].persons.score) == 1
