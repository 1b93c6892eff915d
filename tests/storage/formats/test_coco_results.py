"""COCO results without images: an image_id a frame; what is wrong with bad files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from body_joints import body
from hypothesis import given, settings
from json_fuzz import mutated, read_or_refused

from posemill.errors import UnreadablePoses
from posemill.storage.formats.coco_results import CocoResultsFormat
from posemill.transforms.skeletons import COCO_17, COCO_18


def result(number: Any, x: float = 100.0, c: float = 0.5, **told: Any) -> dict[str, Any]:
    keypoints = body(COCO_17.keypoints, x, c=c).ravel().tolist()
    return {"image_id": number, "category_id": 1, "keypoints": keypoints, "score": 0.9, **told}


def put(path: Path, value: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))
    return path


def test_a_file_is_a_video_and_an_image_a_frame(tmp_path: Path) -> None:
    path = put(
        tmp_path / "a" / "b.mp4.json", [result(3, 30), result(1, 10), result("x_03.jpg", 40)]
    )
    given = CocoResultsFormat(first_frame=1)
    (source,) = given.find(tmp_path)
    assert (source.video_id, source.uri) == ("a/b", str(path))
    found = given.read(source.uri)
    assert (found.num_frames, found.frame.tolist()) == (3, [0, 2, 2])
    assert found.xy_px[:, 0, 0].tolist() == [10, 30, 40]
    assert found.score.tolist() == [[0.5] * 17] * 3
    assert (found.size_wh, found.fps, found.track) == (None, None, None)
    assert [each.uri for each in given.find(path)] == [str(path)]


def test_other_joints_and_tracks_are_taken_as_told(tmp_path: Path) -> None:
    joints = body(COCO_18.keypoints)
    joints[1] = 0
    value = [result(0, keypoints=joints.ravel().tolist(), track_id=4), result(1, category_id=2)]
    found = CocoResultsFormat(joints="coco-18").read(str(put(tmp_path / "x.json", value)))
    np.testing.assert_array_equal(found.xy_px[0], joints[:, :2])
    assert found.track.tolist() == [4]
    assert found.num_frames == 2


BAD = {
    "annotations": (
        {"images": []},
        "expected a list of results, got an object of 'images'; .*coco-k",
    ),
    "a number": ([3], r"\[0\]: expected an object, got 3"),
    "no image": ([{"keypoints": [0] * 51}], r"\[0\]: expected the number of a frame"),
    "an image of no number": ([result("x")], r"\[0\]: expected the number of a frame"),
    "an image of a part": ([result(1.5)], r"\[0\]: expected the number of a frame.*1.5"),
    "few joints": (
        [result(0), result(1, keypoints=[0] * 54)],
        r"\[1\]: expected 51 numbers.*got 54",
    ),
    "c above 1": ([result(0, c=2)], r"\[0\]: c is from 2.0 to 2.0; expected 0 to 1"),
    "infinity": ([result(0, c=float("inf"))], r"\[0\]: Infinity is no number"),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_bad_file_is_named(tmp_path: Path, fault: str) -> None:
    value, message = BAD[fault]
    path = put(tmp_path / "x.json", value)
    with pytest.raises(UnreadablePoses, match=message) as caught:
        CocoResultsFormat().read(str(path))
    assert str(caught.value).startswith(str(path))


@settings(max_examples=50)
@given(data=mutated([result(0), result("1.jpg", track_id=1), result(2, category_id=2)]))
def test_any_file_is_poses_or_a_named_fault(
    data: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("fuzz")
    (root / "x.json").write_bytes(data)
    read_or_refused(CocoResultsFormat(), root)
