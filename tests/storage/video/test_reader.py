"""Frames, times and spans by both decoders; what is done with all kinds of files: test_table."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import odd_videos
import pytest
from broken_videos import lost_packet
from numbered_frames import read_number
from video_makers import Film, shoot

from posemill.errors import EnvironmentFault, InputError, UnreadableVideo
from posemill.storage.video import Completeness, PtsSource, VideoLimits, VideoReader
from posemill.storage.video import open_video as open_any
from posemill.storage.video.opencv_frames import _open_capture
from posemill.storage.video.options import FrameOptions
from posemill.storage.video.pyav_frames import PyavFrames
from posemill.storage.video.trust import FileBytes

MakeVideo = Callable[..., Path]
Open = Callable[..., VideoReader]


@pytest.fixture(params=["pyav", "opencv"])
def open_video(request: pytest.FixtureRequest) -> Open:
    """`open_video` with either decoder."""

    def open_with(path: Path, **options: Any) -> VideoReader:
        return open_any(path, **{"decoder": request.param, **options})

    return open_with


@pytest.mark.parametrize(
    ("name", "codec"), [("a.avi", "MJPG"), ("a.mp4", "mp4v"), ("a.mkv", "mp4v"), ("a.avi", "FFV1")]
)
def test_reads_all_frames_in_order_with_their_times(
    open_video: Open, tmp_path: Path, make_video: MakeVideo, name: str, codec: str
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
    assert (reader.frames_decoded, reader.facts().completeness) == (30, Completeness.COMPLETE)


def test_channels_are_red_green_blue(open_video: Open, tmp_path: Path) -> None:
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
    open_video: Open, tmp_path: Path, make_video: MakeVideo
) -> None:
    path = make_video(tmp_path / "a.avi")
    with open_video(path, start_seconds=0.95, end_seconds=1.5) as reader:
        frames = list(reader)
    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4]
    assert [frame.pts_seconds for frame in frames] == pytest.approx([1.0, 1.1, 1.2, 1.3, 1.4])
    assert reader.facts().completeness is Completeness.COMPLETE


def test_a_span_up_to_the_end_is_not_damage(
    open_video: Open, tmp_path: Path, make_video: MakeVideo
) -> None:
    with open_video(make_video(tmp_path / "a.avi"), start_seconds=2.0, end_seconds=99) as reader:
        assert len(list(reader)) == 10
    assert reader.facts().completeness is Completeness.COMPLETE


def test_a_span_beyond_the_end_is_refused(
    open_video: Open, tmp_path: Path, make_video: MakeVideo
) -> None:
    path = make_video(tmp_path / "a.avi")
    with open_video(path, start_seconds=10) as reader, pytest.raises(UnreadableVideo) as caught:
        list(reader)
    assert "no readable frame lies in the span [10, inf) s" in str(caught.value)


def test_a_span_between_two_frames_is_refused(
    open_video: Open, tmp_path: Path, make_video: MakeVideo
) -> None:
    path = make_video(tmp_path / "a.avi")  # frames at 0.0, 0.1, 0.2, ... s
    with (
        open_video(path, start_seconds=0.12, end_seconds=0.18) as reader,
        pytest.raises(UnreadableVideo, match=r"no readable frame lies in the span \[0.12, 0.18\)"),
    ):
        list(reader)


def test_a_cut_file_is_truncated_and_keeps_what_is_readable(
    open_video: Open, tmp_path: Path, make_video: MakeVideo
) -> None:
    path = make_video(tmp_path / "a.avi", num_frames=60)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    with open_video(path) as reader:
        decoded = len(list(reader))
    assert 25 < decoded < 45
    assert (reader.frames_declared, reader.facts().completeness) == (60, Completeness.TRUNCATED)


@pytest.mark.parametrize("claimed", [31, 9999])
def test_a_header_may_claim_a_frame_too_many_but_not_ten_thousand(
    open_video: Open, tmp_path: Path, make_video: MakeVideo, claimed: int
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
    assert reader.facts().completeness is (
        Completeness.COMPLETE if claimed == 31 else Completeness.TRUNCATED
    )


@pytest.mark.parametrize(
    ("content", "got"),
    [
        (b"", "an empty file (0 bytes)"),
        (b"not a video\nat all\n", "a text file"),
        (b"\x00\x01\x02" * 400, "FFmpeg finds no video of an allowed format"),
    ],
)
def test_what_is_no_video_is_refused_by_name(
    open_video: Open, tmp_path: Path, content: bytes, got: str
) -> None:
    path = tmp_path / "x.mp4"
    path.write_bytes(content)
    with pytest.raises(UnreadableVideo) as caught:
        open_video(path)
    assert str(path) in str(caught.value)
    assert got in str(caught.value)
    assert "expected an MP4" in str(caught.value)


def test_a_playlist_opens_no_other_file(
    open_video: Open, tmp_path: Path, make_video: MakeVideo
) -> None:
    make_video(tmp_path / "a.mp4", codec="mp4v")
    playlist = tmp_path / "x.mp4"
    playlist.write_text("ffconcat version 1.0\nfile a.mp4\n")
    # Without the guard OpenCV does open it.
    assert cv2.VideoCapture(str(playlist), cv2.CAP_FFMPEG).read()[0]
    with pytest.raises(UnreadableVideo, match="playlist"):
        open_video(playlist)


def test_an_image_sequence_is_no_video(open_video: Open, tmp_path: Path) -> None:
    pattern = tmp_path / "i_%03d.png"
    for index in range(3):
        cv2.imwrite(str(tmp_path / f"i_{index:03d}.png"), np.zeros((20, 20, 3), np.uint8))
    pattern.write_bytes((tmp_path / "i_000.png").read_bytes())
    with pytest.raises(UnreadableVideo):
        open_video(pattern)


def test_an_audio_file_is_no_video(open_video: Open, tmp_path: Path) -> None:
    path = tmp_path / "sound.avi"
    samples = bytes(1600)
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 8000, 16000, 2, 16)
    body = b"WAVE" + form + struct.pack("<4sI", b"data", len(samples)) + samples
    path.write_bytes(struct.pack("<4sI", b"RIFF", len(body)) + body)
    with pytest.raises(UnreadableVideo):
        open_video(path)


def test_a_missing_file_and_an_unreadable_one(
    open_video: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(FileNotFoundError):
        open_video(tmp_path / "none.mp4")
    with pytest.raises(UnreadableVideo, match="a folder"):
        open_video(tmp_path)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "locked.mp4").touch()
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(EnvironmentFault, match="Permission denied"):
        open_video(tmp_path / "locked.mp4")


def test_opening_leaves_the_process_as_it_was(
    open_video: Open, tmp_path: Path, make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch
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
    open_video: Open, tmp_path: Path, make_video: MakeVideo, capfd: pytest.CaptureFixture[str]
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


@pytest.mark.parametrize("at", [0, 3])
def test_a_disk_that_fails_is_not_the_videos_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    """Whether it fails at once or in the middle of the file."""
    path = shoot(tmp_path / "a.avi", Film(frames=400, codec="rawvideo")).path
    assert path.stat().st_size > 2**19  # several reads
    reads = 0
    real = FileBytes.read

    def read(self: FileBytes, size: int) -> bytes:
        nonlocal reads
        reads += 1
        if reads > at:
            monkeypatch.setattr(self, "_file", Failing(self._file))
        return real(self, size)

    class Failing:
        def __init__(self, file: Any) -> None:
            self.close = file.close

        def read(self, _size: int) -> bytes:
            raise OSError(5, "Input/output error")

        def seek(self, offset: int, _whence: int) -> int:
            return offset

    monkeypatch.setattr(FileBytes, "read", read)
    with (
        pytest.raises(EnvironmentFault, match="Input/output error"),
        open_any(path, decoder="pyav") as reader,
    ):
        list(reader)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi", "ts", "mov"])
@pytest.mark.parametrize(
    "codec_options", [{}, {"bf": "3", "g": "12"}, {"x264-params": "open-gop=1:bframes=3:keyint=10"}]
)
def test_a_span_is_the_same_as_when_all_is_decoded(
    open_video: Open, tmp_path: Path, suffix: str, codec_options: dict[str, str]
) -> None:
    """Bit for bit, wherever it starts: at a key frame, before, between and after."""
    path = shoot(tmp_path / f"a.{suffix}", Film(frames=60, options=codec_options)).path
    with open_video(path) as reader:
        whole = list(reader)
    assert len(whole) == 60
    for start, end in [(0.0, 0.3), (0.95, 1.6), (1.0, 1.1), (2.4, 2.5), (3.35, 9.0), (5.9, 6.0)]:
        with open_video(path, start_seconds=start, end_seconds=end) as reader:
            span = list(reader)
        expected = [frame for frame in whole if start <= frame.pts_seconds < end]
        assert [frame.pts_seconds for frame in span] == [frame.pts_seconds for frame in expected]
        assert [frame.index for frame in span] == list(range(len(expected)))
        pairs = zip(span, expected, strict=True)
        assert all(np.array_equal(ours.rgb, theirs.rgb) for ours, theirs in pairs)
        assert reader.facts().completeness is Completeness.COMPLETE, (start, end)


def test_a_span_is_sought_not_decoded_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = shoot(tmp_path / "a.mp4", Film(frames=600)).path  # 60 s, a key frame every 1.2 s
    with open_any(path, start_seconds=50.0, end_seconds=51.0) as reader:
        numbers = [read_number(frame.rgb) for frame in reader]
        assert numbers == list(range(500, 510))
        assert reader._frames_seen < 40
    with open_any(path, start_seconds=58.0) as reader:
        assert len(list(reader)) == 20
        assert reader.facts().completeness is Completeness.COMPLETE


def test_damage_before_a_span_is_none_of_it(tmp_path: Path) -> None:
    made = lost_packet(tmp_path / "a.mp4", lost=3)
    with open_any(made.path, start_seconds=made.pts_seconds[-3]) as reader:
        assert len(list(reader)) == 3


def test_larger_frames_are_scaled_down_and_smaller_ones_are_not(
    open_video: Open, tmp_path: Path
) -> None:
    path = shoot(tmp_path / "a.mp4", Film(frames=3, width=320, height=180)).path
    with open_video(path) as reader:
        native = [frame.rgb for frame in reader]
    for long_edge, height in [(160, 90), (161, 91), (107, 60), (1, 1), (320, 180), (640, 180)]:
        with open_video(path, long_edge=long_edge) as reader:
            assert (reader.width, reader.height) == (320, 180)
            for number, frame in enumerate(reader):
                width = min(long_edge, 320)
                assert frame.rgb.shape == (height, width, 3)
                kernel = cv2.INTER_AREA
                expected = cv2.resize(native[number], (width, height), interpolation=kernel)
                # Planes are scaled before they are converted, so colours meet at other places.
                assert np.abs(frame.rgb.astype(int) - expected.astype(int)).mean() < 6


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_rotation_is_carried_out_or_not(open_video: Open, tmp_path: Path, degrees: int) -> None:
    made = odd_videos.rotated(tmp_path / "a.mp4", degrees)  # stored upright, shown turned
    with open_video(made.path, rotate=False) as reader:
        stored = next(reader).rgb
    assert read_number(stored) == made.numbers[0]
    with open_video(made.path) as reader:
        shown = next(reader).rgb
        assert (reader.width, reader.height) == (made.width, made.height)
    assert np.array_equal(np.rot90(shown, degrees // 90), stored)
    with open_video(made.path, long_edge=32) as reader:
        assert next(reader).rgb.shape[:2] == (made.height // 2, made.width // 2)
        assert (reader.width, reader.height) == (made.width, made.height)


def test_pixels_are_made_square_where_it_is_asked_for(open_video: Open, tmp_path: Path) -> None:
    made = odd_videos.stretched(tmp_path / "a.mp4")
    with open_video(made.path) as reader:
        assert next(reader).rgb.shape == (made.height, made.width, 3)
    with open_video(made.path, square_pixels=True) as reader:
        width = round(made.width * made.sample_aspect)
        frame = next(reader)
        assert (reader.width, frame.rgb.shape) == (width, (made.height, width, 3))
        assert read_number(frame.rgb) == made.numbers[0]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"frame_step": 3}, [0, 3, 6, 9, 12, 15, 18]),
        ({"fps": 5.0}, list(range(0, 20, 2))),
        ({"fps": 4.0}, [0, 3, 5, 8, 10, 13, 15, 18]),  # 0, .25, .5 s: the next tenth of a second
        ({"fps": 10.0}, list(range(20))),
        ({"fps": 60.0}, list(range(20))),  # there are no more
        ({"fps": 0.01}, [0]),
        ({"frame_step": 2, "start_seconds": 0.5}, [5, 7, 9, 11, 13, 15, 17, 19]),
    ],
)
def test_frames_are_chosen_by_step_or_rate(
    open_video: Open, tmp_path: Path, options: dict[str, Any], expected: list[int]
) -> None:
    path = shoot(tmp_path / "a.mp4", Film(frames=20, fps=10)).path
    with open_video(path, **options) as reader:
        frames = list(reader)
        assert reader.facts().completeness is Completeness.COMPLETE
    assert [read_number(frame.rgb) for frame in frames] == expected
    assert [frame.index for frame in frames] == list(range(len(expected)))
    assert [frame.pts_seconds for frame in frames] == pytest.approx([n / 10 for n in expected])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"long_edge": 0}, "long_edge must be at least 1 pixel, got 0"),
        ({"frame_step": 0}, "frame_step must be at least 1, got 0"),
        ({"fps": -1.0}, "fps must be above 0 and at most 1,000,000, got -1.0"),
        ({"fps": float("nan")}, "fps must be above 0 and at most 1,000,000, got nan"),
        ({"fps": 1e308}, r"at most 1,000,000, got 1e\+308"),
        ({"fps": 2.0, "frame_step": 2}, "give one"),
        (
            {"start_seconds": float("inf")},
            r"a span starts at a time .* got \[inf, inf",
        ),
        ({"start_seconds": float("nan")}, r"got \[nan, inf\) s"),
        ({"start_seconds": 2.0, "end_seconds": 1.0}, r"got \[2.0, 1.0\) s"),
        ({"decoder": "vlc"}, "there is no decoder 'vlc'; there are auto, pyav, opencv"),
    ],
)
def test_wrong_options_are_refused(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        open_any(tmp_path / "none.mp4", **options)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (VideoLimits(max_edge_px=63), "frames of 64 x 48 pixels; expected at most 63"),
        (VideoLimits(max_seconds=1.5), "2.0 seconds; expected at most 1.5"),
        (VideoLimits(max_bytes=1000), "expected at most 1,000"),
    ],
)
def test_what_is_beyond_the_limits_is_refused_before_a_frame_is_decoded(
    open_video: Open, tmp_path: Path, limits: VideoLimits, message: str
) -> None:
    path = shoot(tmp_path / "a.mp4", Film(frames=20, fps=10)).path
    with pytest.raises(UnreadableVideo, match=message):
        open_video(path, limits=limits)


def test_the_store_can_tell_whose_times_they_are(open_video: Open, tmp_path: Path) -> None:
    with open_video(odd_videos.uneven(tmp_path / "a.mkv").path) as reader:
        list(reader)
        assert reader.facts().pts_source is PtsSource.CONTAINER
    with open_video(odd_videos.with_b_frames(tmp_path / "a.avi").path) as reader:
        times = [frame.pts_seconds for frame in reader]
        assert reader.facts().pts_source is PtsSource.FRAME_RATE
    assert (np.diff(times) > 0).all()


def test_a_span_that_no_file_reaches_is_refused(open_video: Open, tmp_path: Path) -> None:
    path = shoot(tmp_path / "a.mp4", Film(frames=3)).path
    with (
        open_video(path, start_seconds=1e300) as reader,
        pytest.raises(UnreadableVideo, match="no readable frame lies in the span"),
    ):
        list(reader)


def test_a_seek_that_lands_too_late_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with an index that is wrong: then all is decoded from the start."""
    path = shoot(tmp_path / "a.mp4", Film(frames=60)).path  # 6 s, a key frame every 1.2 s
    real = PyavFrames._seek
    monkeypatch.setattr(PyavFrames, "_seek", lambda self, s: real(self, s + 2.0 if s else s))
    with open_any(path, start_seconds=2.0, end_seconds=2.5) as reader:
        assert [read_number(frame.rgb) for frame in reader] == list(range(20, 25))
        assert reader.facts().frames_read == 26  # from the first one on, and one beyond the end


def test_titles_in_any_encoding_are_nothing_to_us(open_video: Open, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        container.metadata["title"] = "cafXX"
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(5):
            rgb = np.full((48, 64, 3), 40 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        container.mux(stream.encode())
    data = path.read_bytes()
    assert data.count(b"cafXX") == 1
    path.write_bytes(data.replace(b"cafXX", b"caf\xe9\xff"))
    with open_video(path) as reader:
        assert len(list(reader)) == 5


def test_opencv_alone_opens_no_playlist(tmp_path: Path, make_video: MakeVideo) -> None:
    """The header is read by PyAV before; what OpenCV itself is given must not rely on that."""
    make_video(tmp_path / "a.mp4", codec="mp4v")
    playlist = tmp_path / "x.mp4"
    playlist.write_text("ffconcat version 1.0\nfile a.mp4\n")
    assert not _open_capture(str(playlist), FrameOptions(), 1).isOpened()
    assert _open_capture(str(tmp_path / "a.mp4"), FrameOptions(), 1).isOpened()


def test_square_frames_that_are_turned_stretch_in_their_height(
    open_video: Open, tmp_path: Path
) -> None:
    film = Film(width=64, height=64, sample_aspect=Fraction(2))
    made = odd_videos.rotated(tmp_path / "a.mp4", 90, film)
    with open_video(made.path, square_pixels=True) as reader:
        assert next(reader).rgb.shape == (128, 64, 3)


def test_what_is_read_and_what_is_taken_are_counted_apart(open_video: Open, tmp_path: Path) -> None:
    path = shoot(tmp_path / "a.mp4", Film(frames=20)).path
    with open_video(path, frame_step=4) as reader:
        list(reader)
        assert (reader.facts().frames_decoded, reader.facts().frames_read) == (5, 20)
