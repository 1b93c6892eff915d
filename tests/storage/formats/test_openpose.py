"""OpenPose's JSON: which files are whose, orders of joints, units; what is wrong with bad ones."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from body_joints import body
from hypothesis import given, settings
from json_fuzz import mutated, read_or_refused

from posemill.errors import UnreadablePoses
from posemill.pipelines.import_sequence import to_sequence
from posemill.pipelines.import_settings import ImportSettings
from posemill.storage.formats.openpose import OpenposeFormat
from posemill.storage.formats.registry import create_format
from posemill.transforms.skeletons import BODY_25, COCO_17, COCO_18

SAMPLE = Path(__file__).parents[4] / "shared" / "poses" / "openpose_body25"
# poseParameters.cpp: COCO's 17, then these.
FEET = tuple(
    f"{side}_{part}" for side in ("left", "right") for part in ("big_toe", "small_toe", "heel")
)
BODY_25B = (*COCO_17.keypoints, "upper_neck", "head_top", *FEET)


def person(joints: np.ndarray, person_id: int | None = -1, key: str = "pose_keypoints_2d") -> Any:
    """As version 1.3 writes it."""
    found = {key: joints.ravel().tolist(), "face_keypoints_2d": [1.0, 2.0, 0.5] * 70}
    found |= {f"hand_{side}_keypoints_2d": [] for side in ("left", "right")}
    return found if person_id is None else {"person_id": [person_id], **found}


def frame(*people: Any) -> dict[str, Any]:
    return {"version": 1.3, "people": list(people)}


def body_25(x: float = 100.0, **told: Any) -> Any:
    return person(body(BODY_25.keypoints, x), **told)


def put(path: Path, value: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))
    return path


def put_frames(folder: Path, frames: Sequence[Any], name: str = "v_{:012d}_keypoints.json") -> Path:
    for number, value in enumerate(frames):
        put(folder / name.format(number), value)
    return folder


def ids(root: Path, **told: str) -> dict[str, str]:
    found = create_format("openpose", told).find(root)
    return {each.video_id: each.uri.removeprefix(f"{root}/") for each in found}


def test_a_folder_is_a_video_or_each_name_in_it(tmp_path: Path) -> None:
    put_frames(tmp_path / "a/one", [frame()] * 2)
    put_frames(tmp_path / "b", [frame()] * 2, "cam01.{:04d}.json")
    put_frames(tmp_path / "b", [frame()] * 3, "cam 2#_{:012d}_keypoints.json")
    put(tmp_path / "b" / "calibration.json", {})
    put(tmp_path / "b" / ".9.json", {})
    assert ids(tmp_path) == {"a/one": "a/one", "b": "b"}
    assert ids(tmp_path, video_is="name") == {
        "a/one/v": "a/one#v",
        "b/cam 2#": "b#cam%202%23",
        "b/cam01": "b#cam01",
    }
    named = OpenposeFormat(video_is="name")
    assert [path.name for path in named.files(f"{tmp_path}/b#cam01")] == [
        "cam01.0000.json",
        "cam01.0001.json",
    ]
    assert named.read(f"{tmp_path}/b#cam%202%23").num_frames == 3
    with pytest.raises(UnreadablePoses, match=r"frame 0, as cam.*give --set video_is=name"):
        OpenposeFormat().read(str(tmp_path / "b"))
    (one,) = OpenposeFormat().find(tmp_path / "b" / "calibration.json")
    assert one.video_id == "calibration"


def test_gaps_between_the_numbers_are_frames_without_people(tmp_path: Path) -> None:
    for number, value in (
        (9, frame(body_25(30))),
        (10, frame(body_25(10), body_25(20))),
        (12, frame()),
    ):
        put(tmp_path / f"v_{number}_keypoints.json", value)
    found = OpenposeFormat(first_frame=8).read(str(tmp_path))
    assert found.num_frames == 5
    assert found.frame.tolist() == [1, 2, 2]
    assert found.xy_px[:, 0, 0].tolist() == [30, 10, 20]
    assert (found.track, found.size_wh, found.fps) == (None, None, None)
    with pytest.raises(UnreadablePoses, match=r"v_9_keypoints\.json: .*first_frame=10.*got 9"):
        OpenposeFormat(first_frame=10).read(str(tmp_path))


@pytest.mark.parametrize(
    ("told", "names", "skeleton"),
    [
        ("body-25", BODY_25.keypoints, BODY_25),
        ("body-25b", BODY_25B, COCO_17),
        ("coco-18", COCO_18.keypoints, COCO_18),
    ],
)
def test_joints_are_those_of_their_names(
    tmp_path: Path, told: Any, names: tuple[str, ...], skeleton: Any
) -> None:
    joints = body(names)
    joints[3] = 0
    put_frames(tmp_path, [frame(person(joints))])
    given = OpenposeFormat(joints=told)
    assert given.skeleton == skeleton.name
    found = given.read(str(tmp_path))
    assert found.score[0].tolist() == [
        0.0 if joint == 3 else 0.5 for joint in range(len(skeleton.keypoints))
    ]
    expected = body(skeleton.keypoints)
    expected[3] = 0
    np.testing.assert_array_equal(found.xy_px[0], expected[:, :2].astype(np.float32))


def test_the_other_order_of_25_joints_is_refused(tmp_path: Path) -> None:
    put_frames(tmp_path / "25", [frame(body_25())])
    put_frames(tmp_path / "25b", [frame(person(body(BODY_25B)))])
    for told, other in (("25", "25b"), ("25b", "25")):
        with pytest.raises(UnreadablePoses, match=rf"times as long.*--set joints=body-{told}$"):
            OpenposeFormat(joints=f"body-{other}").read(str(tmp_path / told))  # type: ignore[arg-type]
    face = body(BODY_25.keypoints)
    face[8:15] = face[2:8] = face[19:] = 0  # too little to tell
    put_frames(tmp_path / "face", [frame(person(face))])
    for joints in ("body-25", "body-25b"):
        assert OpenposeFormat(joints=joints).read(str(tmp_path / "face")).num_frames == 1  # type: ignore[arg-type]


def test_old_keys_and_people_without_a_body(tmp_path: Path) -> None:
    nobody = person(np.zeros((18, 3)))
    hands = {**nobody, "pose_keypoints_2d": []}
    old = person(body(COCO_18.keypoints, 7), None, "pose_keypoints")
    put_frames(tmp_path, [frame(nobody, hands, old)])
    found = OpenposeFormat(joints="coco-18").read(str(tmp_path))
    assert found.xy_px[:, 0, 0].tolist() == [7]
    assert found.track is None


def test_a_peak_above_1_is_sure(tmp_path: Path) -> None:
    put_frames(tmp_path, [frame(person(body(BODY_25.keypoints, c=1.03)))])
    assert OpenposeFormat().read(str(tmp_path)).score.tolist() == [[1.0] * 25]


def test_tracks_count_where_everybody_has_one(tmp_path: Path) -> None:
    put_frames(
        tmp_path,
        [frame(body_25(1, person_id=4), body_25(2, person_id=0)), frame(body_25(3, person_id=4))],
    )
    assert OpenposeFormat().read(str(tmp_path)).track.tolist() == [4, 0, 4]
    put_frames(tmp_path, [frame(body_25())])
    assert OpenposeFormat().read(str(tmp_path)).track is None


def test_parts_of_the_frame_become_pixels(tmp_path: Path) -> None:
    """keypointScaler.cpp divides by the size less one, so that 1 is the last pixel."""
    joints = body(BODY_25.keypoints)
    joints[1] = 0
    last = np.array([640, 480]) - 1
    for scale, xy in (
        ("0-to-1", joints[:, :2] / last),
        ("minus-1-to-1", joints[:, :2] / last * 2 - 1),
    ):
        put_frames(tmp_path / scale, [frame(person(np.column_stack([xy, joints[:, 2]])))])
        given = OpenposeFormat(keypoint_scale=scale)  # type: ignore[arg-type]
        poses = to_sequence(
            given.read(str(tmp_path / scale)), ImportSettings(given, (640, 480), 25.0)
        )
        seen = joints[:, 2] > 0
        np.testing.assert_allclose(poses.xy_px[0][seen], joints[seen, :2], atol=1e-3)
        assert poses.score[0, 1] == 0


def test_a_file_may_hold_all_frames(tmp_path: Path) -> None:
    frames = [frame(body_25(1)), frame(), frame(body_25(2), body_25(3))]
    put(tmp_path / "list.json", frames)
    put(
        tmp_path / "named.mp4.json",
        {f"x_{n:012d}_keypoints.json": each for n, each in enumerate(frames)},
    )
    put(tmp_path / "one.json", frames[2])
    given = OpenposeFormat(files_are="videos")
    found = {each.video_id: given.read(each.uri) for each in given.find(tmp_path)}
    assert {name: each.num_frames for name, each in found.items()} == {
        "list": 3,
        "named": 3,
        "one": 1,
    }
    for name in ("list", "named"):
        assert found[name].frame.tolist() == [0, 2, 2]
        assert found[name].xy_px[:, 0, 0].tolist() == [1, 2, 3]
    assert found["one"].xy_px[:, 0, 0].tolist() == [2, 3]


def changed(**changes: Any) -> dict[str, Any]:
    return frame(body_25(), {**body_25(), **changes})


def numbers(place: int, value: Any) -> dict[str, Any]:
    keypoints = body_25()["pose_keypoints_2d"]
    keypoints[place] = value
    return changed(pose_keypoints_2d=keypoints)


BAD = {
    "no frame": ([1], r'expected {"people": \[...\]}, got \[1\]; .*files_are=videos'),
    "people of no list": ({"people": 3}, "expected a list of people, got 3"),
    "nobody's keys": (
        {"people": [{"id": 1}]},
        r"people\[0\]: expected an object with pose_keypoints",
    ),
    "no object": ({"people": [[1]]}, r"people\[0\]: expected an object"),
    "a joint too few": (
        changed(pose_keypoints_2d=[0] * 72),
        "expected 75 numbers.*got 72; .*coco-18",
    ),
    "coco-18": (changed(pose_keypoints_2d=[0] * 54), "expected 75 numbers.*got 54; .*coco-18"),
    "text": (numbers(5, "1"), r"people\[1\]: a keypoint is no number: '1'"),
    "null": (numbers(5, None), "a keypoint is no number: None"),
    "NaN": (numbers(5, float("nan")), "NaN is no number"),
    "far away": (numbers(0, 1e7), "a joint is at 10000000.0 px"),
    "c far above 1": (numbers(2, 2.5), "c is from 0.5 to 2.5; expected 0 to 2"),
    "a person_id of text": (changed(person_id=["7"]), "person_id must be a whole number"),
    "two person_ids": (changed(person_id=[1, 2]), "person_id must be a whole number"),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_bad_frame_is_named(tmp_path: Path, fault: str) -> None:
    value, message = BAD[fault]
    put_frames(tmp_path, [frame(), value])
    with pytest.raises(UnreadablePoses, match=message) as caught:
        OpenposeFormat().read(str(tmp_path))
    assert str(caught.value).startswith(str(tmp_path / "v_000000000001_keypoints.json"))


GOOD = [
    frame(body_25(1, person_id=3), body_25(200)),
    frame(),
    frame(person(body(BODY_25.keypoints), None)),
]


@settings(max_examples=50)
@given(data=mutated(GOOD[0]), every=mutated(GOOD))
def test_any_file_is_poses_or_a_named_fault(
    data: bytes, every: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("fuzz")
    (root / "a_1_keypoints.json").write_bytes(data)
    read_or_refused(OpenposeFormat(), root)
    (root / "a_1_keypoints.json").write_bytes(every)
    read_or_refused(OpenposeFormat(files_are="videos"), root)


@pytest.mark.skipif(not SAMPLE.is_dir(), reason="the real files are in ../shared only")
def test_real_files_of_body_25b() -> None:
    """Their folder calls them BODY_25, and they are BODY_25B."""
    with pytest.raises(UnreadablePoses, match="give --set joints=body-25b"):
        OpenposeFormat().read(str(SAMPLE))
    given = OpenposeFormat(joints="body-25b")
    (source,) = given.find(SAMPLE)
    found = given.read(source.uri)
    assert found.num_frames == 40
    assert found.track is None
    assert np.bincount(found.frame).tolist() == [2] * 37 + [3, 2, 2]
    assert found.xy_px[0, 0].tolist() == pytest.approx([505.232, 431.63])
    assert found.score[0, 16] == pytest.approx(0.658113)
