"""ST-GCN's JSON: parts of the frame, frames from 0 or 1, and what is wrong with bad files."""

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
from posemill.storage.formats.kinetics_skeleton import KineticsSkeletonFormat
from posemill.transforms.skeletons import COCO_18


def person(x: float = 100.0, size_wh: tuple[int, int] = (340, 256)) -> dict[str, list[float]]:
    """As json_pack of ST-GCN writes it; the neck was not found."""
    joints = body(COCO_18.keypoints, x)
    joints[1] = 0
    return {"pose": (joints[:, :2] / size_wh).ravel().tolist(), "score": joints[:, 2].tolist()}


def frame(number: int, *people: Any) -> dict[str, Any]:
    return {"frame_index": number, "skeleton": list(people)}


def video(*frames: Any) -> dict[str, Any]:
    return {"data": list(frames), "label": "testifying", "label_index": 354}


def put(path: Path, value: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))
    return path


def test_ids_are_paths_and_labels_are_no_videos(tmp_path: Path) -> None:
    for name in ("kinetics_train/---QUuC4vJs", "kinetics_val/a_label", "b.mp4"):
        put(tmp_path / f"{name}.json", video())
    put(tmp_path / "kinetics_train_label.json", {})
    found = KineticsSkeletonFormat().find(tmp_path)
    assert {each.video_id for each in found} == {
        "kinetics_train/---QUuC4vJs",
        "kinetics_val/a_label",
        "b",
    }
    (one,) = KineticsSkeletonFormat().find(tmp_path / "b.mp4.json")
    assert (one.video_id, one.uri) == ("b", str(tmp_path / "b.mp4.json"))


def test_parts_of_the_frame_become_pixels(tmp_path: Path) -> None:
    """The published files count from 1, list frames without people, and follow nobody."""
    path = put(tmp_path / "x.json", video(frame(1), frame(2, person(50), person(200)), frame(3)))
    found = KineticsSkeletonFormat().read(str(path))
    assert (found.num_frames, found.frame.tolist()) == (3, [1, 1])
    assert (found.size_wh, found.fps, found.track) == ((340, 256), 30.0, None)
    assert found.score[0].tolist() == [0.5, 0.0] + [0.5] * 16
    for row, x in enumerate((50, 200)):
        expected = body(COCO_18.keypoints, x)[:, :2]
        expected[1] = 0
        np.testing.assert_allclose(found.xy_px[row], expected, atol=1e-4)


def test_frames_in_any_order_from_0(tmp_path: Path) -> None:
    """A folder lists its files in any order, and OpenPose counts from 0."""
    frames = video(frame(2, person(30)), frame(0, person(10)), frame(1, person(20)))
    path = put(tmp_path / "x.json", frames)
    found = KineticsSkeletonFormat().read(str(path))
    assert found.num_frames == 3
    np.testing.assert_allclose(found.xy_px[:, 0, 0], [10, 20, 30], atol=1e-4)
    with pytest.raises(UnreadablePoses, match="has a frame 0; expected frames from first_frame=1"):
        KineticsSkeletonFormat(first_frame="1").read(str(path))
    put(path, video(frame(3, person())))
    assert KineticsSkeletonFormat(first_frame="0").read(str(path)).frame.tolist() == [3]
    assert KineticsSkeletonFormat().read(str(path)).frame.tolist() == [2]


def test_other_sizes_and_rates_are_told(tmp_path: Path) -> None:
    path = put(tmp_path / "x.json", video(frame(0, person(500, (1920, 1080)))))
    given = KineticsSkeletonFormat(size_wh=(1920, 1080), fps=25.0)
    found = given.read(str(path))
    assert (found.size_wh, found.fps) == ((1920, 1080), 25.0)
    assert found.xy_px[0, 0].tolist() == pytest.approx([500, 100])


def test_a_video_without_people_or_frames(tmp_path: Path) -> None:
    path = put(tmp_path / "x.json", video(frame(1), frame(2)))
    assert KineticsSkeletonFormat().read(str(path)).num_frames == 2
    assert KineticsSkeletonFormat().read(str(put(path, video()))).num_frames == 0


BAD = {
    "no data": ({"label": "x"}, r'expected {"data": \[FRAME, ...\], ...}, got no such list'),
    "data of no list": ({"data": {"1": []}}, r'expected {"data": \[FRAME, ...\], ...}'),
    "a list": ([frame(1)], r'expected {"data": \[FRAME'),
    "a frame of no object": (video(3), r'data\[0\]: expected {"frame_index": NUMBER'),
    "no skeleton": (video({"frame_index": 1}), r'data\[0\]: expected {"frame_index": NUMBER'),
    "a number of text": (video(frame("1")), r"data\[0\]: expected the number of a frame.*'1'"),
    "a number below 0": (video(frame(-1)), r"data\[0\]: expected the number of a frame.*-1"),
    "a frame twice": (video(frame(1), frame(1)), r"data\[1\]: is of frame 1, as .*data\[0\] is"),
    "nobody": (video(frame(1, 5)), r"data\[0\].skeleton\[0\]: expected an object, got 5"),
    "few joints": (
        video(frame(1, person(), {**person(), "pose": [0.5] * 34})),
        r"skeleton\[1\].pose: expected 36 numbers, x and y of 18 joints, got 34",
    ),
    "no score": (video(frame(1, {"pose": [0.5] * 36})), r"score: expected 18 numbers.*got None"),
    "pixels": (video(frame(1, {**person(), "pose": [4e3] * 36})), "a joint is at 1360000.0 px"),
    "text": (video(frame(1, {**person(), "score": ["1"] * 18})), "a keypoint is no number: '1'"),
    "infinite": (
        video(frame(1, {**person(), "pose": [float("inf")] * 36})),
        "Infinity is no number",
    ),
    "scores far above 1": (video(frame(1, {**person(), "score": [99.0] * 18})), "c is from 99.0"),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_bad_file_is_named(tmp_path: Path, fault: str) -> None:
    value, message = BAD[fault]
    path = put(tmp_path / "x.json", value)
    with pytest.raises(UnreadablePoses, match=message) as caught:
        KineticsSkeletonFormat().read(str(path))
    assert str(caught.value).startswith(str(path))


@settings(max_examples=50)
@given(data=mutated(video(frame(1, person(), person(9)), frame(3), frame(2, person()))))
def test_any_file_is_poses_or_a_named_fault(
    data: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("fuzz")
    (root / "x.json").write_bytes(data)
    read_or_refused(KineticsSkeletonFormat(), root)
