"""What is made of every kind of file, by both decoders and by `extract`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from chain import ignore, index
from numbered_frames import read_number
from poison import plant
from video_gallery import COMPLETE, DAMAGED, GALLERY, Exhibit
from video_makers import Film, Made

from posemill.errors import UnreadableVideo
from posemill.models.estimators.base import EstimatorOptions
from posemill.pipelines.decode.settings import DecodeSettings
from posemill.pipelines.extract import ExtractConfig, extract
from posemill.pipelines.supervise import Limits
from posemill.schema import VideoStatus
from posemill.storage.poses import PoseStore
from posemill.storage.video import Frame, FrameOptions, PtsSource, VideoFacts, open_video

SHARED = Path(__file__).parents[4] / "shared" / "videos"
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
ODD_SIZES = {
    # name: frames, width, height
    "unordered.mov": (4, 50, 50),
    "h265_10bit.mp4": (30, 200, 200),
    "rotated_0.mov": (3, 568, 320),
    "rotated_90.mov": (3, 320, 568),
    "rotated_180.mov": (3, 568, 320),
    "rotated_270.mov": (3, 320, 568),
}
OPENCV_DIFFERS = {"lost_packet", "changing_size", "flipped_bits", "interlaced", "b_frames_avi"}
READABLE = [
    (name, decoder)
    for name, exhibit in GALLERY.items()
    for decoder in ("pyav", "opencv")
    if exhibit.completeness and not (decoder == "opencv" and name in OPENCV_DIFFERS)
]


@pytest.fixture(params=["pyav", "opencv"])
def decoder(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def read(path: Path, decoder: str) -> tuple[list[Frame], VideoFacts]:
    with open_video(path, decoder=decoder) as reader:
        return list(reader), reader.facts()


def hang(folder: Path, name: str) -> Made:
    """Make an exhibit, with the video beside it that playlists name."""
    exhibit = GALLERY[name]
    if not (folder / "h264.mp4").exists():
        GALLERY["h264"].make(folder / "h264.mp4")
    return exhibit.make(folder / f"{name}{exhibit.suffix}")


def expected_seconds(made: Made, exhibit: Exhibit) -> list[float]:
    """Since the first frame; from where the file's own times do not rise on, by the rate."""
    times = np.array(made.pts_seconds) - made.pts_seconds[0]
    if exhibit.counts_times:
        times = np.arange(len(times)) / Film().fps
    return [float(seconds) for seconds in times]


@pytest.mark.parametrize("name", [name for name in GALLERY if GALLERY[name].completeness is None])
def test_what_has_no_frames_is_refused_by_name(name: str, decoder: str, tmp_path: Path) -> None:
    made = hang(tmp_path, name)
    with pytest.raises(UnreadableVideo) as caught:
        read(made.path, decoder)
    assert str(made.path) in str(caught.value)


@pytest.mark.parametrize(("name", "decoder"), READABLE)
def test_frames_times_size_and_completeness(name: str, decoder: str, tmp_path: Path) -> None:
    exhibit, made = GALLERY[name], hang(tmp_path, name)
    frames, facts = read(made.path, decoder)
    assert (facts.width, facts.height) == (made.width, made.height)
    assert {frame.rgb.shape for frame in frames} == {(made.height, made.width, 3)}
    assert facts.completeness is exhibit.completeness
    assert facts.pts_source is (
        PtsSource.FRAME_RATE if exhibit.counts_times else PtsSource.CONTAINER
    )
    assert facts.frames_decoded == len(frames)
    if exhibit.shows_damage:
        assert made.frames // 2 < len(frames) <= made.frames
        return
    upright = [np.rot90(frame.rgb, made.rotation // 90) for frame in frames]
    assert tuple(map(read_number, upright)) == made.numbers
    seconds = [frame.pts_seconds for frame in frames]
    assert seconds == pytest.approx(expected_seconds(made, exhibit), abs=2e-3)
    assert made.declared is None or facts.header.frames_declared == made.declared
    assert facts.header.pixel_aspect == pytest.approx(float(made.sample_aspect))


def test_where_opencv_stops_and_what_it_does_not_see(tmp_path: Path) -> None:
    frames, facts = read(hang(tmp_path, "lost_packet").path, "opencv")
    assert ([read_number(frame.rgb) for frame in frames], facts.completeness) == (
        list(range(12)),
        DAMAGED,
    )
    # Of damage that is not the end it tells nothing.
    frames, _ = read(hang(tmp_path, "flipped_bits").path, "opencv")
    assert 0 < len(frames) <= 30
    # It scales all frames to the size of the first.
    frames, facts = read(hang(tmp_path, "changing_size").path, "opencv")
    assert [read_number(frame.rgb) for frame in frames] == list(range(40))
    assert (facts.width, facts.height, facts.completeness) == (64, 48, COMPLETE)
    # Its times start with those of the order of decoding.
    frames, facts = read(hang(tmp_path, "b_frames_avi").path, "opencv")
    assert [read_number(frame.rgb) for frame in frames] == list(range(20))
    assert np.diff([frame.pts_seconds for frame in frames]) == pytest.approx(0.1)
    assert facts.pts_source is PtsSource.FRAME_RATE
    # Of interlaced frames it would hand out memory that nobody wrote.
    with pytest.raises(UnreadableVideo, match=r"interlaced frames.*--decoder pyav"):
        read(hang(tmp_path, "interlaced").path, "opencv")


@pytest.mark.parametrize(
    "chain",
    [
        "concat:{0}|{0}",
        "file:{0}",
        "cache:file:{0}",
        "subfile,,start,0,end,0,,:{0}",
        "data:text/plain,{0}",
        "http://127.0.0.1:9/{0}",
    ],
)
def test_a_chained_address_is_a_file_name_like_any_other(
    chain: str, decoder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    hang(tmp_path, "h264")
    name = Path(chain.format("h264.mp4"))
    with pytest.raises(FileNotFoundError):
        open_video(name, decoder=decoder)
    name.parent.mkdir(parents=True, exist_ok=True)
    name.write_text("ffconcat version 1.0\nfile h264.mp4\n")
    with pytest.raises(UnreadableVideo, match="playlist"):
        open_video(name, decoder=decoder)


def test_an_endless_stream_is_read_in_order_and_can_be_left(tmp_path: Path, decoder: str) -> None:
    made = GALLERY["again_and_again"].make(tmp_path / "a.ts")
    data = made.path.read_bytes()
    made.path.write_bytes(data * 200)  # 20,000 frames
    with open_video(made.path, decoder=decoder) as reader:
        numbers = [read_number(next(reader).rgb) for _ in range(25)]
    assert numbers == [*range(10), *range(10), *range(5)]


def shared(folder: str, name: str) -> Path:
    path = SHARED / folder / name
    if not path.is_file():
        pytest.skip(f"the shared videos are not beside this repository: {name} is absent")
    return path


@pytest.mark.parametrize(("name", "frames"), REAL_FRAMES.items())
def test_real_footage_is_read_whole(name: str, frames: int, decoder: str) -> None:
    with open_video(shared("real", name), decoder=decoder, long_edge=160, threads=2) as reader:
        seconds = [frame.pts_seconds for frame in reader]
        facts = reader.facts()
    assert (len(seconds), facts.frames_decoded) == (frames, frames)
    assert (facts.completeness, facts.pts_source) == (COMPLETE, PtsSource.CONTAINER)
    assert min(np.diff(seconds)) > 0


@pytest.mark.parametrize(("name", "expected"), ODD_SIZES.items())
def test_odd_real_files_are_read_whole(
    name: str, expected: tuple[int, int, int], decoder: str
) -> None:
    frames, facts = read(shared("broken", name), decoder)
    assert (len(frames), facts.width, facts.height) == expected
    assert {frame.rgb.shape for frame in frames} == {(facts.height, facts.width, 3)}
    assert facts.completeness is COMPLETE


def test_a_real_damaged_file_is_read_on_behind_the_damage() -> None:
    path = shared("broken", "corrupt_midway.mp4")
    decoded = {}
    for decoder in ("pyav", "opencv"):
        frames, facts = read(path, decoder)
        decoded[decoder] = len(frames)
        assert facts.completeness is DAMAGED
        assert facts.message.startswith("after ")
    assert decoded == {"pyav": 49, "opencv": 28}


def expected_end(name: str, decoder: str) -> tuple[VideoStatus, str]:
    """The status that `extract` gives an exhibit, and why."""
    completeness = GALLERY[name].completeness
    if completeness is None or (name, decoder) == ("interlaced", "opencv"):
        return VideoStatus.QUARANTINED, "unreadable"
    if completeness is COMPLETE or (name, decoder) == ("changing_size", "opencv"):
        return VideoStatus.OK, ""
    return VideoStatus.DAMAGED, completeness


def test_extract_keeps_what_is_good_and_names_what_is_not(
    decoder: str,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(plant(tmp_path_factory.mktemp("plugin"), "brightness"))
    videos = tmp_path / "videos"
    videos.mkdir()
    for file in [*(f"{name}{exhibit.suffix}" for name, exhibit in GALLERY.items()), "gone.mp4"]:
        (videos / file).write_text("a file when it was indexed\n")
    catalog = index(videos, tmp_path / "catalog")
    for path in videos.iterdir():
        path.unlink()
    made = {name: hang(videos, name) for name in GALLERY}
    config = ExtractConfig(
        catalog,
        tmp_path / "poses.zarr",
        "brightness",
        EstimatorOptions(reproducible=True),
        limits=Limits(silence_seconds=60.0),
        decoding=DecodeSettings(frames=FrameOptions(decoder=decoder)),
        max_quarantined=1.0,
    )
    extract(config, ignore)
    store = PoseStore.open(tmp_path / "poses.zarr")
    entries = store.entries()
    assert entries.keys() == GALLERY.keys() | {"gone"}
    assert entries["gone"].status is VideoStatus.MISSING
    ends = {name: (entries[name].status, entries[name].reason) for name in GALLERY}
    expected_ends = {name: expected_end(name, decoder) for name in GALLERY}
    if decoder == "opencv" and ends["flipped_bits"] == (VideoStatus.OK, ""):
        expected_ends["flipped_bits"] = (VideoStatus.OK, "")  # it tells nothing of some damage
    assert ends == expected_ends
    for name in GALLERY:
        if ends[name][0] is VideoStatus.QUARANTINED:
            assert str(made[name].path) in entries[name].message
            continue
        poses = store.read(name)
        assert (poses.width, poses.height) == (made[name].width, made[name].height)
        if (name, decoder) in READABLE and not GALLERY[name].shows_damage:
            expected = expected_seconds(made[name], GALLERY[name])
            assert poses.pts_seconds == pytest.approx(expected, abs=2e-3), name
            assert entries[name].frames_decoded == made[name].frames
