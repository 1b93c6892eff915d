"""COCO's keypoint JSON: as `json.load` reads it, and as pycocotools does."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from export_stores import make_pose_store, run_export

from posemill.storage.poses import PoseStore
from posemill.transforms.skeletons import COCO_17


@pytest.fixture
def store(tmp_path: Path) -> PoseStore:
    return make_pose_store(tmp_path / "poses.zarr")


@pytest.fixture
def path(store: PoseStore, tmp_path: Path) -> Path:
    run_export("coco", Path(store.url), tmp_path / "out.json")
    return tmp_path / "out.json"


@pytest.fixture
def found(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="ascii"))


def test_every_frame_is_an_image_and_ids_are_numbers_from_1(found: dict[str, Any]) -> None:
    assert [image["id"] for image in found["images"]] == list(range(1, 6 + 4 + 50 + 1))
    assert [each["id"] for each in found["annotations"]] == list(range(1, 6 + 3 + 3 + 1))
    first, last = found["images"][0], found["images"][-1]
    assert first == {
        "id": 1,
        "file_name": "walk/a.b/000000.jpg",
        "width": 640,
        "height": 480,
        "video_id": "walk/a.b",
        "frame_id": 0,
        "seconds": 0.0,
    }
    assert (last["video_id"], last["frame_id"], last["seconds"]) == ("run/ü", 49, 1.96)


def test_the_category_has_the_joints_and_the_skeleton_counted_from_1(
    found: dict[str, Any],
) -> None:
    (person,) = found["categories"]
    assert (person["id"], person["name"]) == (1, "person")
    assert person["keypoints"] == list(COCO_17.keypoints)
    assert person["skeleton"] == [[a + 1, b + 1] for a, b in COCO_17.limbs]
    assert min(map(min, person["skeleton"])) == 1


def test_everybody_comes_back_exactly_and_scores_within_their_digits(
    found: dict[str, Any], store: PoseStore
) -> None:
    images = {image["id"]: image for image in found["images"]}
    people = defaultdict(list)
    for each in found["annotations"]:
        image = images[each["image_id"]]
        people[image["video_id"]].append((image["frame_id"], each))
    assert set(people) == {"walk/a.b", "run/ü"}
    for video_id, rows in people.items():
        poses = store.read(video_id)
        assert [frame for frame, _ in rows] == poses.frame.tolist()
        assert [each["track_id"] for _, each in rows] == poses.slot.tolist()
        for row, (_, each) in enumerate(rows):
            joints = np.array(each["keypoints"]).reshape(-1, 3)
            seen = poses.score[row] > 0
            assert np.array_equal(joints[:, 2], np.where(seen, 2, 0))
            assert np.array_equal(joints[:, :2], poses.xy_px[row])
            assert np.abs(np.array(each["keypoint_scores"]) - poses.score[row]).max() <= 5e-5
            assert each["num_keypoints"] == seen.sum()
            x, y = poses.xy_px[row][seen].T
            left, top, width, height = each["bbox"]
            assert (left, top) == (x.min(), y.min())
            assert (left + width, top + height) == (x.max(), y.max())
            assert each["area"] == pytest.approx(width * height, abs=0.05)
            assert each["score"] == pytest.approx(poses.score[row][seen].mean(), abs=1e-4)
            assert (each["category_id"], each["iscrowd"]) == (1, 0)


def test_pycocotools_reads_it(path: Path, found: dict[str, Any]) -> None:
    coco = pytest.importorskip("pycocotools.coco").COCO(str(path))
    assert coco.getCatIds(catNms=["person"]) == [1]
    assert len(coco.getImgIds()) == 60
    (image,) = (each["id"] for each in found["images"][3:4])
    assert len(coco.loadAnns(coco.getAnnIds(imgIds=image, iscrowd=False))) == 2


def test_no_file_of_its_own_is_left_beside_it(path: Path, tmp_path: Path) -> None:
    assert {each.name for each in tmp_path.iterdir()} == {"poses.zarr", "out.json"}
