"""pyskl's and mmaction2's pickles: which clips are in them, what they tell, what is wrong."""

from __future__ import annotations

import contextlib
import os
import pickle
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pickle_fuzz import mutated
from pyskl_files import SIZE_WH, annotation, write, write_annotations

from posemill.errors import InputError, UnreadablePoses
from posemill.pipelines.import_sequence import to_sequence
from posemill.pipelines.import_settings import ImportSettings
from posemill.storage.formats import source_files
from posemill.storage.formats.base import SourcePoses
from posemill.storage.formats.pyskl import PysklFormat
from posemill.storage.formats.pyskl_kinetics import PysklKineticsFormat
from posemill.storage.formats.registry import create_format, format_names

KINETICS_INDEX = (
    Path(__file__).parents[4] / "shared" / "poses" / "pyskl" / "k400_pyskl_style_meta_100clips.pkl"
)


def read(path: Path, name: str, **settings: str) -> SourcePoses:
    given = create_format("pyskl", settings)
    (uri,) = [each.uri for each in given.find(path) if each.video_id == name]
    return given.read(uri)


def one(path: Path, note: dict[str, Any], **settings: str) -> SourcePoses:
    return read(write_annotations(path / "x.pkl", [note]), note["frame_dir"], **settings)


def test_they_are_found_by_their_names() -> None:
    assert {"pyskl", "pyskl-kinetics"} <= set(format_names())


def test_each_annotation_is_a_video(tmp_path: Path) -> None:
    write_annotations(tmp_path / "a" / "x.pkl", [annotation("b/1"), annotation("é #2 100%")])
    write(tmp_path / "y.pickle", [annotation("3")], protocol=4)
    (tmp_path / "other.txt").touch()
    found = {each.video_id: each.uri for each in PysklFormat().find(tmp_path)}
    assert found == {
        "b/1": f"{tmp_path}/a/x.pkl#b%2F1",
        "é #2 100%": f"{tmp_path}/a/x.pkl#%C3%A9%20%232%20100%25",
        "3": f"{tmp_path}/y.pickle#3",
    }
    for uri in found.values():
        assert PysklFormat().read(uri).num_frames == 4
        assert PysklFormat().files(uri)[0].is_file()
        assert os.path.dirname(uri) == str(PysklFormat().files(uri)[0].parent)  # noqa: PTH120


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_people_are_where_they_were_and_who_they_were(tmp_path: Path, protocol: int) -> None:
    note = annotation("a", num_people=2, num_frames=3)
    note["keypoint_score"][1, 0] = 0  # the second comes in the second frame
    note["keypoint_score"][0, 2, 5] = 0
    note["keypoint"][0, 2, 5] = np.nan  # which means nothing where the score is 0
    found = read(write_annotations(tmp_path / "x.pkl", [note], protocol), "a")
    assert (found.num_frames, found.size_wh, found.fps) == (3, SIZE_WH, None)
    assert found.frame.tolist() == [0, 1, 1, 2, 2]
    assert found.track is not None
    assert found.track.tolist() == [0, 0, 1, 0, 1]
    k = np.arange(17)
    for row, (t, m) in enumerate([(0, 0), (1, 0), (1, 1), (2, 0), (2, 1)]):
        seen = (k != 5) | (row != 3)
        np.testing.assert_array_equal(found.score[row], np.where(seen, 0.5, 0))
        expected = np.where(seen[:, None], np.stack([10 * k + t, 100 * m + k], axis=1), 0)
        np.testing.assert_array_equal(found.xy_px[row], expected)
    assert (found.xy_px.dtype, found.score.dtype) == (np.float32, np.float32)
    assert read(tmp_path / "x.pkl", "a", slots="detections").track is None


def test_half_precision_is_kept_as_it_is(tmp_path: Path) -> None:
    values = np.array([0.1, 333.3, 1023.7, 1599.0], np.float16)
    keypoint = np.broadcast_to(values[:, None, None], (4, 17, 2))[None].copy()
    note = annotation("a", 1, 4, img_shape=(1080, 1920), keypoint=keypoint)
    found = one(tmp_path, note)
    np.testing.assert_array_equal(found.xy_px[:, 3, 0], values.astype(np.float32))


def test_nobody_may_be_there(tmp_path: Path) -> None:
    for name, note in {
        "no slot": annotation("no slot", num_people=0),
        "no score": annotation("no score", keypoint_score=np.zeros((2, 4, 17), np.float16)),
    }.items():
        found = one(tmp_path, note)
        assert (len(found.score), found.num_frames) == (0, 4), name
        settings = ImportSettings(PysklFormat(), fps=30.0)
        assert to_sequence(found, settings).num_rows == 0


def test_scores_a_little_above_one_and_joints_far_away_are_no_faults(tmp_path: Path) -> None:
    note = annotation("a", 1, 1)
    note["keypoint_score"][0, 0, :3] = (1.25, -0.01, 0.75)
    note["keypoint"][0, 0, 2] = (10 * SIZE_WH[0], 0)
    found = one(tmp_path, note)
    assert found.score[0, :4].tolist() == [1.0, 0.0, 0.0, 0.5]


def test_bodies_in_metres_keep_their_positions(tmp_path: Path) -> None:
    """As ntu_preproc.py writes them: no size, no score; the second body comes later."""
    keypoint = np.zeros((2, 3, 25, 3), np.float16)
    keypoint[0] = (0.25, 0.5, 4.0)
    keypoint[1, 2] = (-0.052, -1.0, 2.0)
    note = {"frame_dir": "a", "label": 0, "keypoint": keypoint, "total_frames": 3}
    path = write_annotations(tmp_path / "x.pkl", [note])
    found = read(path, "a", joints="ntu-25")
    assert found.frame.tolist() == [0, 1, 2, 2]
    assert found.track is not None
    assert found.track.tolist() == [0, 0, 0, 1]
    assert found.xyz_m is not None
    np.testing.assert_array_equal(found.xyz_m[0, 7], np.float32([0.25, -0.5, 4.0]))
    np.testing.assert_array_equal(found.score, 1)
    assert found.size_wh == (1920, 1080)
    np.testing.assert_allclose(found.xy_px[3, 0], [960, 540 + 1064.4 / 2], atol=0.1)
    settings = ImportSettings(PysklFormat(joints="ntu-25"), fps=30.0)
    assert to_sequence(found, settings).skeleton == "ntu-25"


def test_people_of_any_frame_may_be_in_rows(tmp_path: Path) -> None:
    """As custom_2d_skeleton.py --compress writes them, whose frames count from 0."""
    keypoint = np.full((3, 17, 3), 0.5, np.float16)
    keypoint[:, :, 0] = np.array([10, 20, 30])[:, None]
    note = annotation("a", num_frames=6, keypoint=keypoint)
    del note["keypoint_score"]
    note["frame_inds"] = np.array([0, 2, 2], np.int16)
    found = one(tmp_path, note)
    assert (found.frame.tolist(), found.num_frames, found.track) == ([0, 2, 2], 6, None)
    assert found.xy_px[:, 0, 0].tolist() == [10, 20, 30]
    with pytest.raises(UnreadablePoses, match=r"frames 0 to 2; expected 1 to 6.*first_frame=0"):
        one(tmp_path, note, first_frame="1")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"total_frames": 5}, "keypoint is of 4 frames and total_frames is 5"),
        ({"total_frames": None}, "expected a number of frames up to 10,000,000"),
        ({"total_frames": 10**9, "keypoint": np.zeros((0, 10**9, 17, 2), np.float16),
          "keypoint_score": np.zeros((0, 10**9, 17), np.float16)}, "a number of frames up to"),
        ({"img_shape": None}, "expected .height, width. in pixels as img_shape, a pair .*got None"),
        ({"img_shape": (0, 320)}, "as img_shape"),
        ({"img_shape": "big"}, "as img_shape"),
        ({"img_shape": np.array([240, 320])}, r"pair of whole numbers, got an array of .*\(2,\)"),
        ({"keypoint_score": None}, r"has no keypoint_score beside a keypoint of \(.*, 2\)"),
        ({"img_shape": (2**40, 2)}, "as img_shape"),
        ({"keypoint": "x"}, "expected an array as keypoint"),
        ({"keypoint": np.zeros((2, 4, 17, 3))}, r"expected keypoint as \(M, T, V, 2\), got"),
        ({"keypoint_score": np.zeros((2, 4, 16))}, r"expected keypoint_score as \(2, 4, 17\)"),
        ({"keypoint_score": [0.5]}, "expected an array as keypoint_score"),
        ({"keypoint_score": np.full((2, 4, 17), np.nan)}, r"keypoint_score\[0, 0, 0\] is \[nan\]"),
        ({"keypoint_score": np.full((2, 4, 17), 9.0)}, "a keypoint_score is 9; expected 0 to 1"),
        ({"keypoint": np.full((2, 4, 17, 2), np.inf)}, r"keypoint\[0, 0, 0\] is \[inf, inf\]"),
        ({"keypoint": np.full((2, 4, 17, 2), 1e300)}, r"keypoint\[0, 0, 0\] is \[inf, inf\]"),
        ({"keypoint_score": None, "keypoint": np.full((2, 4, 17, 3), np.nan)}, "finite numbers"),
        ({"keypoint_score": None, "keypoint": np.zeros((2, 17, 3)), "frame_inds": np.zeros(2)},
         "frame_inds is float64"),
    ],
)  # fmt: skip
def test_a_bad_clip_is_named_and_others_are_read(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    notes = [annotation("good"), annotation("bad", **changes)]
    path = write_annotations(tmp_path / "x.pkl", notes)
    assert read(path, "good").num_frames == 4
    with pytest.raises(UnreadablePoses, match=rf"x.pkl, annotation 1 \('bad'\): .*{message}"):
        read(path, "bad")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([annotation("../x")], r"annotation 0: the id of a clip must be a plain relative path"),
        ([annotation("/x")], "plain relative path"),
        ([annotation("a\n")], "control character"),
        ([annotation("a"), annotation("b"), annotation("a")], "'a' is there twice, see .* 0"),
        ([{"label": 1}], "expected the clip's name as 'frame_dir', got None beside 'label'"),
        ([annotation("a", frame_dir=7)], "as 'frame_dir', got 7"),
        ([[1]], r"annotation 0: expected a dict, got \[1\]"),
        ({"annotations": {}}, r"annotations is \{\}"),
        ({"split": [], "annotations": []}, r"split is \[\]"),
        ({"split": {"train": "a"}, "annotations": []}, "expected a list of names as the split 'tr"),
        ([annotation("a", num_joints=25)], "25 joints a person; .*joints=body-25 or ntu-25"),
        ([annotation("a", num_joints=16)], "16 joints a person; expected 17 of coco-17$"),
        ([annotation("a", keypoint=None)], "has no keypoint; .* import pyskl-kinetics"),
    ],
)
def test_a_file_of_which_no_clip_is_sure_is_refused(
    tmp_path: Path, content: Any, message: str
) -> None:
    path = write(tmp_path / "x.pkl", content)
    with pytest.raises(UnreadablePoses, match=rf"x.pkl.*{message}"):
        list(PysklFormat().find(path))


def test_the_identity_is_the_file_s_which_is_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = [annotation(f"{number}", num_frames=number) for number in (4, 40)]
    path = write_annotations(tmp_path / "x.pkl", notes)
    reads = []
    real = source_files.file_identity
    monkeypatch.setattr(
        source_files, "file_identity", lambda each: (reads.append(each), real(each))[1]
    )
    given = PysklFormat()
    sources = list(given.find(path))
    seen = [given.look(each.uri) for each in sources]
    assert reads == [path]
    assert {each.identity for each in seen} == {real(path)}
    # float16 of 17 joints of two people, x, y and score; as text some bytes take two.
    assert [2 * 17 * 3 * 2 * n <= each.num_bytes < path.stat().st_size
            for n, each in zip((4, 40), seen, strict=True)] == [True, True]  # fmt: skip
    assert seen[1].num_bytes > 8 * seen[0].num_bytes


def test_a_file_that_changes_is_looked_through_again(tmp_path: Path) -> None:
    path = write_annotations(tmp_path / "x.pkl", [annotation("a"), annotation("b")])
    given = PysklFormat()
    uris = [each.uri for each in given.find(path)]
    before = given.look(uris[0])
    write_annotations(path, [annotation("new"), annotation("b", num_frames=9)])
    assert given.look(uris[1], before.identity).identity != before.identity
    assert given.read(uris[1]).num_frames == 9
    with pytest.raises(UnreadablePoses, match="has no annotation of 'a' any more"):
        given.read(uris[0])
    assert given.look(uris[0]).num_bytes == 0
    path.write_bytes(b"no pickle")
    assert given.look(uris[0]).num_bytes == 0
    with pytest.raises(UnreadablePoses, match="byte 0: starts with b'no'"):
        given.read(uris[0])


def rows(*frames: int) -> tuple[np.ndarray, np.ndarray]:
    keypoint = np.full((len(frames), 17, 3), 0.5, np.float16)
    keypoint[:, :, 0] = np.arange(1, 1 + len(frames))[:, None]
    return keypoint, np.array(frames, np.int16)


def kinetics(root: Path) -> Path:
    """Annotations, two files of keypoints of several clips, one of one array; none of `lost`."""
    files: dict[str, dict[str, Any]] = {"kp/1.pkl": {}, "kp/2.pkl": {}}
    notes = []
    for number, name in enumerate(("a", "b", "c", "lost", "alone")):
        keypoint, frame = rows(1, 3, 3, 5)
        note = annotation(name, num_frames=5, frame_inds=frame, raw_file=f"/mnt/kp/{number}.pkl")
        del note["keypoint"], note["keypoint_score"]
        notes.append(note | {"box_score": np.ones(4, np.float16), "valid": {0.5: 3}})
        if name == "alone":
            write(root / "kp" / "alone.pkl", keypoint)
        elif name != "lost":
            files[f"kp/{1 + number % 2}.pkl"][name] = {"keypoint": keypoint}
    for file, content in files.items():
        write(root / file, content)
    return write_annotations(root / "index.pkl", notes, train=["a"])


def test_kinetics_keypoints_are_found_by_name(tmp_path: Path) -> None:
    given = PysklKineticsFormat()
    index = kinetics(tmp_path)
    sources = {each.video_id: each.uri for each in given.find(tmp_path)}
    assert list(sources) == ["a", "c", "b", "alone", "lost"]  # by their files
    for name in ("a", "b", "c", "alone"):
        found = given.read(sources[name])
        assert (found.frame.tolist(), found.num_frames) == ([0, 2, 2, 4], 5)
        assert found.xy_px[:, 0, 0].tolist() == [1, 2, 3, 4]
        assert (found.track, found.size_wh) == (None, SIZE_WH)
    assert [each.name for each in given.files(sources["b"])] == ["index.pkl", "2.pkl"]
    with pytest.raises(FileNotFoundError, match="has keypoints of 'lost'"):
        given.read(sources["lost"])
    assert sources == {each.video_id: each.uri for each in given.find(index)}


def test_kinetics_keypoints_may_come_later_and_change(tmp_path: Path) -> None:
    given = PysklKineticsFormat()
    kinetics(tmp_path)
    sources = {each.video_id: each.uri for each in given.find(tmp_path)}
    before = given.look(sources["lost"])
    assert before.num_bytes == 0
    write(tmp_path / "later" / "x.pkl", {"lost": {"keypoint": rows(1, 2, 3, 4)[0]}})
    assert given.read(sources["lost"]).num_frames == 5
    assert given.look(sources["lost"], before.identity).identity != before.identity
    write(tmp_path / "kp" / "1.pkl", {"a": {"keypoint": rows(1)[0]}})
    with pytest.raises(UnreadablePoses, match=r"frame_inds is int16 \(4,\) and keypoint \(1, 17"):
        given.read(sources["a"])
    write(tmp_path / "kp" / "2.pkl", {"a": {"keypoint": rows(1)[0]}})
    with pytest.raises(UnreadablePoses, match=r"has keypoints of 'a', and so has .*1\.pkl"):
        list(given.find(tmp_path))
    (tmp_path / "kp" / "2.pkl").write_bytes(b"cut")
    with pytest.raises(UnreadablePoses, match=r"2\.pkl, byte 0"):
        list(given.find(tmp_path))


def test_kinetics_with_its_own_keypoints_is_told(tmp_path: Path) -> None:
    path = write_annotations(tmp_path / "x.pkl", [annotation("a")])
    with pytest.raises(UnreadablePoses, match="has keypoints itself; import it as pyskl"):
        list(PysklKineticsFormat().find(path))


def test_the_published_index_is_read(tmp_path: Path) -> None:
    if not KINETICS_INDEX.exists():
        pytest.skip("needs the published index of Kinetics")
    (tmp_path / "index.pkl").symlink_to(KINETICS_INDEX)
    write(tmp_path / "kp.pkl", {"jf7RDuUTrsQ": {"keypoint": np.ones((260, 17, 3), np.float16)}})
    given = PysklKineticsFormat()
    sources = {each.video_id: each.uri for each in given.find(tmp_path)}
    assert len(sources) == 100
    found = given.read(sources["jf7RDuUTrsQ"])
    assert (found.num_frames, found.size_wh, len(found.frame)) == (300, (570, 320), 260)
    assert (found.frame[:5].tolist(), found.frame.max()) == ([0, 0, 2, 2, 4], 298)


SEEDS = [
    pickle.dumps(
        {"split": {"t": ["a"]}, "annotations": [annotation("a"), annotation("b", label=2)]}, each
    )
    for each in (2, 4, 5)
]


@hypothesis.settings(max_examples=150, deadline=None)
@given(data=st.builds(mutated, st.sampled_from(SEEDS), st.integers(0, 2**32)))
def test_changed_files_are_read_or_refused(
    data: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "p.pkl"
    path.write_bytes(data)
    settings = ImportSettings(PysklFormat(), fps=30.0)
    sources = []
    with contextlib.suppress(UnreadablePoses):
        sources = list(PysklFormat().find(path))
    for each in sources:
        PysklFormat().look(each.uri)
        with contextlib.suppress(UnreadablePoses):
            to_sequence(PysklFormat().read(each.uri), settings)


def test_settings_that_cannot_be_are_refused() -> None:
    with pytest.raises(InputError, match="joints must be coco-17 or ntu-25"):
        create_format("pyskl", {"joints": "openpose"})
    with pytest.raises(InputError, match="tell the size"):
        ImportSettings(PysklFormat(), (320, 240), 30.0)
