"""The makers of test videos keep their word, as plain PyAV sees it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import av
import broken_videos
import hostile_files
import numpy as np
import odd_videos
import pytest
from mp4_atoms import find, rebuilt, walk
from numbered_frames import CAPACITY, DARK, LIGHT, draw_number, read_colours, read_number
from video_makers import Film, Made, packets, shoot

from posemill.schema import UInt8

Maker = Callable[[Path], Made]

WHOLE: dict[str, tuple[str, Maker]] = {
    "h264": ("a.mp4", lambda path: shoot(path, Film())),
    "mpeg4": ("a.avi", lambda path: shoot(path, Film(codec="mpeg4"))),
    "vp9": ("a.webm", lambda path: shoot(path, Film(codec="libvpx-vp9"))),
    "mpegts": ("a.ts", lambda path: shoot(path, Film())),
    "turned": ("a.mp4", lambda path: odd_videos.rotated(path, 90)),
    "stretched": ("a.mp4", odd_videos.stretched),
    "uneven": ("a.mp4", odd_videos.uneven),
    "late": ("a.mp4", odd_videos.late),
    "late_ts": ("a.ts", odd_videos.late),
    "single": ("a.mp4", odd_videos.single),
    "grey": ("a.mkv", odd_videos.grey),
    "deep": ("a.mp4", odd_videos.deep),
    "odd_sized": ("a.mp4", odd_videos.odd_sized),
    "full_range": ("a.mp4", odd_videos.full_range),
    "interlaced": ("a.mp4", odd_videos.interlaced),
    "hevc": ("a.mp4", odd_videos.hevc),
    "b_frames": ("a.mp4", odd_videos.with_b_frames),
    "cut": ("a.mp4", broken_videos.cut),
    "cut_mkv": ("a.mkv", broken_videos.cut),
    "lost_packet": ("a.mp4", broken_videos.lost_packet),
    "wrong_count_avi": ("a.avi", broken_videos.wrong_count_avi),
    "wrong_count_mp4": ("a.mp4", broken_videos.wrong_count_mp4),
    "giant_mp4": ("a.mp4", hostile_files.giant_mp4),
    "endless": ("a.ts", lambda path: hostile_files.endless(path, copies=3)),
    "many_frames": ("a.mp4", lambda path: hostile_files.many_frames(path, frames=50)),
}
UNREADABLE: dict[str, tuple[str, Maker]] = {
    "empty": ("a.mp4", broken_videos.empty),
    "text": ("a.mp4", broken_videos.text),
    "audio_only": ("a.mp4", broken_videos.audio_only),
    "cut": ("a.mp4", lambda path: broken_videos.cut(path, index_in_front=False)),
    "giant_header": ("a.avi", hostile_files.giant_header),
    "giant_stream": ("a.mp4", hostile_files.giant_stream),
}


@dataclass(frozen=True)
class Seen:
    """What PyAV finds when it goes on after packets that it cannot decode."""

    pts_seconds: list[float]
    pictures: list[UInt8]
    declared: int
    failed: int


def see(path: Path) -> Seen:
    times, pictures, failed = list[float](), list[UInt8](), 0
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        for packet in container.demux(stream):
            try:
                for frame in packet.decode():
                    times.append(frame.time)
                    pictures.append(frame.to_ndarray(format="rgb24"))
            except av.error.InvalidDataError:
                failed += 1
        return Seen(times, pictures, stream.frames, failed)


@pytest.mark.parametrize("size", [(64, 48), (61, 35), (35, 61), (17, 16)])
def test_a_number_is_read_back_only_from_an_upright_frame(size: tuple[int, int]) -> None:
    frames = [draw_number(number, *size) for number in range(CAPACITY)]
    assert frames[0].shape == (size[1], size[0], 3)
    assert [read_number(frame) for frame in frames] == list(range(CAPACITY))
    for turns in (1, 2, 3):
        with pytest.raises(ValueError, match="upright"):
            read_number(np.rot90(frames[37], turns))
    with pytest.raises(ValueError, match=r"upright|wrong sum"):
        read_number(np.full((size[1], size[0], 3), 128, np.uint8))
    assert read_colours(frames[1]) == (DARK, LIGHT)


@pytest.mark.parametrize("name", WHOLE)
def test_what_can_be_decoded_is_what_the_maker_says(name: str, tmp_path: Path) -> None:
    file, make = WHOLE[name]
    made = make(tmp_path / file)
    seen = see(made.path)
    assert len(seen.pictures) == made.frames == len(made.numbers) == len(made.pts_seconds)
    assert tuple(map(read_number, seen.pictures)) == made.numbers
    assert seen.pts_seconds == pytest.approx(made.pts_seconds, abs=2e-3)
    stored = (made.height, made.width)[:: -1 if made.rotation % 180 else 1]
    assert {picture.shape[:2] for picture in seen.pictures} == {stored}
    assert seen.declared == (made.declared or 0)
    if name == "grey":
        return
    for colour, expected in zip(read_colours(seen.pictures[0]), (DARK, LIGHT), strict=True):
        assert colour == pytest.approx(expected, abs=12)


@pytest.mark.parametrize("name", UNREADABLE)
def test_of_the_unreadable_no_frame_can_be_decoded(name: str, tmp_path: Path) -> None:
    file, make = UNREADABLE[name]
    made = make(tmp_path / file)
    assert made.frames == 0
    if name.startswith("giant"):  # opens, and fails at every packet
        assert see(made.path).pictures == []
        return
    with pytest.raises((av.error.InvalidDataError, IndexError)):
        see(made.path)


def test_a_display_matrix_and_an_aspect_are_told(tmp_path: Path) -> None:
    for degrees in (90, 180, 270):
        made = odd_videos.rotated(tmp_path / f"{degrees}.mp4", degrees)
        with av.open(str(made.path)) as container:
            assert next(container.decode(video=0)).rotation % 360 == -degrees % 360
    made = odd_videos.stretched(tmp_path / "stretched.mp4")
    with av.open(str(made.path)) as container:
        assert container.streams.video[0].sample_aspect_ratio == made.sample_aspect


def test_an_avi_with_b_frames_has_no_rising_times(tmp_path: Path) -> None:
    made = odd_videos.with_b_frames(tmp_path / "a.avi")
    seen = see(made.path)
    assert tuple(map(read_number, seen.pictures)) == made.numbers
    assert min(np.diff(seen.pts_seconds)) < 0


def test_a_packet_is_lost_and_bits_are_flipped_where_the_maker_says(tmp_path: Path) -> None:
    made = broken_videos.lost_packet(tmp_path / "lost.mp4", lost=3)
    seen = see(made.path)
    assert (seen.failed, made.damaged_packets) == (1, (3,))
    whole = tmp_path / "whole.mp4"
    shoot(whole, Film(frames=30))
    made = broken_videos.flipped_bits(tmp_path / "flipped.mp4")
    before, after = whole.read_bytes(), made.path.read_bytes()
    differ = {
        place
        for place, (offset, size) in enumerate(packets(whole))
        if before[offset : offset + size] != after[offset : offset + size]
    }
    assert differ == set(made.damaged_packets) != set()


def test_a_stream_changes_its_size(tmp_path: Path) -> None:
    made = broken_videos.changing_size(tmp_path / "a.ts")
    pictures = see(made.path).pictures
    assert [picture.shape[:2] for picture in pictures[: made.frames]] == [(48, 64)] * 20
    assert [read_number(picture) for picture in pictures] == list(range(40))
    assert {picture.shape[:2] for picture in pictures[made.frames :]} == {(80, 96)}


def test_files_that_would_open_others_do_so_without_a_guard(tmp_path: Path) -> None:
    victim = shoot(tmp_path / "victim.mp4", Film())
    assert len(see(hostile_files.playlist(tmp_path / "a.mp4", victim.path).path).pictures) == 20
    assert len(see(hostile_files.image_pattern(tmp_path).path).pictures) == 5
    assert victim.path.name in hostile_files.hls_playlist(
        tmp_path / "b.mp4", victim.path
    ).path.read_text("utf-8")


def test_atoms_are_found_and_rebuilt(tmp_path: Path) -> None:
    data = shoot(tmp_path / "a.mp4", Film()).path.read_bytes()
    atoms = {atom.path: atom for atom in walk(data)}
    assert atoms["moov/trak/mdia"].start < atoms["moov/trak/mdia/minf/stbl"].start
    assert rebuilt(data, {}) == data
    longer = rebuilt(data, {"moov/trak/tkhd": b"\1" * 100})
    assert find(longer, "moov/trak/tkhd").end - find(longer, "moov/trak/tkhd").body == 100
    assert len(longer) - len(data) == find(longer, "moov").end - atoms["moov"].end
    with pytest.raises(LookupError, match="no atom moov/nothing"):
        find(data, "moov/nothing")
