"""JHMDB's and Penn Action's .mat files: pixels from 1 to 0, who is seen when, bad arrays named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mat_joints import jhmdb_fields, penn_fields, write_mat

from posemill.errors import UnreadablePoses
from posemill.storage.formats.base import PoseFormat, SourcePoses
from posemill.storage.formats.jhmdb import JhmdbFormat
from posemill.storage.formats.penn_action import PennActionFormat

FORMATS = {"jhmdb": (JhmdbFormat(), jhmdb_fields), "penn-action": (PennActionFormat(), penn_fields)}


def ids(given_format: PoseFormat, root: Path) -> dict[str, str]:
    """Id of each source to its path below the root."""
    found = given_format.find(root)
    return {each.video_id: str(Path(each.uri).relative_to(root)) for each in found}


def read(tmp_path: Path, name: str, num_frames: int = 3, **changes: Any) -> SourcePoses:
    given_format, fields = FORMATS[name]
    path = write_mat(tmp_path / "a.mat", fields(num_frames, **changes))
    return given_format.read(str(path))


def test_ids_of_jhmdb_are_folders(tmp_path: Path) -> None:
    """As `posemill index jhmdb` calls the clips."""
    root = tmp_path / "joint_positions"
    clip = "April_09_brush_hair_u_nm_np1_ba_goo_0"
    for folder in (f"brush_hair/{clip}", "wave/50_FIRST_DATES_wave_f_cm_np1_fr_med_36"):
        write_mat(root / folder / "joint_positions.mat", jhmdb_fields())
    write_mat(root / "wave" / "other.mat", jhmdb_fields())
    assert ids(JhmdbFormat(), root) == {
        each: f"{each}/joint_positions.mat"
        for each in (f"brush_hair/{clip}", "wave/50_FIRST_DATES_wave_f_cm_np1_fr_med_36")
    }
    folder = root / "brush_hair" / clip
    assert ids(JhmdbFormat(), folder) == {clip: "joint_positions.mat"}
    (one,) = JhmdbFormat().find(folder / "joint_positions.mat")
    assert one.video_id == clip


def test_ids_of_penn_action_are_numbers(tmp_path: Path) -> None:
    for name in ("0001.mat", "2326.mat", "more/0002.mat", "notes.txt"):
        write_mat(tmp_path / name, penn_fields())
    assert ids(PennActionFormat(), tmp_path) == {
        "0001": "0001.mat",
        "2326": "2326.mat",
        "more/0002": "more/0002.mat",
    }
    (one,) = PennActionFormat().find(tmp_path / "0001.mat")
    assert one.video_id == "0001"


@pytest.mark.parametrize(("name", "size_wh"), [("jhmdb", (320, 240)), ("penn-action", (481, 272))])
@pytest.mark.parametrize("num_frames", [1, 3])
def test_pixels_size_and_one_track(
    tmp_path: Path, name: str, size_wh: tuple[int, int], num_frames: int
) -> None:
    found = read(tmp_path, name, num_frames)
    assert (found.size_wh, found.fps, found.num_frames) == (size_wh, None, num_frames)
    assert found.frame.tolist() == list(range(num_frames))
    assert found.track is not None
    assert found.track.tolist() == [0] * num_frames
    k, t = np.arange(found.xy_px.shape[1]), np.arange(num_frames)[:, None]
    np.testing.assert_array_equal(found.xy_px[..., 0], 19 + k + t)
    np.testing.assert_array_equal(
        found.xy_px[..., 1], np.broadcast_to(49 + 2 * k, (len(t), len(k)))
    )
    assert (found.score == 1).all()
    assert (found.xy_px.dtype, found.score.dtype) == (np.float32, np.float32)


def test_one_frame_of_jhmdb_as_matlab_saves_it(tmp_path: Path) -> None:
    """Without a last axis of one."""
    found = read(tmp_path, "jhmdb", pos_img=jhmdb_fields(1)["pos_img"][..., 0])
    assert found.num_frames == 1
    assert found.xy_px[0, 1].tolist() == [20, 51]


def test_joints_of_jhmdb_may_be_outside_the_frame(tmp_path: Path) -> None:
    image = jhmdb_fields()["pos_img"]
    image[:, 0, 0] = (1, 1)  # the first pixel's centre
    image[:, 1, 0] = (-319, 481)  # as far outside as the frame is large
    image[:, 2, 0], image[:, 3, 0] = (-319.5, 5), (5, 481.5)  # farther
    found = read(tmp_path, "jhmdb", pos_img=image)
    assert found.xy_px[0, :4].tolist() == [[0, 0], [-320, 480], [0, 0], [0, 0]]
    assert found.score[0, :4].tolist() == [1, 1, 0, 0]


def test_joints_of_penn_action_that_are_not_visible(tmp_path: Path) -> None:
    fields = penn_fields(4)
    fields["visibility"][0, 2] = fields["visibility"][1] = fields["visibility"][3] = 0
    fields["x"] = fields["x"].copy()
    fields["x"][0, 2], fields["x"][1, 0] = np.nan, 1e9
    found = read(tmp_path, "penn-action", **fields)
    assert (found.num_frames, found.frame.tolist()) == (4, [0, 2])
    assert found.score[0].tolist() == [float(k != 2) for k in range(13)]
    assert found.xy_px[0, 2].tolist() == [0, 0]


def moved(name: str, array: str, place: tuple[int, ...], value: float) -> dict[str, Any]:
    numbers = np.array(FORMATS[name][1](3)[array])
    numbers[place] = value
    return {array: numbers}


J, P = "jhmdb", "penn-action"
BAD: dict[str, tuple[str, dict[str, Any], str]] = {
    "no positions": (J, {"pos_img": None}, "has no pos_img; is it a file of another format"),
    "16 joints": (
        J,
        {"pos_img": np.ones((2, 16, 3))},
        r"pos_img is \(2, 16, 3\); expected \(2, 15",
    ),
    "3 axes": (J, {"pos_img": np.ones((3, 15, 3))}, r"pos_img is \(3, 15, 3\)"),
    "4 dimensions": (J, {"pos_img": np.ones((2, 15, 3, 2))}, r"pos_img is \(2, 15, 3, 2\)"),
    "positions of text": (J, {"pos_img": "text"}, "pos_img is text"),
    "NaN": (J, moved(J, "pos_img", (0, 4, 1), np.nan), r"joint 5 of frame 2 is at \(nan, 58\) px"),
    "infinity": (
        J,
        moved(J, "pos_img", (1, 0, 2), -np.inf),
        r"joint 1 of frame 3 is at \(22, -inf",
    ),
    "far away": (
        J,
        moved(J, "pos_img", (0, 0, 0), 1e30),
        r"joint 1 of frame 1 is at \(1e\+30, 50\)",
    ),
    "no x": (P, {"x": None, "nframes": None}, "has no x, nframes"),
    "y of other frames": (
        P,
        {"y": np.ones((2, 13))},
        r"y \(2, 13\).*expected \(nframes, 13\) each",
    ),
    "visibility of 12": (P, {"visibility": np.ones((3, 12))}, r"visibility \(3, 12\), and nframes"),
    "other nframes": (P, {"nframes": 4.0}, r"x \(3, 13\), .*nframes \[4\.0\]; expected"),
    "no one nframes": (P, {"nframes": np.array([3.0, 3.0])}, r"nframes \[3\.0, 3\.0\]; expected"),
    "half visible": (
        P,
        moved(P, "visibility", (0, 0), 0) | {"visibility": np.full((3, 13), 0.5)},
        r"visibility is from 0\.5 to 0\.5; expected 0 or 1",
    ),
    "visibility of NaN": (P, {"visibility": np.full((3, 13), np.nan)}, "visibility is from nan"),
    "two dimensions": (P, {"dimensions": [[272.0, 481.0]]}, r"dimensions are \[272\.0, 481\.0\]"),
    "no size": (P, {"dimensions": [[0.0, 481.0, 3.0]]}, "expected height, width"),
    "a size of NaN": (P, {"dimensions": [[np.nan, 481.0, 3.0]]}, "expected height, width"),
    "infinite size": (P, {"dimensions": [[272.0, np.inf, 3.0]]}, "expected height, width"),
    "a visible NaN": (P, moved(P, "x", (2, 12), np.nan), "joint 13 of frame 3 is at .nan, 74. px"),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_bad_array_is_named(tmp_path: Path, fault: str) -> None:
    name, changes, message = BAD[fault]
    with pytest.raises(UnreadablePoses, match=message) as caught:
        read(tmp_path, name, **changes)
    assert str(caught.value).startswith(str(tmp_path / "a.mat"))


numbers = st.sampled_from([0.0, 1.0, 2.0, -1.0, 0.5, 3.0, 1e300, np.nan, np.inf, 640.0])


@settings(max_examples=80)
@given(
    name=st.sampled_from(sorted(FORMATS)),
    values=st.lists(st.tuples(st.integers(0, 10_000), numbers), max_size=4),
    places=st.lists(st.tuples(st.integers(128, 10_000), st.integers(0, 255)), max_size=3),
)
def test_any_file_is_poses_or_a_named_fault(
    name: str,
    values: list[tuple[int, float]],
    places: list[tuple[int, int]],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """A good file of which some numbers are others, then some bytes."""
    given_format, make = FORMATS[name]
    fields = {key: np.array(value) for key, value in make(3).items()}
    arrays = [each for each in fields.values() if each.dtype.kind == "f"]
    for at, value in values:
        array = arrays[at % len(arrays)]
        array.flat[at % array.size] = value
    path = write_mat(tmp_path_factory.getbasetemp() / "any.mat", fields, packed=False)
    data = bytearray(path.read_bytes())
    for at, byte in places:
        data[at % len(data)] = byte
    path.write_bytes(data)
    try:
        found = given_format.read(str(path))
    except UnreadablePoses as error:
        assert str(error).startswith(str(path))  # noqa: PT017
        return
    assert np.isfinite(found.xy_px).all()
    assert np.isin(found.score, (0, 1)).all()
    assert found.score.any(axis=1).all()
