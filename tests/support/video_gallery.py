"""Every kind of video that the makers make, and what a reader is to say of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import broken_videos
import hostile_files
import odd_videos
from video_makers import Film, Made, shoot

from posemill.storage.video import Completeness

COMPLETE, TRUNCATED, DAMAGED = Completeness


@dataclass(frozen=True, slots=True)
class Exhibit:
    """How a file is made, and how whole a reader finds it."""

    suffix: str
    make: Callable[[Path], Made]
    completeness: Completeness | None = COMPLETE
    """None: not one frame can be decoded."""
    counts_times: bool = False
    """Whether the container tells no times that rise, so that index / fps take their place."""
    shows_damage: bool = False
    """Whether frames are damaged: `Made.frames` is the most that can come."""


GALLERY: Mapping[str, Exhibit] = {
    "h264": Exhibit(".mp4", lambda path: shoot(path, Film())),
    "mpeg4": Exhibit(".avi", lambda path: shoot(path, Film(codec="mpeg4"))),
    "vp9": Exhibit(".webm", lambda path: shoot(path, Film(codec="libvpx-vp9"))),
    "mpegts": Exhibit(".ts", lambda path: shoot(path, Film())),
    "flash": Exhibit(".flv", lambda path: shoot(path, Film())),
    "windows": Exhibit(".wmv", lambda path: shoot(path, Film(codec="wmv2"))),
    "turned_90": Exhibit(".mp4", lambda path: odd_videos.rotated(path, 90)),
    "turned_180": Exhibit(".mov", lambda path: odd_videos.rotated(path, 180)),
    "turned_270": Exhibit(".mp4", lambda path: odd_videos.rotated(path, 270)),
    "stretched": Exhibit(".mp4", odd_videos.stretched),
    "uneven": Exhibit(".mp4", odd_videos.uneven),
    "uneven_mkv": Exhibit(".mkv", odd_videos.uneven),
    "late": Exhibit(".mp4", odd_videos.late),
    "late_mkv": Exhibit(".mkv", odd_videos.late),
    "late_ts": Exhibit(".ts", odd_videos.late),
    "single": Exhibit(".mp4", odd_videos.single),
    "grey": Exhibit(".mkv", odd_videos.grey),
    "deep": Exhibit(".mp4", odd_videos.deep),
    "odd_sized": Exhibit(".mp4", odd_videos.odd_sized),
    "full_range": Exhibit(".mp4", odd_videos.full_range),
    "interlaced": Exhibit(".mp4", odd_videos.interlaced),
    "hevc": Exhibit(".mp4", odd_videos.hevc),
    "b_frames": Exhibit(".mp4", odd_videos.with_b_frames),
    "b_frames_avi": Exhibit(".avi", odd_videos.with_b_frames, counts_times=True),
    "joined": Exhibit(".ts", odd_videos.joined),
    "cut": Exhibit(".mp4", broken_videos.cut, TRUNCATED),
    "cut_mkv": Exhibit(".mkv", broken_videos.cut, TRUNCATED),
    "cut_index": Exhibit(
        ".mp4", lambda path: broken_videos.cut(path, index_in_front=False), completeness=None
    ),
    "flipped_bits": Exhibit(".mp4", broken_videos.flipped_bits, DAMAGED, shows_damage=True),
    "lost_packet": Exhibit(".mp4", broken_videos.lost_packet, DAMAGED),
    "changing_size": Exhibit(".ts", broken_videos.changing_size, DAMAGED),
    "wrong_count_avi": Exhibit(".avi", broken_videos.wrong_count_avi, TRUNCATED),
    "wrong_count_mp4": Exhibit(".mp4", broken_videos.wrong_count_mp4, TRUNCATED),
    "empty": Exhibit(".mp4", broken_videos.empty, completeness=None),
    "text": Exhibit(".mp4", broken_videos.text, completeness=None),
    "audio_only": Exhibit(".mp4", broken_videos.audio_only, completeness=None),
    "giant_mp4": Exhibit(".mp4", hostile_files.giant_mp4),
    "giant_header": Exhibit(".avi", hostile_files.giant_header, completeness=None),
    "giant_stream": Exhibit(".mp4", hostile_files.giant_stream, completeness=None),
    "giant_frames": Exhibit(
        ".mp4", lambda path: hostile_files.giant_stream(path, 16_000), completeness=None
    ),
    "again_and_again": Exhibit(
        ".ts", lambda path: hostile_files.endless(path, copies=10), counts_times=True
    ),
    "many_frames": Exhibit(".mp4", lambda path: hostile_files.many_frames(path, frames=500)),
    "fifo": Exhibit(".mp4", hostile_files.fifo, completeness=None),
    "symlink_loop": Exhibit(".mp4", hostile_files.symlink_loop, completeness=None),
    "directory": Exhibit(".mp4", hostile_files.directory, completeness=None),
    "playlist": Exhibit(
        ".mp4",
        lambda path: hostile_files.playlist(path, path.with_name("h264.mp4")),
        completeness=None,
    ),
    "hls_playlist": Exhibit(
        ".mp4",
        lambda path: hostile_files.hls_playlist(path, path.with_name("h264.mp4")),
        completeness=None,
    ),
}
