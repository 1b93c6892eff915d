"""openpifpaf's JSON: which files are whose, what they tell, and what is wrong with bad ones."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from pifpaf_files import line, person, prediction, write_frames, write_video

from posemill.errors import InputError, UnreadablePoses
from posemill.storage.formats.frame_numbers import MAX_FRAMES
from posemill.storage.formats.json_text import MAX_VALUE_BYTES
from posemill.storage.formats.openpifpaf import OpenpifpafFormat
from posemill.storage.formats.registry import create_format, format_names

SAMPLE = Path(__file__).parents[4] / "shared" / "poses" / "openpifpaf"


def ids(root: Path, **settings: str) -> dict[str, str]:
    """Id of each source to its path below the root."""
    found = create_format("openpifpaf", settings).find(root)
    return {each.video_id: str(Path(each.uri).relative_to(root)) for each in found}


def test_it_is_found_by_its_name() -> None:
    assert "openpifpaf" in format_names()
    with pytest.raises(InputError, match=r"'openpifpf' .did you mean 'openpifpaf'"):
        create_format("openpifpf")
    with pytest.raises(InputError, match="format openpifpaf has no setting 'joint'"):
        create_format("openpifpaf", {"joint": "17"})


def test_ids_are_those_of_the_videos(tmp_path: Path) -> None:
    for name in ("a/x.mp4.openpifpaf.json", "a/y.openpifpaf.json", "z.b.jsonl", "other.json"):
        write_video(tmp_path / name, [])
    for twin in ("t.mp4", "t.avi"):
        write_video(tmp_path / f"{twin}.openpifpaf.json", [])
    write_frames(tmp_path / "f/one.two", [[], []])
    write_frames(tmp_path / ".hidden", [[]])
    (tmp_path / "a/x.mp4").touch()
    assert ids(tmp_path) == {
        "a/x": "a/x.mp4.openpifpaf.json",
        "a/y": "a/y.openpifpaf.json",
        "z.b": "z.b.jsonl",
        "t.mp4": "t.mp4.openpifpaf.json",
        "t.avi": "t.avi.openpifpaf.json",
        "f/one.two": "f/one.two",
    }


def test_what_a_file_is_of_can_be_told(tmp_path: Path) -> None:
    write_video(tmp_path / "v.json", [])
    write_frames(tmp_path, [[]])
    assert ids(tmp_path) == {tmp_path.name: "."}
    assert ids(tmp_path, files_are="videos") == {"v": "v.json", "1.jpg": "1.jpg.predictions.json"}
    assert ids(tmp_path, files_are="frames") == {tmp_path.name: "."}
    files = OpenpifpafFormat(files_are="frames").files(str(tmp_path))
    assert [path.name for path in files] == ["1.jpg.predictions.json", "v.json"]
    (one,) = OpenpifpafFormat().find(tmp_path / "v.json")
    assert (one.video_id, one.uri) == ("v", str(tmp_path / "v.json"))


def test_frames_keep_their_numbers_and_joints_their_places(tmp_path: Path) -> None:
    path = tmp_path / "v.jsonl"
    missing = person(10)[0]
    missing[3] = (0.0, -3.0, 0.0)
    path.write_text(line(2, [(missing, None), person(30)]) + "\n" + line(5, []))
    found = OpenpifpafFormat().read(str(path))
    assert found.num_frames == 5
    assert found.frame.tolist() == [1, 1]
    assert (found.track, found.size_wh, found.fps) == (None, None, None)
    expected = np.stack([10.0 + np.arange(17), 100.0 + 2 * np.arange(17)], axis=1)
    expected[3] = 0
    np.testing.assert_array_equal(found.xy_px[0], expected)
    np.testing.assert_array_equal(found.score[0], np.where(np.arange(17) == 3, 0, 0.5))
    np.testing.assert_array_equal(found.xy_px[1, :, 0], 30.0 + np.arange(17))
    assert OpenpifpafFormat(first_frame=2).read(str(path)).frame.tolist() == [0, 0]


def test_lines_may_be_the_predictions_alone(tmp_path: Path) -> None:
    path = tmp_path / "v.jsonl"
    path.write_text("".join(json.dumps([prediction(*person(x))]) + "\n" for x in (1, 2)))
    found = OpenpifpafFormat().read(str(path))
    assert (found.frame.tolist(), found.num_frames) == ([0, 1], 2)


def test_a_folder_s_frames_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    write_frames(tmp_path / "v", [[person(x)] for x in range(12)], "frame{}.png")
    found = OpenpifpafFormat().read(str(tmp_path / "v"))
    assert found.xy_px[:, 0, 0].tolist() == list(range(12))
    assert found.frame.tolist() == list(range(12))


def test_tracks_count_where_everybody_has_one(tmp_path: Path) -> None:
    known = [[person(1, track=7), person(2, track=3)], [person(1, track=7)]]
    path = write_video(tmp_path / "v.jsonl", known)
    assert OpenpifpafFormat().read(str(path)).track.tolist() == [7, 3, 7]
    write_video(path, [*known, [person(1)]])
    assert OpenpifpafFormat().read(str(path)).track is None


def test_only_people_count(tmp_path: Path) -> None:
    nobody = person(1, c=0.0)
    ball = {**prediction(*person(1)), "category_id": 2}
    box = {"category_id": 1, "category": "person", "score": 0.9, "bbox": [1, 2, 3, 4]}
    path = tmp_path / "v.jsonl"
    path.write_text(json.dumps([prediction(*nobody), ball, box, prediction(*person(9))]))
    assert OpenpifpafFormat().read(str(path)).xy_px[:, 0, 0].tolist() == [9]


def test_of_133_joints_the_body_is_taken(tmp_path: Path) -> None:
    whole = np.concatenate([person(5)[0], np.ones((116, 3))])
    path = tmp_path / "v.jsonl"
    path.write_text(json.dumps([prediction(whole)]))
    found = OpenpifpafFormat(joints="wholebody-133").read(str(path))
    np.testing.assert_array_equal(found.xy_px[0], person(5)[0][:, :2].astype(np.float32))
    with pytest.raises(UnreadablePoses, match=r"expected 51 numbers.*got 399.*wholebody-133"):
        OpenpifpafFormat().read(str(path))


def keypoints(**changes: object) -> str:
    """A line whose first person's keypoints 0, 1, 2 ... are changed."""
    found = prediction(*person(1))
    for place, value in changes.items():
        found["keypoints"][int(place[1:])] = value
    return json.dumps({"frame": 2, "predictions": [prediction(*person(1)), found]})


BAD = {
    "cut short": (line(2, [person(1)])[:-40], r"line 2, character \d+: .*cut short"),
    "no JSON": ("predictions", "line 2, character 1: "),
    "not UTF-8": (b"\xff\xfe\xfa", "line 2: .*expected JSON"),
    "NaN": (keypoints(k4=float("nan")), "line 2: NaN is no number"),
    "infinity": (keypoints(k4=float("-inf")), "line 2: -Infinity is no number"),
    "beyond floats": (keypoints(k4=1).replace("100.0, 0.5, 2.0, 1,", "1, 1, 1, 1e999,"), "inf px"),
    "a huge whole number": (keypoints(k4=10**400), "line 2, prediction 2: .*64 bits"),
    "digits without end": ("1" * 5000, "line 2: .*expected JSON"),
    "far away": (keypoints(k0=2e7), r"line 2, prediction 2: a joint is at 20000000\.0 px"),
    "c above 1": (keypoints(k2=1.25), r"line 2, prediction 2: c is from 0\.5 to 1\.25"),
    "c below 0": (keypoints(k2=-0.5), r"c is from -0\.5 to 0\.5"),
    "text": (keypoints(k5="1"), "line 2, prediction 2: a keypoint is no number"),
    "null": (keypoints(k5=None), "a keypoint is no number"),
    "a truth value": (keypoints(k5=True), "a keypoint is no number"),
    "few joints": ('[{"keypoints": [1, 2, 0.5]}]', "prediction 1: expected 51 numbers.*got 3;"),
    "no list": ('[{"keypoints": {"x": 1}}]', "expected 51 numbers"),
    "no keypoints": ('[{"score": 1}]', "prediction 1: has no keypoints, but 'score'"),
    "no object": ("[[1, 2]]", r"prediction 1: expected an object, got \[1, 2\]"),
    "no predictions": ('{"frame": 2}', 'line 2: expected {"frame": NUMBER'),
    "predictions of no list": ('{"frame": 2, "predictions": 3}', "expected a list.*got 3"),
    "a frame of no number": ('{"frame": 2.5, "predictions": []}', 'line 2: expected {"frame"'),
    "a number": ("17", 'line 2: expected {"frame".*got 17'),
    "the same frame": (line(1, []), "line 2: frame 1; expected numbers that rise"),
    "a frame before the first": (line(0, []), "line 2: frame 0; expected numbers"),
    "a frame of no video": (line(MAX_FRAMES + 1, []), f"line 2: frame {MAX_FRAMES + 1}"),
    "a track of no number": (line(2, [person(1, track=-1)]), "id_ must be a whole number"),
    "deep": ("[" * 100_000, "line 2: .*recursion"),
    "long": ("[" + " " * MAX_VALUE_BYTES, "line 2: a JSON value of more than 16,777,216 bytes"),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_bad_line_is_named(tmp_path: Path, fault: str) -> None:
    text, message = BAD[fault]
    path = tmp_path / "v.jsonl"
    first = line(1, [person(1)]).encode()
    path.write_bytes(first + (text if isinstance(text, bytes) else text.encode()))
    with pytest.raises(UnreadablePoses, match=message) as caught:
        OpenpifpafFormat().read(str(path))
    assert str(caught.value).startswith(str(path))
    assert len(str(caught.value)) < len(str(path)) + 400


def test_a_bad_frame_is_named(tmp_path: Path) -> None:
    folder = write_frames(tmp_path / "v", [[], [person(1)]])
    bad = folder / "2.jpg.predictions.json"
    bad.write_text(bad.read_text()[:-9])
    with pytest.raises(UnreadablePoses, match=r"2\.jpg\.predictions\.json, character"):
        OpenpifpafFormat().read(str(folder))
    bad.write_text('{"frame": 1, "predictions": []}')
    with pytest.raises(UnreadablePoses, match=r"2\.jpg\.predictions\.json: expected a list"):
        OpenpifpafFormat().read(str(folder))


def test_a_folder_is_looked_at_as_one(tmp_path: Path) -> None:
    folder, given = write_frames(tmp_path / "v", [[], [person(1)]]), OpenpifpafFormat()
    files = sorted(folder.iterdir())
    before = given.look(str(folder))
    assert before.num_bytes == sum(path.stat().st_size for path in files)
    assert given.look(str(folder), before.identity) == before
    files[0].write_text("[ ]")
    changed = given.look(str(folder), before.identity)
    assert changed.identity != before.identity
    files[0].rename(folder / "3.jpg.predictions.json")
    renamed = given.look(str(folder))
    assert renamed.num_bytes == changed.num_bytes
    assert renamed.identity != changed.identity
    for path in folder.iterdir():
        path.unlink()
    with pytest.raises(FileNotFoundError):
        given.look(str(folder))


@pytest.mark.skipif(not SAMPLE.is_dir(), reason="the real prediction is in ../shared only")
def test_a_real_prediction() -> None:
    (source,) = OpenpifpafFormat().find(SAMPLE)
    found = OpenpifpafFormat().read(source.uri)
    assert found.xy_px.shape == (5, 17, 2)
    # Its first person's nose was not found, its left ear was (the fourth joint).
    assert found.score[0, :4].tolist() == pytest.approx([0, 0, 0, 0.93])
    assert found.xy_px[0, 3].tolist() == pytest.approx([387.92, 149.78])
    assert (found.score == 0).sum() == 3 + 1 + 0 + 3 + 1
