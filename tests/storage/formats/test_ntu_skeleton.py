"""NTU RGB+D's .skeleton files: axes, ids, states and frames kept true, bad lines named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ntu_files import FIRST_ID, Body, skeleton_text, write_skeleton

from posemill.errors import UnreadablePoses
from posemill.storage.formats.base import SourcePoses
from posemill.storage.formats.ntu_skeleton import NtuSkeletonFormat

NAME = "S001C001P001R001A001"
JOINTS = np.arange(25)


def read(path: Path) -> SourcePoses:
    return NtuSkeletonFormat().read(str(path))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / f"{NAME}.skeleton"


def test_ids_are_the_names_of_the_samples(tmp_path: Path) -> None:
    for name in (f"{NAME}.skeleton", "more/S018C001P008R001A061.skeleton", "S001.avi", "notes.txt"):
        write_skeleton(tmp_path / name, [])
    found = {each.video_id: each.uri for each in NtuSkeletonFormat().find(tmp_path)}
    assert found == {
        NAME: str(tmp_path / f"{NAME}.skeleton"),
        "more/S018C001P008R001A061": str(tmp_path / "more/S018C001P008R001A061.skeleton"),
    }
    (one,) = NtuSkeletonFormat().find(tmp_path / f"{NAME}.skeleton")
    assert one.video_id == NAME


def test_colour_pixels_metres_size_and_rate(path: Path) -> None:
    found = read(write_skeleton(path, [[Body()]]))
    np.testing.assert_array_equal(found.xy_px[0], np.stack([500 + JOINTS, 300 + 2 * JOINTS], 1))
    assert found.xyz_m is not None
    np.testing.assert_allclose(found.xyz_m[0, :, 0], JOINTS / 10)
    assert (found.xyz_m[0, :, 1:] == (-1, 3)).all()  # up by 1 m, where y points down
    assert (found.score == 1).all()
    assert (found.size_wh, found.fps, found.num_frames) == ((1920, 1080), 30.0, 1)
    assert (found.xy_px.dtype, found.score.dtype, found.xyz_m.dtype) == (np.float32,) * 3


def test_3d_and_2d_agree_on_right_and_down(path: Path) -> None:
    """Three joints as Kinect saw them (shahroudy/NTURGB-D, thread 48): a pelvis, chest and head."""
    body = Body()
    body.xyz[:3] = (
        (0.2410551, -0.171228, 4.294691),
        (0.2948349, 0.1012649, 4.225985),
        (
            *(0.3180007, 0.4567953),
            4.108379,
        ),
    )
    body.colour[:3] = (1027.245, 581.2726), (1041.686, 513.5756), (1049.855, 421.0554)
    found = read(write_skeleton(path, [[body]]))
    assert found.xyz_m is not None
    for axis in (0, 1):
        assert (np.argsort(found.xyz_m[0, :3, axis]) == np.argsort(found.xy_px[0, :3, axis])).all()


def test_states_are_scores_and_what_has_no_pixel_is_not_detected(path: Path) -> None:
    body = Body()
    body.state[1], body.state[2] = 1, 0
    body.colour[3], body.colour[4] = np.nan, -np.inf
    body.xyz[5] = np.nan
    body.colour[6], body.colour[7] = (-1921, 5), (5, 2161)  # farther outside than the frame's size
    body.colour[8] = (-1920, 2160)
    found = read(write_skeleton(path, [[body]]))
    assert found.score[0, :9].tolist() == [1, 0.5, 0, 0, 0, 0, 0, 0, 1]
    assert found.xyz_m is not None
    assert not found.xy_px[0, 2:8].any()
    assert not found.xyz_m[0, 2:8].any()
    assert found.xy_px[0, 8].tolist() == [-1920, 2160]


def test_frames_keep_their_numbers_and_bodies_their_tracks(path: Path) -> None:
    """Ids that are one number as floats; they come and go, and change places."""
    one, two = FIRST_ID, FIRST_ID + 1
    assert float(one) == float(two)
    nobody = Body(number=7, state=np.zeros(25, int))
    frames = [
        [],
        [Body(one, 10), Body(two, 20)],
        [],
        [nobody, Body(two, 21), Body(one, 11)],
        [Body(2**64 - 1, 30)],
        [],
    ]
    found = read(write_skeleton(path, frames))
    assert found.num_frames == 6
    assert found.frame.tolist() == [1, 1, 3, 3, 4]
    assert found.xy_px[:, 0, 0].tolist() == [10, 20, 21, 11, 30]
    assert found.track is not None
    assert found.track.tolist() == [0, 1, 1, 0, 2]
    assert found.xyz_m is not None
    assert len(found.xyz_m) == 5


@pytest.mark.parametrize("num_frames", [0, 3])
def test_nobody(path: Path, num_frames: int) -> None:
    found = read(write_skeleton(path, [[]] * num_frames))
    assert found.num_frames == num_frames
    assert found.xyz_m is not None
    assert (found.xy_px.shape, found.xyz_m.shape) == ((0, 25, 2), (0, 25, 3))


@pytest.mark.parametrize("end", ["\n", "\r\n", " \n"])
def test_line_ends(path: Path, end: str) -> None:
    path.write_text(skeleton_text([[Body()], [Body()]], end) + end, newline="")
    assert read(path).frame.tolist() == [0, 1]
    path.write_text(skeleton_text([[Body()], [Body()]], end).rstrip(), newline="")
    assert read(path).frame.tolist() == [0, 1]


def changed(line: int, text: str) -> str:
    """A file of two frames, whose line has other text; 3 is a body, 5 to 29 are its joints."""
    lines = skeleton_text([[Body()], [Body()]], "\n").splitlines()
    return "\n".join([*lines[: line - 1], text, *lines[line:]]) + "\n"


WHOLE = skeleton_text([[Body()], [Body()]], "\n")
JOINT = WHOLE.splitlines()[9]
BAD = {
    "empty": ("", "line 1: the file ends here; expected the number of frames"),
    "no text": (
        b"\x89PNG\r\n\x1a\n\0\xff",
        "line 1: expected a whole number from 0 to .* as .*PNG",
    ),
    "one line": ("\0" * 5000, "line 1: has more than 4,096 bytes"),
    "no whole number": (
        changed(1, "2.0"),
        "line 1: expected a whole number from 0 to .* as the number of fr",
    ),
    "a negative number": (
        changed(2, "-1"),
        "line 2: expected a whole number from 0 to .* as the number of bod",
    ),
    "too many frames": (changed(1, "10000001"), "line 1: .*from 0 to 10,000,000 as the number"),
    "digits without end": (changed(2, "9" * 4000), "line 2: expected a whole number"),
    "more frames told": (changed(1, "3"), "line 58: the file ends here; .*bodies of frame 2"),
    "fewer frames told": (changed(1, "1"), "line 30: expected the end of the file after the 1 fr"),
    "more bodies told": (changed(2, "2"), "line 30: expected a body of frame 0.*got '1'"),
    "cut in a frame": ("\n".join(WHOLE.splitlines()[:40]), "line 41: .*of spine_mid|line 41:"),
    "cut in a line": (WHOLE[: WHOLE.index(JOINT) + 20], "line 10: expected 12 numbers of left_elb"),
    "trailing garbage": (WHOLE + "\nmore", "line 59: expected the end of the file"),
    "20 joints": (changed(4, "20"), "line 4: a body of 20 joints; expected 25"),
    "a body of 9 fields": (changed(3, "1 2 3 4 5 6 7 8 9"), "line 3: expected a body of frame 0"),
    "a body without an id": (changed(3, "1e3 2 3 4 5 6 7 8 9 2"), "line 3: .*the id of a body"),
    "a body of text": (changed(3, "7 2 3 4 5 6 7 x 9 2"), "line 3: expected 9 numbers"),
    "11 numbers": (
        changed(10, JOINT.rsplit(" ", 1)[0]),
        "line 10: expected 12 numbers of left_elb",
    ),
    "text": (changed(10, "a" + JOINT[1:]), "line 10: expected 12 numbers, got 'a"),
    "an underscore": (changed(10, "1_0 " + JOINT.split(" ", 1)[1]), "line 10: expected 12 numbers"),
    "no state": (changed(10, JOINT[:-1] + "3"), "line 10: the tracking state of left_elbow is 3"),
    "a state of NaN": (changed(10, JOINT[:-1] + "nan"), "line 10: the tracking state .* is nan"),
    "twice": (
        skeleton_text([[], [Body(), Body()]]),
        f"line 31: body {FIRST_ID} is in frame 1 twice",
    ),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_bad_line_is_named(path: Path, fault: str) -> None:
    text, message = BAD[fault]
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UnreadablePoses, match=message) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}, line ")
    assert len(str(caught.value)) < len(str(path)) + 300


def test_a_file_that_is_not_there(path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read(path)


@st.composite
def changed_text(draw: st.DrawFn) -> bytes:
    """A good file of which some fields are others, cut short at times."""
    lines = WHOLE.splitlines()
    other = st.floats().map(repr) | st.integers(-3, 2**65).map(str) | st.text(max_size=5)
    for at in draw(st.lists(st.integers(0, len(lines) - 1), max_size=3, unique=True)):
        fields = lines[at].split()
        fields[draw(st.integers(0, len(fields) - 1))] = draw(other)
        lines[at] = " ".join(fields)
    text = "\n".join(lines).encode("utf-8", "surrogatepass")
    return text[: draw(st.just(len(text)) | st.integers(0, len(text)))]


@settings(max_examples=60)
@given(text=changed_text())
def test_any_text_is_poses_or_a_named_fault(
    text: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.skeleton"
    path.write_bytes(text)
    try:
        found = read(path)
    except UnreadablePoses as error:
        assert str(error).startswith(f"{path}, line ")  # noqa: PT017
        return
    assert found.xyz_m is not None
    assert found.num_frames == int(text.split()[0])
    assert all(np.isfinite(each).all() for each in (found.xy_px, found.score, found.xyz_m))
    assert set(np.unique(found.score)) <= {0, 0.5, 1}


@given(data=st.binary(max_size=200))
def test_any_bytes(data: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "bytes.skeleton"
    path.write_bytes(data)
    try:
        assert len(read(path).xy_px) == 0
    except UnreadablePoses as error:
        assert str(error).startswith(str(path))  # noqa: PT017
