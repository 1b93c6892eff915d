"""AlphaPose's JSON in three forms: frames, tracks and scores; what is wrong with bad files."""

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
from posemill.storage.formats.alphapose import AlphaposeFormat
from posemill.transforms.skeletons import COCO_17, COCO_18


def entry(image: Any, x: float = 100.0, c: float = 0.5, **told: Any) -> dict[str, Any]:
    """As write_json writes it without --format."""
    keypoints = body(COCO_17.keypoints, x, c=c).ravel().tolist()
    found = {"image_id": image, "category_id": 1, "keypoints": keypoints, "score": 2.9}
    return {**found, "box": [1.0, 2.0, 3.0, 4.0], **told}


def by_image(form: str, people: dict[str, list[float]]) -> dict[str, Any]:
    """As write_json writes it with --format cmu or open: somebody at each x."""
    each, joints = {"cmu": ("bodies", "joints"), "open": ("people", "pose_keypoints_2d")}[form]
    return {
        image: {
            "version": "AlphaPose v0.3",
            each: [{joints: body(COCO_18.keypoints, x).ravel().tolist()} for x in xs],
        }
        for image, xs in people.items()
    }


def put(path: Path, value: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))
    return path


def test_the_folder_of_results_is_the_video(tmp_path: Path) -> None:
    for name in ("a/one/alphapose-results", "a/one/sep-json/0", "a/two.mp4", "three", ".h/x"):
        put(tmp_path / f"{name}.json", [])
    found = AlphaposeFormat().find(tmp_path)
    assert {each.video_id: each.uri.removeprefix(f"{tmp_path}/") for each in found} == {
        "a/one": "a/one/alphapose-results.json",
        "a/two": "a/two.mp4.json",
        "three": "three.json",
    }
    (one,) = AlphaposeFormat().find(tmp_path / "three.json")
    assert (one.video_id, one.uri) == ("three", str(tmp_path / "three.json"))


def test_frames_are_those_of_the_images(tmp_path: Path) -> None:
    listed = [entry("10.jpg", 30), entry("9.jpg", 10), entry("9.jpg", 20), entry("12.jpg", 40)]
    found = AlphaposeFormat().read(str(put(tmp_path / "x.json", listed)))
    assert (found.num_frames, found.frame.tolist()) == (13, [9, 9, 10, 12])
    assert found.xy_px[:, 0, 0].tolist() == [10, 20, 30, 40]
    assert (found.size_wh, found.fps, found.track) == (None, None, None)
    np.testing.assert_array_equal(found.xy_px[0], body(COCO_17.keypoints, 10)[:, :2])
    shifted = AlphaposeFormat(first_frame=9).read(str(tmp_path / "x.json"))
    assert (shifted.num_frames, shifted.frame.tolist()) == (4, [0, 0, 1, 3])
    path = put(tmp_path / "x.json", [entry("frame_0002.png"), entry(3)])  # pictures; --eval
    assert AlphaposeFormat().read(str(path)).frame.tolist() == [2, 3]


@pytest.mark.parametrize("form", ["cmu", "open"])
def test_the_other_forms_have_18_joints(tmp_path: Path, form: str) -> None:
    path = put(tmp_path / "x.json", by_image(form, {"0.jpg": [10, 20], "2.jpg": [30]}))
    given = AlphaposeFormat(joints="coco-18")
    assert given.skeleton == "coco-18"
    found = given.read(str(path))
    assert (found.num_frames, found.frame.tolist()) == (3, [0, 0, 2])
    np.testing.assert_array_equal(found.xy_px[2], body(COCO_18.keypoints, 30)[:, :2])
    with pytest.raises(UnreadablePoses, match=r"got 54; .*see --set joints"):
        AlphaposeFormat().read(str(path))


@pytest.mark.parametrize("num_joints", [26, 133, 136])
def test_of_more_joints_the_body_is_taken(tmp_path: Path, num_joints: int) -> None:
    more = [9.0, 9.0, 0.9] * (num_joints - 17)
    whole = entry("0.jpg")
    path = put(tmp_path / "x.json", [{**whole, "keypoints": whole["keypoints"] + more}])
    found = AlphaposeFormat().read(str(path))
    np.testing.assert_array_equal(found.xy_px[0], body(COCO_17.keypoints)[:, :2])


def test_heights_of_heat_maps_are_cut(tmp_path: Path) -> None:
    """doc/output.md: c is from 0 to 6 for COCO."""
    listed = [entry("0.jpg", c=5.8), entry("1.jpg", c=-0.01)]
    found = AlphaposeFormat().read(str(put(tmp_path / "x.json", listed)))
    assert found.score.tolist() == [[1.0] * 17]
    assert found.num_frames == 2


def test_tracks_are_those_of_trackers(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    tracked = [entry("0.jpg", idx=2), entry("0.jpg", idx=1), entry("1.jpg", idx=2)]
    assert AlphaposeFormat().read(str(put(path, tracked))).track.tolist() == [2, 1, 2]
    merged = [entry("0.jpg", idx=[[3.0], [5.0]]), entry("0.jpg", idx=[4.0])]
    assert AlphaposeFormat().read(str(put(path, merged))).track.tolist() == [3, 4]
    for untracked in ([0.0], [[0.0], [0.0]], 0, None):
        alone = [entry("0.jpg", idx=untracked), entry("1.jpg", idx=untracked)]
        assert AlphaposeFormat().read(str(put(path, alone))).track is None


def test_only_people_count(tmp_path: Path) -> None:
    path = put(tmp_path / "x.json", [entry("0.jpg", 1, category_id=2), entry("0.jpg", 2)])
    assert AlphaposeFormat().read(str(path)).xy_px[:, 0, 0].tolist() == [2]


BAD = {
    "no entry": ([3], r"\[0\]: expected {.image_id.*got 3"),
    "no keypoints": ([{"image_id": "0.jpg"}], r"\[0\]: expected {.image_id"),
    "few joints": (
        [entry("0.jpg"), entry("1.jpg", keypoints=[1.0] * 48)],
        r"\[1\]: expected 51 or 78 or 399 or 408 numbers.*got 48",
    ),
    "an image of no number": ([entry("a.jpg")], r"\[0\]: expected the number of a frame.*None"),
    "an image below the first": ([entry(-1)], r"\[0\]: expected the number of a frame.*-1"),
    "an image of digits without end": ([entry("1" * 5000)], "expected the number of a frame"),
    "no idx": ([entry("0.jpg", idx="1")], "idx must be a whole number from 0, got '1'"),
    "half an idx": ([entry("0.jpg", idx=1.5)], "idx must be a whole number from 0, got 1.5"),
    "c of pixels": ([entry("0.jpg", c=200.0)], r"c is from 200.0 to 200.0; expected -1 to 10"),
    "NaN": ([entry("0.jpg", c=float("nan"))], "NaN is no number"),
    "no people": ({"0.jpg": {"version": 1}}, '0.jpg: expected {"bodies"'),
    "people of no list": ({"0.jpg": {"bodies": 1}}, '0.jpg: expected {"bodies"'),
    "nobody": ({"0.jpg": {"people": [{}]}}, r"0.jpg.people\[0\]: expected an object with pose_key"),
    "an image of a list": ({"0.jpg": [1]}, r'0.jpg\[0\]: expected {"bodies"'),
    "an image twice": (
        '{"0.jpg": {"bodies": []}, "0.jpg": {"bodies": []}}',
        "key '0.jpg' is there",
    ),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_bad_file_is_named(tmp_path: Path, fault: str) -> None:
    value, message = BAD[fault]
    path = put(tmp_path / "x.json", value)
    if isinstance(value, str):
        path.write_text(value)
    with pytest.raises(UnreadablePoses, match=message) as caught:
        AlphaposeFormat().read(str(path))
    assert str(caught.value).startswith(str(path))
    assert len(str(caught.value)) < len(str(path)) + 300


LISTED = [entry("0.jpg", idx=1), entry("0.jpg", 20, idx=[2.0]), entry("2.jpg", idx=[[1.0], [2.0]])]


@settings(max_examples=50)
@given(listed=mutated(LISTED), images=mutated(by_image("cmu", {"0.jpg": [1, 2], "1.jpg": []})))
def test_any_file_is_poses_or_a_named_fault(
    listed: bytes, images: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("fuzz")
    (root / "x.json").write_bytes(listed)
    read_or_refused(AlphaposeFormat(), root)
    (root / "x.json").write_bytes(images)
    read_or_refused(AlphaposeFormat(joints="coco-18"), root)
