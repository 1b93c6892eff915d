from __future__ import annotations

import os
import struct
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from posemill.errors import EnvironmentFault, UnreadableVideo
from posemill.schema import VideoStatus
from posemill.storage.video import open_video

SHARED = Path(__file__).parents[3] / "shared" / "videos"
MakeVideo = Callable[..., Path]

REAL_FRAMES = {
    "skateboarding.mp4": 300,
    "ta_chi.mp4": 300,
    "two_people_1080p.mp4": 72,
    "basketball.mp4": 300,
    "soccer_5_frames.mp4": 5,
    "pancake_no_header_count.mkv": 310,
    "nobody.mp4": 32,
    "worker_from_behind.mp4": 325,
    "portrait_walk.mp4": 100,
}
BROKEN = {
    # name: frames decoded, status, width, height
    "corrupt_midway.mp4": (28, VideoStatus.DAMAGED, 1280, 720),
    "unordered.mov": (4, VideoStatus.OK, 50, 50),
    "h265_10bit.mp4": (30, VideoStatus.OK, 200, 200),
    "rotated_0.mov": (3, VideoStatus.OK, 568, 320),
    "rotated_90.mov": (3, VideoStatus.OK, 320, 568),
    "rotated_180.mov": (3, VideoStatus.OK, 568, 320),
    "rotated_270.mov": (3, VideoStatus.OK, 320, 568),
}


def _shared(folder: str, name: str) -> Path:
    path = SHARED / folder / name
    if not path.is_file():
        pytest.skip(f"the shared videos are not beside this repository: {path.name} is absent")
    return path


@pytest.mark.parametrize(
    ("name", "codec"), [("a.avi", "MJPG"), ("a.mp4", "mp4v"), ("a.mkv", "mp4v"), ("a.avi", "FFV1")]
)
def test_reads_all_frames_in_order_with_their_times(
    tmp_path: Path, make_video: MakeVideo, name: str, codec: str
) -> None:
    path = make_video(tmp_path / name, codec=codec)
    with open_video(path) as reader:
        assert (reader.width, reader.height, reader.frames_declared) == (64, 48, 30)
        frames = list(reader)
    assert [frame.index for frame in frames] == list(range(30))
    assert [frame.pts_seconds for frame in frames] == pytest.approx(np.arange(30) / 10, abs=1e-3)
    levels = [float(frame.rgb.mean()) for frame in frames]
    assert levels == sorted(levels)
    assert levels[::10] == pytest.approx([0, 40, 80], abs=8)
    assert all(frame.rgb.shape == (48, 64, 3) and frame.rgb.dtype == np.uint8 for frame in frames)
    assert (reader.frames_decoded, reader.status()) == (30, VideoStatus.OK)


def test_channels_are_red_green_blue(tmp_path: Path) -> None:
    path = tmp_path / "red.avi"
    fourcc = cv2.VideoWriter.fourcc(*"MJPG")
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, fourcc, 10, (64, 48))
    red_bgr = np.zeros((48, 64, 3), np.uint8)
    red_bgr[..., 2] = 255
    writer.write(red_bgr)
    writer.release()
    with open_video(path) as reader:
        red, green, blue = next(reader).rgb.mean(axis=(0, 1))
    assert red > 245
    assert max(green, blue) < 10


def test_a_span_is_half_open_and_keeps_the_files_times(
    tmp_path: Path, make_video: MakeVideo
) -> None:
    path = make_video(tmp_path / "a.avi")
    with open_video(path, start_seconds=0.95, end_seconds=1.5) as reader:
        frames = list(reader)
    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4]
    assert [frame.pts_seconds for frame in frames] == pytest.approx([1.0, 1.1, 1.2, 1.3, 1.4])
    assert reader.status() is VideoStatus.OK


def test_a_span_up_to_the_end_is_not_damage(tmp_path: Path, make_video: MakeVideo) -> None:
    with open_video(make_video(tmp_path / "a.avi"), start_seconds=2.0, end_seconds=99) as reader:
        assert len(list(reader)) == 10
    assert reader.status() is VideoStatus.OK


def test_a_span_beyond_the_end_is_refused(tmp_path: Path, make_video: MakeVideo) -> None:
    path = make_video(tmp_path / "a.avi")
    with open_video(path, start_seconds=10) as reader, pytest.raises(UnreadableVideo) as caught:
        list(reader)
    assert "no readable frame lies in the span [10, inf) s" in str(caught.value)


def test_a_span_between_two_frames_is_refused(tmp_path: Path, make_video: MakeVideo) -> None:
    path = make_video(tmp_path / "a.avi")  # frames at 0.0, 0.1, 0.2, ... s
    with (
        open_video(path, start_seconds=0.12, end_seconds=0.18) as reader,
        pytest.raises(UnreadableVideo, match=r"no readable frame lies in the span \[0.12, 0.18\)"),
    ):
        list(reader)


def test_a_span_that_starts_in_damage_is_refused(
    tmp_path: Path, make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_video(make_video(tmp_path / "a.avi"), start_seconds=1.0) as reader:
        monkeypatch.setattr(reader, "_retrieve", lambda: None)
        with pytest.raises(UnreadableVideo, match="no readable frame lies in the span"):
            list(reader)


def test_a_cut_file_is_damaged_and_keeps_what_is_readable(
    tmp_path: Path, make_video: MakeVideo
) -> None:
    path = make_video(tmp_path / "a.avi", num_frames=60)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    with open_video(path) as reader:
        decoded = len(list(reader))
    assert 25 < decoded < 45
    assert (reader.frames_declared, reader.status()) == (60, VideoStatus.DAMAGED)


@pytest.mark.parametrize("claimed", [31, 9999])
def test_a_header_may_claim_a_frame_too_many_but_not_ten_thousand(
    tmp_path: Path, make_video: MakeVideo, claimed: int
) -> None:
    path = make_video(tmp_path / "a.avi")
    data = bytearray(path.read_bytes())
    # AVI: avih.dwTotalFrames, 16 bytes into its content; strh.dwLength, 32 bytes in.
    for name, offset in ((b"avih", 16), (b"strh", 32)):
        at = data.index(name) + 8 + offset
        assert struct.unpack_from("<I", data, at) == (30,)
        struct.pack_into("<I", data, at, claimed)
    path.write_bytes(data)
    with open_video(path) as reader:
        assert len(list(reader)) == 30
    assert reader.frames_declared == claimed
    assert reader.status() is (VideoStatus.OK if claimed == 31 else VideoStatus.DAMAGED)


@pytest.mark.parametrize(
    ("content", "got"),
    [
        (b"", "an empty file (0 bytes)"),
        (b"not a video\nat all\n", "a text file"),
        (b"\x00\x01\x02" * 400, "no decodable video stream"),
    ],
)
def test_what_is_no_video_is_refused_by_name(tmp_path: Path, content: bytes, got: str) -> None:
    path = tmp_path / "x.mp4"
    path.write_bytes(content)
    with pytest.raises(UnreadableVideo) as caught:
        open_video(path)
    assert str(path) in str(caught.value)
    assert got in str(caught.value)
    assert "expected an MP4" in str(caught.value)


def test_a_playlist_opens_no_other_file(tmp_path: Path, make_video: MakeVideo) -> None:
    make_video(tmp_path / "a.mp4", codec="mp4v")
    playlist = tmp_path / "x.mp4"
    playlist.write_text("ffconcat version 1.0\nfile a.mp4\n")
    # Without the guard OpenCV does open it.
    assert cv2.VideoCapture(str(playlist), cv2.CAP_FFMPEG).read()[0]
    with pytest.raises(UnreadableVideo, match="playlist"):
        open_video(playlist)


def test_an_image_sequence_is_no_video(tmp_path: Path) -> None:
    pattern = tmp_path / "i_%03d.png"
    for index in range(3):
        cv2.imwrite(str(tmp_path / f"i_{index:03d}.png"), np.zeros((20, 20, 3), np.uint8))
    pattern.write_bytes((tmp_path / "i_000.png").read_bytes())
    with pytest.raises(UnreadableVideo):
        open_video(pattern)


def test_an_audio_file_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "sound.avi"
    samples = bytes(1600)
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 8000, 16000, 2, 16)
    body = b"WAVE" + form + struct.pack("<4sI", b"data", len(samples)) + samples
    path.write_bytes(struct.pack("<4sI", b"RIFF", len(body)) + body)
    with pytest.raises(UnreadableVideo):
        open_video(path)


def test_a_missing_file_and_an_unreadable_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(FileNotFoundError):
        open_video(tmp_path / "none.mp4")
    with pytest.raises(UnreadableVideo, match="a folder"):
        open_video(tmp_path)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(EnvironmentFault, match="Permission denied"):
        open_video(tmp_path / "locked.mp4")


def test_opening_leaves_the_process_as_it_was(
    tmp_path: Path, make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_video(tmp_path / "a.avi")
    level = cv2.utils.logging.getLogLevel()
    monkeypatch.setenv("OPENCV_FFMPEG_CAPTURE_OPTIONS", "rtsp_transport;udp")
    open_video(path).close()
    assert os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] == "rtsp_transport;udp"
    monkeypatch.delenv("OPENCV_FFMPEG_CAPTURE_OPTIONS")
    open_video(path).close()
    assert "OPENCV_FFMPEG_CAPTURE_OPTIONS" not in os.environ
    assert cv2.utils.logging.getLogLevel() == level


def test_a_damaged_file_says_nothing_on_stderr(
    tmp_path: Path, make_video: MakeVideo, capfd: pytest.CaptureFixture[str]
) -> None:
    path = make_video(tmp_path / "a.avi", codec="mp4v")
    capfd.readouterr()
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 200] = bytes(200)
    path.write_bytes(data)
    with open_video(path) as reader:
        list(reader)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(("name", "expected"), REAL_FRAMES.items())
def test_real_footage_is_read_whole(name: str, expected: int) -> None:
    with open_video(_shared("real", name), threads=2) as reader:
        times = [frame.pts_seconds for frame in reader]
    assert (len(times), reader.frames_decoded) == (expected, expected)
    assert reader.status() is VideoStatus.OK
    assert (np.diff(times) > 0).all()


@pytest.mark.parametrize(("name", "expected"), BROKEN.items())
def test_unusual_files_are_read_as_far_as_they_go(
    name: str, expected: tuple[int, VideoStatus, int, int]
) -> None:
    with open_video(_shared("broken", name)) as reader:
        shapes = {frame.rgb.shape for frame in reader}
    assert (reader.frames_decoded, reader.status(), reader.width, reader.height) == expected
    assert shapes == {(reader.height, reader.width, 3)}
