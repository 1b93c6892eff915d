"""COCO keypoints: videos in one file, visibility and confidence; what is wrong with bad files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from body_joints import body
from export_stores import make_pose_store, run_export
from hypothesis import given, settings
from json_fuzz import mutated, read_or_refused

from posemill.errors import UnreadablePoses
from posemill.storage.formats import coco_file
from posemill.storage.formats.base import SourcePoses
from posemill.storage.formats.coco_keypoints import CocoKeypointsFormat
from posemill.storage.formats.registry import create_format
from posemill.transforms.skeletons import COCO_17

REAL = Path(__file__).parents[4] / "shared" / "poses" / "coco" / "test_coco.json"
PERSON = {"id": 1, "name": "person", "keypoints": list(COCO_17.keypoints), "skeleton": [[16, 14]]}


def image(number: Any, name: str, size_wh: tuple[int, int] = (640, 480)) -> dict[str, Any]:
    return {"id": number, "file_name": name, "width": size_wh[0], "height": size_wh[1]}


def person(number: Any, x: float = 100.0, v: float = 2, **told: Any) -> dict[str, Any]:
    """As the ground truth has it, of an image."""
    keypoints = body(COCO_17.keypoints, x, c=v).ravel().tolist()
    found = {"image_id": number, "category_id": 1, "keypoints": keypoints, "iscrowd": 0}
    return {**found, "num_keypoints": 17, "bbox": [1, 2, 3, 4], "segmentation": [[1, 2]], **told}


def truth(images: list[Any], annotations: list[Any], **told: Any) -> dict[str, Any]:
    return {"images": images, "annotations": annotations, "categories": [PERSON], **told}


def put(path: Path, value: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))
    return path


def read(root: Path, **told: str) -> dict[str, SourcePoses]:
    given = create_format("coco-keypoints", told)
    return {source.video_id: given.read(source.uri) for source in given.find(root)}


NAMES = ("wave/b/10.jpg", "wave/b/9.jpg", "wave/b/11.jpg", "wave/c#d/0.jpg")


def test_images_of_a_folder_are_a_video(tmp_path: Path) -> None:
    images = [image(number, name) for number, name in enumerate(NAMES)]
    annotations = [person(0, 20), person(1, 10), person(3, 40), person(0, 30)]
    path = put(tmp_path / "notes" / "val.json", truth(images, annotations))
    found = read(tmp_path)
    assert {name: each.num_frames for name, each in found.items()} == {"wave/b": 3, "wave/c#d": 1}
    waved = found["wave/b"]
    assert waved.frame.tolist() == [0, 1, 1]  # 9, 10; nobody is in 11
    assert waved.xy_px[:, 0, 0].tolist() == [10, 20, 30]
    assert (waved.size_wh, waved.fps, waved.track) == ((640, 480), None, None)
    given = CocoKeypointsFormat()
    uri = f"{path}#wave%2Fc%23d"
    assert [each.uri for each in given.find(path)] == [f"{path}#wave%2Fb", uri]
    assert given.files(uri) == [path]
    assert given.look(uri).num_bytes == path.stat().st_size // 2


def test_videos_are_told_by_other_parts_of_the_names(tmp_path: Path) -> None:
    names = ("a/x_01.jpg", "a/x_02.jpg", "a/y-1.jpg", "a/7.jpg")
    put(tmp_path / "n" / "t.json", truth([image(n, name) for n, name in enumerate(names)], []))
    for videos, expected in (
        ("folders", {"a": 4}),
        ("names", {"a/x": 2, "a/y": 1, "a": 1}),
        ("images", {"a/x_01": 1, "a/x_02": 1, "a/y-1": 1, "a/7": 1}),
        ("file", {"n/t": 4}),
    ):
        found = read(tmp_path, videos=videos)
        assert {name: each.num_frames for name, each in found.items()} == expected
    flat = put(tmp_path / "flat.json", truth([image(1, r".\0001.jpg"), image(2, "/0002.jpg")], []))
    assert list(read(flat)) == ["flat"]


def test_visibility_is_no_confidence(tmp_path: Path) -> None:
    seen = person(1, 10)
    seen["keypoints"][2::3] = [0, 1, 2] + [2] * 14
    put(tmp_path / "t.json", truth([image(1, "a/1.jpg")], [seen]))
    found = read(tmp_path)["a"]
    assert found.score[0].tolist() == [0, 1, 1] + [1] * 14
    assert found.xy_px[0, :2].tolist() == [[0, 0], [14, 96]]  # whole pixels from 0, as they are
    sure = {**seen, "keypoint_scores": [0.5] * 16 + [0.25]}
    put(tmp_path / "t.json", truth([image(1, "a/1.jpg")], [sure]))
    assert read(tmp_path)["a"].score[0].tolist() == [0] + [0.5] * 15 + [0.25]


def test_crowds_boxes_and_others_are_nobody(tmp_path: Path) -> None:
    none = [
        person(1, iscrowd=1),
        person(1, category_id=2),
        person(1, keypoints=[0] * 51, num_keypoints=0),
        {"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]},
    ]
    put(tmp_path / "t.json", truth([image(1, "a/1.jpg")], [*none, person(1, 7)]))
    assert read(tmp_path)["a"].xy_px[:, 0, 0].tolist() == [7]
    categories = [{"id": 1, "name": "ball"}, {**PERSON, "id": 2}]
    put(tmp_path / "t.json", truth([image(1, "a/1.jpg")], none, categories=categories))
    assert len(read(tmp_path)["a"].score) == 1
    put(tmp_path / "t.json", truth([image("1", "a/1.jpg")], [person("1")], categories=[]))
    assert len(read(tmp_path)["a"].score) == 1


def test_tracks_count_where_everybody_has_one(tmp_path: Path) -> None:
    images = [image(1, "a/1.jpg"), image(2, "a/2.jpg")]
    tracked = [person(2, 3, track_id=5), person(1, 1, track_id=5), person(1, 2, track_id=0)]
    put(tmp_path / "t.json", truth(images, tracked))
    assert read(tmp_path)["a"].track.tolist() == [5, 0, 5]
    put(tmp_path / "t.json", truth(images, [*tracked, person(2, 4)]))
    assert read(tmp_path)["a"].track is None


def test_results_take_their_images_from_another_file(tmp_path: Path) -> None:
    put(tmp_path / "gt.json", truth([image(3, "a/1.jpg"), image(4, "b/1.jpg")], [person(3)]))
    results = [
        {"image_id": 4, "category_id": 1, "keypoints": person(4, 9, 0.75)["keypoints"], "score": 1}
    ]
    path = put(tmp_path / "results.json", results)
    found = read(tmp_path, images="gt.json")
    assert {name: len(each.score) for name, each in found.items()} == {"a": 0, "b": 1}
    assert found["b"].score[0].tolist() == [0.75] * 17
    assert found["b"].size_wh == (640, 480)
    given = CocoKeypointsFormat(images="gt.json")
    assert given.files(f"{path}#b") == [path, tmp_path / "gt.json"]
    with pytest.raises(
        UnreadablePoses, match=r"results\.json: is a list of results, .*images=FILE"
    ):
        read(path)


def test_a_fault_in_one_video_leaves_the_others(tmp_path: Path) -> None:
    images = [
        image(1, "a/1.jpg"),
        image(2, "b/1.jpg"),
        image(3, "c/1.jpg"),
        image(4, "c/2.jpg", (9, 9)),
    ]
    path = put(tmp_path / "t.json", truth(images, [person(1), person(2, keypoints=[1] * 50)]))
    given = CocoKeypointsFormat()
    assert len(given.read(f"{path}#a").score) == 1
    for video, fault in (
        ("b", r"t.json, annotations\[1\]: expected 51 numbers.*got 50"),
        ("c", r"images of c have 2 sizes, such as \(9, 9\) and \(640, 480\)"),
        ("d", "lists no image of 'd' any more"),
    ):
        with pytest.raises(UnreadablePoses, match=fault):
            given.read(f"{path}#{video}")


def test_a_file_is_read_once_for_its_videos(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = [image(n, f"{n}/1.jpg") for n in range(20)]
    path = put(tmp_path / "t.json", truth(images, [person(n, n) for n in range(20)]))
    opened = list[Path]()
    real = Path.open
    monkeypatch.setattr(
        Path, "open", lambda path, *a, **k: opened.append(path) or real(path, *a, **k)
    )
    found = read(path)
    assert [found[str(n)].xy_px[0, 0, 0] for n in range(20)] == list(range(20))
    assert opened.count(path) == 2  # its images, then its annotations
    put(path, truth(images[:1], [person(0, 55)]))
    assert read(path)["0"].xy_px[0, 0, 0] == 55


IMAGES = [image(1, "a/1.jpg"), image(2, "a/2.jpg")]
BAD = {
    "no images": ({"annotations": []}, 'expected COCO\'s {"images"'),
    "no annotations": ({"images": IMAGES}, 'expected COCO\'s {"images"'),
    "an image of no object": (truth([3], []), r"images\[0\]: expected {.id.: NUMBER.*got 3"),
    "an image without a name": (truth([{"id": 1}], []), r"images\[0\]: expected {.id"),
    "an image without a size": (truth([{"id": 1, "file_name": "a"}], []), r"images\[0\]: expected"),
    "a size of nothing": (truth([image(1, "a", (0, 9))], []), r"images\[0\]: expected"),
    "an id twice": (truth([IMAGES[0], image(1, "b")], []), r"images\[1\]: has the id 1, as"),
    "an image twice": (
        truth([IMAGES[0], image(2, "a/1.jpg")], []),
        "lists the image a/1.jpg twice",
    ),
    "a path that climbs": (
        truth([image(1, "../a/1.jpg")], []),
        r"images\[0\]: .*plain relative path",
    ),
    "an unknown image": (
        truth(IMAGES, [person(7)]),
        r"annotations\[0\]: .*is listed, got the image 7",
    ),
    "no image": (truth(IMAGES, [{"id": 1}]), r"annotations\[0\]: .*got the image None"),
    "an annotation of no object": (truth(IMAGES, [3]), r"annotations\[0\]: .*got the image None"),
    "boxes alone": (
        truth(IMAGES, [{"image_id": 1, "category_id": 1}]),
        "has 1 annotations, none with keypoints",
    ),
    "other joints": (
        truth(IMAGES, [], categories=[{**PERSON, "keypoints": ["nose", "neck"]}]),
        "has the joints nose, neck; expected those of coco-17; .*--set joints",
    ),
    "two kinds of joints": (
        truth(IMAGES, [], categories=[PERSON, {"id": 2, "keypoints": ["nose"]}]),
        "categories have different joints",
    ),
    "a category of no object": (truth(IMAGES, [], categories=[1]), r"categories\[0\]: expected"),
    "a confidence as v": (
        truth(IMAGES, [person(1, v=0.5)]),
        r"\[0\]: v is 0.5; expected 0, 1 or 2",
    ),
    "v of 3": (truth(IMAGES, [person(1, v=3)]), "v is 3.0; expected 0, 1 or 2"),
    "scores too few": (
        truth(IMAGES, [person(1, keypoint_scores=[1])]),
        "expected 17 numbers, keypoint_scores, one a joint, got 1",
    ),
    "a track of text": (
        truth(IMAGES, [person(1, track_id="1")]),
        "track_id must be a whole number",
    ),
    "text": (truth(IMAGES, [person(1, keypoints=["1"] * 51)]), "a keypoint is no number: '1'"),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_bad_file_is_named(tmp_path: Path, fault: str) -> None:
    value, message = BAD[fault]
    path = put(tmp_path / "t.json", value)
    with pytest.raises(UnreadablePoses, match=message) as caught:
        read(tmp_path)
    assert str(caught.value).startswith(str(path))
    assert len(str(caught.value)) < len(str(path)) + 300


def test_a_file_that_is_cut_short_is_one_source(tmp_path: Path) -> None:
    """So that it is quarantined, and the job goes on."""
    path = put(tmp_path / "x" / "t.json", truth(IMAGES, [person(1)]))
    path.write_text(path.read_text()[:-200])
    given = CocoKeypointsFormat()
    (source,) = given.find(tmp_path)
    assert source.video_id == "x/t"
    assert given.look(source.uri).num_bytes == path.stat().st_size
    with pytest.raises(UnreadablePoses, match=r"t\.json, character .*cut short"):
        given.read(source.uri)


def test_a_file_too_large_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coco_file, "MAX_FILE_BYTES", 500)
    path = put(tmp_path / "t.json", truth(IMAGES, [person(1)]))
    with pytest.raises(UnreadablePoses, match=r"t\.json: has .* bytes, more than 500; split it"):
        read(path)


def test_what_was_exported_comes_back(tmp_path: Path) -> None:
    store = make_pose_store(tmp_path / "poses.zarr")
    run_export("coco", Path(store.url), tmp_path / "out.json")
    found = read(tmp_path / "out.json")
    assert sorted(found) == ["run/ü", "walk/a.b", "walk/nobody"]
    for name, back in found.items():
        poses = store.read(name)
        assert (back.num_frames, back.size_wh) == (poses.num_frames, (640, 480))
        np.testing.assert_array_equal(back.frame, poses.frame)
        np.testing.assert_array_equal(back.score > 0, poses.score > 0)
        np.testing.assert_allclose(back.score, poses.score, atol=1e-4)
        seen = poses.score > 0
        np.testing.assert_array_equal(back.xy_px[seen], poses.xy_px[seen])
        if poses.num_rows:
            np.testing.assert_array_equal(back.track, poses.slot)


GOOD = truth(
    [*IMAGES, image(3, "b/1.jpg")], [person(1, track_id=1), person(2), person(3, iscrowd=1)]
)


@settings(max_examples=50)
@given(data=mutated(GOOD), results=mutated([person(1, v=0.5), person(3, v=1)]))
def test_any_file_is_poses_or_a_named_fault(
    data: bytes, results: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("fuzz")
    (root / "t.json").write_bytes(data)
    read_or_refused(CocoKeypointsFormat(), root)
    (root / "r.json").write_bytes(results)
    read_or_refused(CocoKeypointsFormat(images="t.json"), root)


@pytest.mark.skipif(not REAL.is_file(), reason="the real file is in ../shared only")
def test_a_real_file_of_still_images() -> None:
    with pytest.raises(UnreadablePoses, match=r"have 4 sizes.*--set videos=images"):
        read(REAL)
    found = read(REAL, videos="images")
    assert {name: len(each.score) for name, each in found.items()} == {
        "000000000785": 1,
        "000000040083": 2,
        "000000196141": 4,
        "000000197388": 5,
    }
    skier = found["000000000785"]
    assert (skier.num_frames, skier.size_wh) == (1, (640, 425))
    assert skier.xy_px[0, 0].tolist() == [367, 81]
    assert (found["000000040083"].score[0] > 0).sum() == 14
